using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

public enum HistoryPartKind { Thought, Text, Other, Response, Call }

/// <summary>One part of a content as it will be sent.</summary>
public sealed class HistoryPart
{
    private readonly OrderedDictionary<string, JsonElement> _members;
    private readonly JsonElement _inner;
    private byte[]? _text;

    public HistoryPart(JsonElement part)
    {
        _members = ProtoNames.Members(part);
        Kind = ProtoNames.Object(_members, "functionCall") is not null ? HistoryPartKind.Call
            : ProtoNames.Object(_members, "functionResponse") is not null ? HistoryPartKind.Response
            : Is("thought", JsonValueKind.True) ? HistoryPartKind.Thought
            : Is("text", JsonValueKind.String) ? HistoryPartKind.Text
            : HistoryPartKind.Other;
        if (Kind is HistoryPartKind.Call or HistoryPartKind.Response)
        {
            _inner = _members[Kind == HistoryPartKind.Call ? "functionCall" : "functionResponse"];
            Dictionary<string, JsonElement> told = new(ProtoNames.Members(_inner));
            Name = String(told, "name") ?? "";
            Id = String(told, "id");
        }
        if (String(_members, "thoughtSignature") is { Length: > 0 } signature) Signature = signature;
    }

    public HistoryPartKind Kind { get; }

    /// <summary>null: none goes along.</summary>
    public string? Signature { get; set; }

    /// <summary>Function name of a call or response, as the client said it.</summary>
    public string Name { get; } = "";

    /// <summary>Of a call or response; null: none.</summary>
    public string? Id { get; set; }

    public bool IsEmptyText => Kind == HistoryPartKind.Text && JsonMarshal.GetRawUtf8Value(_members["text"]).Length == 2;

    /// <summary>Says nothing and proves nothing.</summary>
    public bool IsNothing => _members.Count == 0 || (IsEmptyText && Signature is null);

    /// <summary>The text of a text part; null: none.</summary>
    public string? Text => Kind == HistoryPartKind.Text ? JsonFields.Decode(_members["text"]) : null;

    /// <summary>A thought whose pieces came one by one, as one.</summary>
    public static HistoryPart Joined(IReadOnlyList<HistoryPart> run, string signature)
    {
        var text = new ArrayBufferWriter<byte>();
        text.Write("\""u8);
        foreach (HistoryPart piece in run)
            if (piece._members.TryGetValue("text", out JsonElement told) && told.ValueKind == JsonValueKind.String) text.Write(JsonFields.RawBytes(told).AsSpan()[1..^1]);
        text.Write("\""u8);
        run[0]._text = text.WrittenSpan.ToArray();
        run[0].Signature = signature;
        return run[0];
    }

    public void Write(Utf8JsonWriter writer, FunctionNames names)
    {
        writer.WriteStartObject();
        foreach ((string name, JsonElement value) in _members)
        {
            if (name == "thoughtSignature") continue;
            writer.WritePropertyName(name);
            if (name == "text" && _text is not null) writer.WriteRawValue(_text, skipInputValidation: true);
            else if (name is "functionCall" or "functionResponse" && value.ValueKind == JsonValueKind.Object) WriteFunction(writer, names);
            else if (name is "inlineData" or "fileData" or "videoMetadata") ProtoNames.WriteTurned(writer, value);
            else ProtoNames.Raw(writer, value);
        }
        if (Signature is not null) writer.WriteString("thoughtSignature"u8, Signature);
        writer.WriteEndObject();
    }

    private void WriteFunction(Utf8JsonWriter writer, FunctionNames names)
    {
        writer.WriteStartObject();
        if (Id is not null) writer.WriteString("id"u8, Id);
        writer.WriteString("name"u8, names.For(Name));
        foreach ((string name, JsonElement value) in ProtoNames.Members(_inner))
        {
            if (name is "id" or "name") continue;
            writer.WritePropertyName(name);
            if (name == "response" && value.ValueKind != JsonValueKind.Object) WriteAsObject(writer, value);
            else if (name == "parts" && value.ValueKind == JsonValueKind.Array) WriteMedia(writer, value);
            else ProtoNames.Raw(writer, value);
        }
        writer.WriteEndObject();
    }

    /// <summary>"must be an object: plain text → {"result":"…"}"</summary>
    private static void WriteAsObject(Utf8JsonWriter writer, JsonElement value)
    {
        writer.WriteStartObject();
        ProtoNames.Raw(writer, "result", value);
        writer.WriteEndObject();
    }

    private static void WriteMedia(Utf8JsonWriter writer, JsonElement parts)
    {
        writer.WriteStartArray();
        foreach (JsonElement part in parts.EnumerateArray())
        {
            writer.WriteStartObject();
            foreach ((string name, JsonElement value) in ProtoNames.Members(part))
            {
                writer.WritePropertyName(name);
                ProtoNames.WriteTurned(writer, value);
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private bool Is(string name, JsonValueKind kind) => _members.TryGetValue(name, out JsonElement value) && value.ValueKind == kind;

    private static string? String(IReadOnlyDictionary<string, JsonElement> members, string name) =>
        members.TryGetValue(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && JsonFields.Decode(value) is { Length: > 0 } text ? text : null;
}
