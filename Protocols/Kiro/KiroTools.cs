using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>The tools of a repaired request as the service takes them, and what only words in the system prompt can say of them.</summary>
public sealed class KiroTools
{
    private readonly ChatRequest _request;
    private readonly KiroNames _names;
    private readonly KiroTraits _traits;
    private readonly List<(string Name, string Description, JsonElement? Schema)> _declared = [];

    /// <exception cref="ProtocolException">A server tool, or a demand for a call, that cannot be said.</exception>
    public KiroTools(ChatRequest request, KiroNames names, KiroTraits traits)
    {
        (_request, _names, _traits) = (request, names, traits);
        List<ToolDefinition> functions = Functions();
        List<string> used = UsedNames();
        List<ToolDefinition> offered = Offered(functions, used);
        foreach (ToolDefinition tool in offered) _declared.Add((names.For(tool.Name), Describe(tool), tool.Schema));

        // "all tool names used in history are declared in currentMessage…tools"
        foreach (string name in used)
        {
            if (!offered.Exists(tool => tool.Name == name)) _declared.Add((names.For(name), traits.Texts.GoneTool, null));
        }
        if (Choice(functions, offered) is { } choice) Notes.Add(choice);
    }

    public bool HasAny => _declared.Count > 0;

    /// <summary>Paragraphs for the system prompt.</summary>
    public List<string> Notes { get; } = [];

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("tools"u8);
        foreach ((string name, string description, JsonElement? schema) in _declared)
        {
            writer.WriteStartObject();
            writer.WriteStartObject("toolSpecification"u8);
            writer.WriteString("name"u8, name);
            writer.WriteString("description"u8, description);
            writer.WriteStartObject("inputSchema"u8);
            writer.WritePropertyName("json"u8);
            KiroSchema.Write(writer, schema);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private List<ToolDefinition> Functions()
    {
        List<ToolDefinition> functions = [.. _request.Tools.Where(static tool => tool.Kind != ToolKind.Foreign)];
        foreach (ToolDefinition tool in _request.Tools)
        {
            // Codex lists a web search with every request; beside functions it can be done without.
            if (tool.Kind == ToolKind.Foreign && (functions.Count == 0 || ServerTools.IsIndispensable(tool))) throw RequestRefusal.Of(tool.Path, KiroRequestWriter.Target);
        }
        return functions;
    }

    private List<string> UsedNames()
    {
        var names = new List<string>();
        foreach (Turn turn in _request.Turns)
        {
            foreach (Part part in turn.Parts)
            {
                if (part is ToolCallPart call && !names.Contains(call.Name)) names.Add(call.Name);
            }
        }
        return names;
    }

    /// <summary>What the choice leaves; a tool that the history calls stays, for the service wants it declared.</summary>
    private List<ToolDefinition> Offered(List<ToolDefinition> functions, List<string> used) => _request.ToolChoice switch
    {
        { Mode: ToolChoiceMode.None } => functions.FindAll(tool => used.Contains(tool.Name)),
        { Names.Count: > 0 } choice when functions.Exists(tool => choice.Names.Contains(tool.Name)) =>
            functions.FindAll(tool => choice.Names.Contains(tool.Name) || used.Contains(tool.Name)),
        _ => functions,
    };

    private string? Choice(List<ToolDefinition> functions, List<ToolDefinition> offered)
    {
        if (_request.ToolChoice is not { } choice) return null;
        if (choice.Foreign is not null) throw RequestRefusal.Of(choice.Path, KiroRequestWriter.Target);
        bool isDemand = choice.Mode == ToolChoiceMode.Any;
        if (isDemand && functions.Count == 0) throw RequestRefusal.Of(choice.Path, KiroRequestWriter.Target);
        if (choice.Mode == ToolChoiceMode.None) return HasAny ? "Do not call any tool." : null;
        List<string> some = [.. offered.Where(tool => choice.Names.Contains(tool.Name)).Select(tool => _names.For(tool.Name))];
        if (isDemand)
        {
            return some.Count switch
            {
                0 => "Answer with a call of one of the tools.",
                1 => $"Answer with a call of the tool {some[0]}.",
                _ => $"Answer with a call of one of these tools: {string.Join(", ", some)}.",
            };
        }
        return some.Count > 0 && some.Count < _declared.Count ? $"Call no other tools than these: {string.Join(", ", some)}." : null;
    }

    /// <summary>Not empty, and not longer than the service takes: the rest is told in the system prompt.</summary>
    private string Describe(ToolDefinition tool)
    {
        string text = tool.Description?.ToString() ?? "", name = _names.For(tool.Name);
        if (string.IsNullOrWhiteSpace(text)) return name;
        int limit = _traits.Limits.MaxDescriptionBytes;
        if (Encoding.UTF8.GetByteCount(text) <= limit) return text;
        int length = Fitting(text, limit - Encoding.UTF8.GetByteCount(_traits.Texts.DescriptionCut));
        Notes.Add($"The description of the tool {name} goes on:\n{text[length..]}");
        return text[..length] + _traits.Texts.DescriptionCut;
    }

    /// <summary>How many UTF-16 units of the text fit into so many bytes of UTF-8, no character cut.</summary>
    private static int Fitting(string text, int bytes)
    {
        int length = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bytes -= rune.Utf8SequenceLength;
            if (bytes < 0) break;
            length += rune.Utf16SequenceLength;
        }
        return length;
    }
}
