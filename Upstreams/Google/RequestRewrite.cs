using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>A generateContent body as Code Assist wants it inside its envelope: known names turned, schemas cleaned, foreign members gone. One a body.</summary>
/// <remarks>What the user said, called and got is copied byte for byte.</remarks>
public sealed class RequestRewrite
{
    // Written in their order, or not at all.
    private static readonly HashSet<string> Handled = new(StringComparer.Ordinal)
    {
        "contents", "systemInstruction", "tools", "toolConfig", "generationConfig",
        // The path says both.
        "model", "stream",
        // Of Google's public API alone; hints.
        "serviceTier", "store", "generateContentRequest",
    };

    // Members of other protocols' bodies, and what antigravity takes no word of: "unknown names give 400".
    private static readonly HashSet<string> NotForAntigravity = new(StringComparer.Ordinal)
    {
        "safetySettings", "messages", "system", "max_tokens", "maxTokens", "metadata", "thinking", "temperature", "topP", "topK", "stopSequences", "toolChoice", "anthropicVersion",
        "sessionId", "userAgent", "requestType", "requestId", "project",
    };

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly GoogleModel _model;
    private readonly OrderedDictionary<string, JsonElement> _members;
    private readonly JsonElement? _config;
    private readonly ToolSet _tools;

    /// <param name="body">In Gemini's words; countTokens in both its forms.</param>
    /// <param name="dropsProofs">As <see cref="Mend.DropsProofs"/>.</param>
    /// <param name="signatures">null: the body did not pass through a translation.</param>
    public RequestRewrite(JsonElement body, GoogleModel model, bool dropsProofs, ClaudeSignatures? signatures)
    {
        _model = model;
        _members = ProtoNames.Members(body);
        if (ProtoNames.Object(_members, "generateContentRequest") is { } wrapped) _members = ProtoNames.Members(wrapped);
        _config = ProtoNames.Object(_members, "generationConfig");
        _tools = new ToolSet(model, ProtoNames.Items(_members, "tools"));
        History = new History(model, dropsProofs, signatures).Read(Contents());
    }

    public History History { get; }

    /// <summary>As <see cref="ToolSet.IsSearchOnly"/>.</summary>
    public bool IsSearchOnly => _tools.IsSearchOnly;

    /// <summary>As <see cref="FunctionNames.ClientNames"/>; after the members were written.</summary>
    public IReadOnlyDictionary<string, string>? ClientNames => _tools.Names.ClientNames;

    /// <summary>As <see cref="ToolSet.Cuts"/>.</summary>
    public IReadOnlyDictionary<string, ArgumentCut>? Cuts => _tools.Cuts;

    /// <summary>The client named its conversation itself; null: it did not.</summary>
    public string? SessionId => _members.TryGetValue("sessionId", out JsonElement told) && told.ValueKind == JsonValueKind.String ? JsonFields.Decode(told) : null;

    /// <summary>An envelope around what <paramref name="write"/> writes into its object.</summary>
    public static ReadOnlyMemory<byte> Envelope(int sizeHint, Action<Utf8JsonWriter> write)
    {
        var output = new ArrayBufferWriter<byte>(sizeHint + 512);
        using (var writer = new Utf8JsonWriter(output, Relaxed))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        return output.WrittenMemory;
    }

    /// <summary>All members of <c>request</c> but those that a type adds.</summary>
    public void WriteMembers(Utf8JsonWriter writer)
    {
        History.Write(writer, _tools.Names);
        WriteSystem(writer);
        _tools.Write(writer);
        _tools.WriteConfig(writer, ProtoNames.Object(_members, "toolConfig"));
        foreach ((string name, JsonElement value) in _members)
            if (!Handled.Contains(name) && name != "sessionId" && !(_model.IsAntigravity && NotForAntigravity.Contains(name))) ProtoNames.Raw(writer, name, value);
        new GenerationConfig(_model, _config, mayThink: !History.EndsInUnprovenCalls).Write(writer);
    }

    /// <summary>For a count: no options, no thoughts.</summary>
    /// <param name="contentsAlone">Neither system prompt nor tools.</param>
    public void WriteCounted(Utf8JsonWriter writer, bool contentsAlone)
    {
        foreach (HistoryContent content in History.Contents) content.Parts.RemoveAll(static part => part.Kind == HistoryPartKind.Thought);
        History.Write(writer, _tools.Names);
        if (contentsAlone) return;
        WriteSystem(writer);
        _tools.Write(writer);
    }

    private IEnumerable<JsonElement> Contents()
    {
        foreach (JsonElement content in ProtoNames.Items(_members, "contents"))
        {
            if (content.ValueKind == JsonValueKind.Object) yield return content;
            else if (content.ValueKind == JsonValueKind.String) yield return AsContent(content);
        }
    }

    private static JsonElement AsContent(JsonElement text)
    {
        using JsonDocument content = JsonDocument.Parse("{\"parts\":[{\"text\":" + text.GetRawText() + "}]}");
        return content.RootElement.Clone();
    }

    /// <summary>"object with parts (a string gives 400); key in camelCase"</summary>
    private void WriteSystem(Utf8JsonWriter writer)
    {
        if (!_members.TryGetValue("systemInstruction", out JsonElement system)) return;
        List<JsonElement> parts = system.ValueKind switch
        {
            JsonValueKind.String => [system],
            JsonValueKind.Object => [.. ProtoNames.Items(ProtoNames.Members(system), "parts")],
            _ => [],
        };
        parts.RemoveAll(static part => part.ValueKind is not (JsonValueKind.String or JsonValueKind.Object));
        if (parts.Count == 0) return;
        writer.WriteStartObject("systemInstruction"u8);
        writer.WriteString("role"u8, "user"u8);
        writer.WriteStartArray("parts"u8);
        foreach (JsonElement part in parts)
        {
            if (part.ValueKind == JsonValueKind.Object)
            {
                ProtoNames.WriteTurned(writer, part);
                continue;
            }
            writer.WriteStartObject();
            ProtoNames.Raw(writer, "text", part);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
