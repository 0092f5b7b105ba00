using System.Text.Json;
using Aiproxy.Protocols.Model;
using static Aiproxy.Protocols.OpenAIChat.RequestFields;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Tools, tool choice and answer formats. Reads Chat's nested form and Responses' flat one alike: clients send either to either.</summary>
public static class OpenAITools
{
    public static void Read(JsonElement tools, string path, List<ToolDefinition> into)
    {
        int index = 0;
        foreach (JsonElement tool in tools.EnumerateArray()) ReadOne(RequireObject(tool, $"{path}[{index}]"), $"{path}[{index++}]", null, into);
    }

    /// <summary>The deprecated <c>functions</c> list.</summary>
    public static void ReadFunctions(JsonElement functions, List<ToolDefinition> into)
    {
        int index = 0;
        foreach (JsonElement function in functions.EnumerateArray())
        {
            string path = $"functions[{index++}]";
            into.Add(Function(RequireObject(function, path), path, null));
        }
    }

    private static void ReadOne(JsonElement tool, string path, string? space, List<ToolDefinition> into)
    {
        string type = RequestFields.String(tool, "type", path) ?? "function";
        switch (type)
        {
            case "function":
                bool isNested = Nested(tool, "function", path, out string functionPath) is not null;
                ToolDefinition read = isNested ? Function(tool.GetProperty("function"u8), functionPath, space) : Function(tool, path, space);
                // Clients of relays mark tools in the words of Messages, beside the function or in it.
                into.Add(TryGet(tool, "cache_control"u8, out _) ? read with { CacheHint = true } : read);
                break;
            case "custom" when Nested(tool, "custom", path, out string customPath) is { } custom:
                into.Add(Custom(custom, customPath, space));
                break;
            case "custom":
                into.Add(Custom(tool, path, space));
                break;
            case "namespace" when space is null:
                string name = RequiredString(tool, "name", path);
                JsonElement members = RequestFields.Array(tool, "tools", path) ?? throw Wrong(Join(path, "tools"), "required");
                int index = 0;
                foreach (JsonElement member in members.EnumerateArray())
                {
                    string memberPath = $"{path}.tools[{index++}]";
                    ReadOne(RequireObject(member, memberPath), memberPath, name, into);
                }
                break;
            default:
                into.Add(new ToolDefinition(ToolKind.Foreign, type) { Path = path, Raw = tool });
                break;
        }
    }

    private static JsonElement? Nested(JsonElement tool, string name, string path, out string nestedPath)
    {
        nestedPath = Join(path, name);
        return RequestFields.Object(tool, name, path);
    }

    private static ToolDefinition Function(JsonElement function, string path, string? space) => new(ToolKind.Function, Name(function, path))
    {
        Path = path,
        Namespace = space,
        Description = JsonString(function, "description", path),
        Schema = RequestFields.Object(function, "parameters", path) ?? RequestFields.Object(function, "input_schema", path),
        Strict = RequestFields.Bool(function, "strict", path),
        CacheHint = TryGet(function, "cache_control"u8, out _),
    };

    private static ToolDefinition Custom(JsonElement custom, string path, string? space) => new(ToolKind.Custom, Name(custom, path))
    {
        Path = path,
        Namespace = space,
        Description = JsonString(custom, "description", path),
        Raw = RequestFields.Object(custom, "format", path),
    };

    private static string Name(JsonElement owner, string path) =>
        RequiredString(owner, "name", path) is { Length: > 0 } name ? name : throw Wrong(Join(path, "name"), "must not be empty");

