using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Which tools of a repaired request are declared and how the choice among them is told.</summary>
public sealed class AnthropicToolWriter
{
    private readonly AnthropicTraits _traits;
    private readonly ChatRequest _request;

    /// <exception cref="ProtocolException">A tool or choice that cannot be said.</exception>
    public AnthropicToolWriter(ChatRequest request, AnthropicTraits traits, ModelFacts facts)
    {
        _request = request;
        _traits = traits;
        IReadOnlyList<string> used = UsedNames(request);
        Tools = Declared(used);
        // The provider refuses calls in the history of a request that declares no tools.
        ForHistoryOnly = Tools.Count == 0 ? used : [];
        (Choice, ChosenName) = Choose(facts);
        if (request.Output is { Schema: not null } format && !facts.HasOutputSchema) AddAnswerTool(format, facts);
    }

    public IReadOnlyList<ToolDefinition> Tools { get; private set; }

    /// <summary>Names that the history calls and nobody declares.</summary>
    public IReadOnlyList<string> ForHistoryOnly { get; }

    /// <summary><c>auto</c>, <c>any</c>, <c>tool</c> or <c>none</c>; null: not told.</summary>
    public string? Choice { get; private set; }

    public string? ChosenName { get; private set; }

    public bool IsForced => Choice is "any" or "tool";

    /// <summary>A sentence that stands for a demand which the model does not take; null: none.</summary>
    public string? Instruction { get; private set; }

