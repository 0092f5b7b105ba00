using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>The members of one stream event, raw. What an event does not have is empty or null.</summary>
public readonly ref struct ResponsesEvent
{
    /// <param name="name">The <c>event:</c> line, for servers that leave <c>type</c> out.</param>
    /// <exception cref="System.Text.Json.JsonException">No JSON.</exception>
    public ResponsesEvent(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        Json = json;
        Type = name;
        var members = JsonSlice.NewMembers(json);
        while (members.Next())
        {
            if (members.Is("type"u8)) Type = JsonSlice.IsText(members.Value) ? JsonSlice.Inner(members.Value) : name;
            else if (members.Is("delta"u8)) Delta = members.Value;
            else if (members.Is("output_index"u8)) OutputIndex = members.Long();
            else if (members.Is("item_id"u8)) ItemId = JsonSlice.Inner(members.Value);
            else if (members.Is("content_index"u8)) ContentIndex = members.Long();
            else if (members.Is("summary_index"u8)) SummaryIndex = members.Long();
            else if (members.Is("sequence_number"u8)) SequenceNumber = members.Long();
            else if (members.Is("item"u8)) Item = members.Value;
            else if (members.Is("response"u8)) Response = members.Value;
            else if (members.Is("text"u8) || members.Is("refusal"u8) || members.Is("arguments"u8) || members.Is("input"u8)) Whole = members.Value;
            else if (members.Is("error"u8)) Error = members.Value;
            else if (members.Is("annotation"u8)) Annotation = members.Value;
        }
    }

    public ReadOnlySpan<byte> Json { get; }

    public ReadOnlySpan<byte> Type { get; }

    public ReadOnlySpan<byte> Delta { get; }

    /// <summary><c>text</c>, <c>refusal</c>, <c>arguments</c> or <c>input</c> of a done event.</summary>
    public ReadOnlySpan<byte> Whole { get; }

    public ReadOnlySpan<byte> ItemId { get; }

    public ReadOnlySpan<byte> Item { get; }

    public ReadOnlySpan<byte> Response { get; }

    public ReadOnlySpan<byte> Error { get; }

    public ReadOnlySpan<byte> Annotation { get; }

    public long? OutputIndex { get; }

    public long? ContentIndex { get; }

    public long? SummaryIndex { get; }

    public long? SequenceNumber { get; }

    public bool Is(ReadOnlySpan<byte> type) => Type.SequenceEqual(type);
}
