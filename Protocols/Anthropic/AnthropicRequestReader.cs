using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Reads a Messages request, or a count_tokens one, into neutral words. Hints without such words are left out.</summary>
public sealed class AnthropicRequestReader
{
    private readonly List<(string Path, JsonElement Value)> _untranslatable = [];

    public ChatRequest Read(JsonElement body, RequestHead head)
    {
        var fields = new JsonFields(body, "");
        IReadOnlyList<ToolDefinition> tools = Tools(fields);
        (ToolChoice? choice, bool? parallel) = Choice(fields, tools);
        IReadOnlyList<TextPart> system = System(fields);
        IReadOnlyList<Turn> turns = Turns(fields);
        RefuseWhatChangesTheMeaning(fields);
        string? user = fields.Object("metadata")?.String("user_id");
        return new ChatRequest
        {
            Model = head.Model,
            Protocol = AnthropicNames.Protocol,
            Stream = head.Stream,
            System = system,
            Turns = turns,
            Tools = tools,
            ToolChoice = choice,
            ParallelTools = parallel,
            MaxTokens = fields.Limit("max_tokens", 0),
            Sampling = new Sampling { Temperature = fields.Number("temperature"), TopP = fields.Number("top_p"), TopK = fields.Number("top_k") },
            Stop = fields.Strings("stop_sequences"),
            Reasoning = Reasoning(fields),
            Output = Output(fields),
            EndUserId = user,
            // The id names the session among others, so that its hash is stable for a conversation.
            CacheKey = string.IsNullOrEmpty(user) ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(user)))[..32],
            ServiceTier = fields.String("service_tier"),
            Untranslatable = _untranslatable,
        };
    }

    private void RefuseWhatChangesTheMeaning(JsonFields fields)
    {
        Refuse(fields, "container", _ => true);
        Refuse(fields, "compaction", _ => true);
        Refuse(fields, "mcp_servers", value => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > 0);
        Refuse(fields, "thread", value => new JsonFields(value, "thread").String("type") == "continue");
        // Zero only warms Anthropic's prompt cache; elsewhere it is an error or an answer nobody asked for.
        Refuse(fields, "max_tokens", _ => fields.Long("max_tokens") == 0);
    }

    private void Refuse(JsonFields fields, string name, Func<JsonElement, bool> refused)
    {
        if (fields.Get(name) is { } value && refused(value)) _untranslatable.Add((fields.At(name), value));
    }

    private static List<TextPart> System(JsonFields fields)
    {
        if (fields.Get("system") is not { } system) return [];
        if (system.ValueKind == JsonValueKind.String) return [new TextPart(JsonText.From(system)) { Path = "system" }];
        var parts = new List<TextPart>();
        foreach ((JsonElement value, string path) in fields.Items("system"))
        {
            var block = new JsonFields(value, path);
            string type = block.String("type") ?? "text";
            if (type != "text") throw new ProtocolException(ErrorKind.InvalidRequest, $"{path}.type: expected text, found {type}", $"{path}.type");
            parts.Add(AnthropicPartReader.Text(block));
        }
        return parts;
    }

    private List<Turn> Turns(JsonFields fields)
    {
        if (fields.Get("messages") is null) throw fields.Missing("messages");
        var reader = new AnthropicPartReader(_untranslatable);
        var turns = new List<Turn>();
        foreach ((JsonElement value, string path) in fields.Items("messages"))
        {
            var message = new JsonFields(value, path);
            string role = message.String("role") ?? throw message.Missing("role");
            TurnRole turn = role switch
            {
                "user" => TurnRole.User,
                "assistant" => TurnRole.Assistant,
                "system" => TurnRole.System,
                _ => throw new ProtocolException(ErrorKind.InvalidRequest, $"{path}.role: expected user, assistant or system", $"{path}.role"),
            };
            turns.Add(new Turn(turn, reader.Content(message, "content", turn)) { Path = path });
        }
        if (turns.Count == 0) throw new ProtocolException(ErrorKind.InvalidRequest, "messages: at least one message is required", "messages");
        return turns;
    }

    private static List<ToolDefinition> Tools(JsonFields fields)
    {
        var tools = new List<ToolDefinition>();
        foreach ((JsonElement value, string path) in fields.Items("tools"))
        {
            var tool = new JsonFields(value, path);
            string? type = tool.String("type");
            string name = tool.String("name") ?? (type is null or "custom" ? throw tool.Missing("name") : type);
            // Claude Code's tool search needs one deferred tool in the list; the model is never to see it.
            if (name == "DeferredToolPlaceholder" && tool.Bool("defer_loading") == true) continue;
            bool cache = tool.Get("cache_control") is not null;
            tools.Add(type is null or "custom"
                ? new ToolDefinition(ToolKind.Function, name)
                {
                    Path = path,
                    Description = tool.Text("description"),
                    Schema = tool.Object("input_schema")?.Raw,
                    Strict = tool.Bool("strict"),
                    CacheHint = cache,
                }
                : new ToolDefinition(ToolKind.Foreign, name) { Path = path, Raw = value, CacheHint = cache });
        }
        return tools;
    }

    private static (ToolChoice? Choice, bool? Parallel) Choice(JsonFields fields, IReadOnlyList<ToolDefinition> tools)
    {
        if (fields.Object("tool_choice") is not { } choice) return (null, null);
        bool? parallel = choice.Bool("disable_parallel_tool_use") == true ? false : null;
        string type = choice.String("type") ?? throw choice.Missing("type");
        return (type switch
        {
            "auto" => new ToolChoice(ToolChoiceMode.Auto, []) { Path = choice.Path },
            "any" => new ToolChoice(ToolChoiceMode.Any, []) { Path = choice.Path },
            "none" => new ToolChoice(ToolChoiceMode.None, []) { Path = choice.Path },
            "tool" => Named(choice, tools),
            _ => throw new ProtocolException(ErrorKind.InvalidRequest, "tool_choice.type: expected auto, any, tool or none", "tool_choice.type"),
        }, parallel);
    }

    private static ToolChoice Named(JsonFields choice, IReadOnlyList<ToolDefinition> tools)
    {
        string name = choice.String("name") ?? throw choice.Missing("name");
        bool isForeign = tools.Any(tool => tool.Name == name && tool.Kind == ToolKind.Foreign);
        return new ToolChoice(ToolChoiceMode.Any, [name]) { Path = choice.Path, Foreign = isForeign ? choice.Raw : null };
    }

    private static ReasoningRequest? Reasoning(JsonFields fields)
    {
        ReasoningEffort? effort = fields.Object("output_config")?.String("effort") is { } word ? AnthropicNames.ReadEffort(word) : null;
        if (fields.Object("thinking") is not { } thinking) return effort is null ? null : new ReasoningRequest { Effort = effort };
        bool? visible = thinking.String("display") switch { null => null, "omitted" => false, _ => true };
        return (thinking.String("type") ?? throw thinking.Missing("type")) switch
        {
            "enabled" => new ReasoningRequest { Budget = thinking.Long("budget_tokens"), Effort = effort, Visible = visible },
            "adaptive" => new ReasoningRequest { Adaptive = true, Effort = effort, Visible = visible },
            // Notes between calls are as near to "off" as the models that know this word come.
            "disabled" or "between_tools" => new ReasoningRequest { Effort = ReasoningEffort.None, Visible = visible },
            _ => effort is null ? null : new ReasoningRequest { Effort = effort, Visible = visible },
        };
    }

    private OutputFormat? Output(JsonFields fields)
    {
        JsonFields? format = fields.Object("output_config")?.Object("format") ?? fields.Object("output_format");
        if (format is not { } found) return null;
        if (found.String("type") == "json_schema") return new OutputFormat((found.Object("schema") ?? throw found.Missing("schema")).Raw) { Path = found.Path, Strict = true };
        _untranslatable.Add((found.Path, found.Raw));
        return null;
    }
}
