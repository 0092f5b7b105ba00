using System.Text.Json;

namespace Aiproxy.Protocols.Kiro;

/// <summary>The members of one event that a reader looks at; strings as tokens with their quotes, empty where there is none. The whole payload has been checked as JSON.</summary>
public readonly ref struct KiroPayload
{
    /// <exception cref="JsonException">No JSON.</exception>
    public KiroPayload(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Name = name;
        Json = data;
        // "The payload is the JSON of the member itself; tolerate one wrapping level", which then names an event that has no name, too.
        var outer = new JsonScan(data);
        while (outer.Next())
        {
            bool isWrapping = name.IsEmpty ? outer.Name.EndsWith("Event"u8) || IsErrorName(outer.Name) : outer.Is(name);
            if (!isWrapping || outer.Kind != JsonTokenType.StartObject) continue;
            Name = outer.Name;
            Json = outer.Value;
        }
        bool hasMessage = false, hasErrorWord = false;
        var scan = new JsonScan(Json);
        while (scan.Next())
        {
            if (scan.IsString)
            {
                if (scan.Is("content"u8)) Content = scan.Value;
                else if (scan.Is("modelId"u8)) ModelId = scan.Inner;
                else if (scan.Is("toolUseId"u8)) ToolUseId = scan.Inner;
                else if (scan.Is("name"u8)) ToolName = scan.Inner;
                else if (scan.Is("input"u8)) Input = scan.Value;
                else if (scan.Is("text"u8)) Text = scan.Value;
                else if (scan.Is("signature"u8)) Signature = scan.Value;
                else if (scan.Is("redactedContent"u8)) Redacted = scan.Value;
                else if (scan.Is("message"u8)) hasMessage = true;
                else if (scan.Is("__type"u8) || scan.Is("_type"u8)) IsError |= IsErrorName(scan.Inner);
                else if (scan.Is("type"u8)) hasErrorWord = scan.Inner.SequenceEqual("error"u8) || scan.Inner.SequenceEqual("exception"u8);
            }
            else if (scan.Is("input"u8) && scan.Kind == JsonTokenType.StartObject) Input = scan.Value;
            else if (scan.Is("stop"u8)) IsStop = scan.Kind == JsonTokenType.True;
        }
        // Some servers tell an error in an ordinary message.
        IsError |= IsErrorName(Name) || (hasErrorWord && hasMessage);
    }

    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The payload without its wrapping.</summary>
    public ReadOnlySpan<byte> Json { get; }

    public bool IsError { get; }

    public ReadOnlySpan<byte> Content { get; }

    /// <summary>Without quotes, still escaped; as are <see cref="ToolUseId"/> and <see cref="ToolName"/>.</summary>
    public ReadOnlySpan<byte> ModelId { get; }

    public ReadOnlySpan<byte> ToolUseId { get; }

    public ReadOnlySpan<byte> ToolName { get; }

    /// <summary>A string token that is a piece of JSON text, or a whole object.</summary>
    public ReadOnlySpan<byte> Input { get; }

    public bool IsStop { get; }

    public ReadOnlySpan<byte> Text { get; }

    public ReadOnlySpan<byte> Signature { get; }

    public ReadOnlySpan<byte> Redacted { get; }

    public bool Is(ReadOnlySpan<byte> name) => Name.SequenceEqual(name);

    private static bool IsErrorName(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("error"u8) || name.SequenceEqual("exception"u8) || name.EndsWith("Exception"u8) || name.EndsWith("Error"u8);

}