    /// <summary>All forms of <c>tool_choice</c> and of the deprecated <c>function_call</c>.</summary>
    public static ToolChoice Choice(JsonElement choice, string path)
    {
        if (choice.ValueKind == JsonValueKind.String)
        {
            ToolChoiceMode mode = Text(choice, path) switch
            {
                "auto" => ToolChoiceMode.Auto,
                "none" => ToolChoiceMode.None,
                "required" or "any" => ToolChoiceMode.Any,
                _ => throw Wrong(path, "expected \"none\", \"auto\" or \"required\""),
            };
            return new ToolChoice(mode, []) { Path = path };
        }
        RequireObject(choice, path);
        string type = RequestFields.String(choice, "type", path) ?? "function";
        switch (type)
        {
            case "auto":
                return new ToolChoice(ToolChoiceMode.Auto, []) { Path = path };
            case "none":
                return new ToolChoice(ToolChoiceMode.None, []) { Path = path };
            case "any" or "required":
                return new ToolChoice(ToolChoiceMode.Any, []) { Path = path };
            case "function" or "tool":
                return new ToolChoice(ToolChoiceMode.Any, [ChosenName(choice, "function", path)]) { Path = path };
            case "custom":
                return new ToolChoice(ToolChoiceMode.Any, [ChosenName(choice, "custom", path)]) { Path = path, IsCustom = true };
            case "allowed_tools":
                return Allowed(choice, path);
            default:
                return new ToolChoice(ToolChoiceMode.Any, []) { Path = path, Foreign = choice };
        }
    }

    private static ToolChoice Allowed(JsonElement choice, string path)
    {
        if (RequestFields.Object(choice, "allowed_tools", path) is { } nested)
        {
            choice = nested;
            path += ".allowed_tools";
        }
        ToolChoiceMode mode = RequestFields.String(choice, "mode", path) switch
        {
            null or "auto" => ToolChoiceMode.Auto,
            "required" => ToolChoiceMode.Any,
            _ => throw Wrong(Join(path, "mode"), "expected \"auto\" or \"required\""),
        };
        var names = new List<string>();
        JsonElement tools = RequestFields.Array(choice, "tools", path) ?? throw Wrong(Join(path, "tools"), "required");
        int index = 0;
        foreach (JsonElement tool in tools.EnumerateArray())
        {
            string toolPath = $"{path}.tools[{index++}]";
            string type = RequestFields.String(RequireObject(tool, toolPath), "type", toolPath) ?? "function";

            // A server tool has no name to list; the tools a model may call freely are not its matter.
            if (type is "function" or "custom") names.Add(ChosenName(tool, type, toolPath));
        }
        return new ToolChoice(mode, names) { Path = path };
    }

    private static string ChosenName(JsonElement choice, string member, string path)
    {
        JsonElement? nested = RequestFields.Object(choice, member, path);
        string name = nested is { } inner ? RequiredString(inner, "name", Join(path, member)) : RequiredString(choice, "name", path);
        return RequestFields.String(choice, "namespace", path) is { Length: > 0 } space ? ToolNames.Flat(space, name) : name;
    }

    /// <summary><c>response_format</c> (schema nested) and <c>text.format</c> (schema flat).</summary>
    /// <returns>null for plain text.</returns>
    public static OutputFormat? Format(JsonElement format, string path)
    {
        string type = RequiredString(RequireObject(format, path), "type", path);
        switch (type)
        {
            case "text":
                return null;
            case "json_object":
                return new OutputFormat((JsonElement?)null) { Path = path };
            case "json_schema":
                JsonElement schema = format;
                if (RequestFields.Object(format, "json_schema", path) is { } nested)
                {
                    schema = nested;
                    path += ".json_schema";
                }
                return new OutputFormat(RequestFields.Object(schema, "schema", path))
                {
                    Path = path,
                    Name = RequestFields.String(schema, "name", path),
                    Description = JsonString(schema, "description", path),
                    Strict = RequestFields.Bool(schema, "strict", path),
                };
            default:
                throw Wrong(Join(path, "type"), "expected \"text\", \"json_object\" or \"json_schema\"");
        }
    }

    /// <summary><c>none</c> to <c>max</c>.</summary>
    public static ReasoningEffort? Effort(string? effort, string path) => effort switch
    {
        null => null,
        "none" => ReasoningEffort.None,
        "minimal" => ReasoningEffort.Minimal,
        "low" => ReasoningEffort.Low,
        "medium" => ReasoningEffort.Medium,
        "high" => ReasoningEffort.High,
        "xhigh" => ReasoningEffort.XHigh,
        "max" => ReasoningEffort.Max,
        _ => throw Wrong(path, "expected none, minimal, low, medium, high, xhigh or max"),
    };
}