    public void Write(Utf8JsonWriter writer, Func<bool> takesMark)
    {
        if (Tools.Count + ForHistoryOnly.Count == 0) return;
        writer.WriteStartArray("tools"u8);
        foreach (ToolDefinition tool in Tools)
        {
            if (tool.Kind == ToolKind.Foreign) WriteForeign(writer, tool);
            else
            {
                writer.WriteStartObject();
                WriteFunction(writer, tool);
                if (tool.CacheHint && takesMark()) AnthropicPartWriter.CacheMark(writer);
                writer.WriteEndObject();
            }
        }
        foreach (string name in ForHistoryOnly)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, name);
            writer.WritePropertyName("input_schema"u8);
            AnthropicSchema.WriteInput(writer, null);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        WriteChoice(writer);
    }

    private static List<string> UsedNames(ChatRequest request)
    {
        var names = new List<string>();
        foreach (Turn turn in request.Turns)
        {
            foreach (Part part in turn.Parts)
            {
                if (part is ToolCallPart call && !names.Contains(call.Name)) names.Add(call.Name);
            }
        }
        return names;
    }

    private List<ToolDefinition> Declared(IReadOnlyList<string> used)
    {
        var tools = new List<ToolDefinition>();
        bool hasFunctions = _request.Tools.Any(tool => tool.Kind != ToolKind.Foreign);
        bool hasOwnSearch = _request.Tools.Any(static tool => tool.Kind != ToolKind.Foreign && tool.Name == ServerTools.WebSearchName);
        foreach (ToolDefinition tool in _request.Tools)
        {
            bool isOwn = tool.Kind == ToolKind.Foreign && tool.Raw is not null && _request.Protocol == AnthropicNames.Protocol;
            bool isSearch = tool.Kind == ToolKind.Foreign && _traits.WebSearch && ServerTools.IsWebSearch(tool);
            // "Tool names must be unique": the client's own search is the one that it counts on, and a second one finds no more.
            if (isSearch && !isOwn && (hasOwnSearch || tools.Exists(ServerTools.IsWebSearch))) continue;
            if (tool.Kind != ToolKind.Foreign || isOwn || isSearch) tools.Add(tool);
            // Codex lists a web search with every request; beside functions it can be done without.
            else if (!hasFunctions || ServerTools.IsIndispensable(tool)) throw RequestRefusal.Of(tool.Path, AnthropicRequestWriter.Target);
        }
        return Subset(tools, used);
    }

    /// <summary>A choice among some of the tools becomes a shorter list, unless the history calls one of the others.</summary>
    private List<ToolDefinition> Subset(List<ToolDefinition> tools, IReadOnlyList<string> used)
    {
        if (_request.ToolChoice is not { Names.Count: > 0 } choice || (choice.Names.Count == 1 && choice.Mode == ToolChoiceMode.Any)) return tools;
        List<ToolDefinition> some = [.. tools.Where(tool => choice.Names.Contains(tool.Name))];
        bool needsOthers = choice.Mode != ToolChoiceMode.Any && used.Any(name => !some.Exists(tool => tool.Name == name));
        return some.Count == 0 || needsOthers ? tools : some;
    }

    private (string? Choice, string? Name) Choose(ModelFacts facts)
    {
        if (ForHistoryOnly.Count > 0 && _request.ToolChoice?.Mode is not ToolChoiceMode.Any) return ("none", null);
        if (_request.ToolChoice is not { } choice) return (_request.ParallelTools == false && Tools.Count > 0 ? "auto" : null, null);
        bool isSearch = choice.Foreign is not null && _traits.WebSearch && _request.Tools.Any(tool => ServerTools.IsWebSearch(tool) && ServerTools.IsDemanded(tool, choice));
        if (choice.Foreign is not null && _request.Protocol != AnthropicNames.Protocol && !isSearch) throw RequestRefusal.Of(choice.Path, AnthropicRequestWriter.Target);
        if (choice.Mode != ToolChoiceMode.Any)
        {
            if (Tools.Count == 0) return (null, null);
            return (choice.Mode == ToolChoiceMode.None ? "none" : "auto", null);
        }
        if (Tools.Count == 0) throw RequestRefusal.Of(choice.Path, AnthropicRequestWriter.Target);
        string? name = choice.Names.Count == 1 ? choice.Names[0] : isSearch ? ServerTools.WebSearchName : null;
        if (facts.HasForcedChoice) return name is null ? ("any", null) : ("tool", name);
        if (!_traits.InstructsForcedChoice) throw RequestRefusal.Of(choice.Path, AnthropicRequestWriter.Target);
        Instruction = name is null ? "Answer with a call of one of the tools." : $"Answer with a call of the tool {name}.";
        return ("auto", null);
    }

    /// <summary>The form of the answer as a tool, where the model cannot be told it: demanded, or one of those of which one is demanded. Where the client demands a call of
    /// its own, that call is the answer.</summary>
    private void AddAnswerTool(OutputFormat format, ModelFacts facts)
    {
        if (Choice == "tool") return;
        ToolDefinition tool = JsonResponseTool.Definition(_request, format);
        bool isAlone = Tools.Count == 0 || Choice == "none";
        Tools = [.. Tools, tool];
        (Choice, ChosenName) = isAlone ? ("tool", tool.Name) : ("any", null);
        if (facts.HasForcedChoice) return;
        if (!_traits.InstructsForcedChoice) throw RequestRefusal.Of(format.Path, AnthropicRequestWriter.Target);
        Instruction = isAlone ? $"Answer with a call of the tool {tool.Name}." : $"Answer with a call of one of the tools; the last answer is a call of {tool.Name}.";
        (Choice, ChosenName) = ("auto", null);
    }

    private void WriteForeign(Utf8JsonWriter writer, ToolDefinition tool)
    {
        if (_request.Protocol == AnthropicNames.Protocol)
        {
            writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(tool.Raw!.Value), skipInputValidation: true);
            return;
        }
        WebSearchTool.Read(tool).WriteAnthropic(writer);
    }

    private static void WriteFunction(Utf8JsonWriter writer, ToolDefinition tool)
    {
        writer.WriteString("name"u8, tool.Name);
        if (tool.Description is { IsEmpty: false } description)
        {
            writer.WritePropertyName("description"u8);
            description.WriteTo(writer);
        }
        writer.WritePropertyName("input_schema"u8);
        if (tool is { Strict: true, Schema: { } strict }) AnthropicSchema.WriteStrict(writer, strict);
        else AnthropicSchema.WriteInput(writer, tool.Schema);
        if (tool.Strict is { } flag) writer.WriteBoolean("strict"u8, flag);
    }

    private void WriteChoice(Utf8JsonWriter writer)
    {
        if (Choice is null) return;
        writer.WriteStartObject("tool_choice"u8);
        writer.WriteString("type"u8, Choice);
        if (ChosenName is not null) writer.WriteString("name"u8, ChosenName);
        if (_request.ParallelTools == false && Choice != "none") writer.WriteBoolean("disable_parallel_tool_use"u8, true);
        writer.WriteEndObject();
    }
}
