using System.Text.Json;

namespace Aiproxy.Protocols.Model;

/// <summary>A piece of a turn. <see cref="Path"/> is where the client said it (<c>messages[2].content[0]</c>), for refusals.</summary>
public abstract record Part
{
    public string Path { get; init; } = "";

    /// <summary>The client marked a prompt-cache border here.</summary>
    public bool CacheHint { get; init; }
}

/// <summary>Ordinary text.</summary>
public sealed record TextPart(JsonText Text) : Part
{
    /// <summary>A signature that Gemini put on a text part; null elsewhere.</summary>
    public Seal? Seal { get; init; }

    /// <summary>No piece of the texts beside it, with which it must not run together.</summary>
    public bool IsApart { get; init; }

    /// <summary>The sources that an earlier answer told with the text.</summary>
    public IReadOnlyList<Citation> Citations { get; init; } = [];
}

/// <summary>An image, document, sound or film.</summary>
public sealed record MediaPart(MediaKind Kind, MediaSource Source) : Part
{
    public JsonText? Title { get; init; }
}

public enum MediaKind { Image, Document, Audio, Video }

/// <summary>Where the bytes of a <see cref="MediaPart"/> are.</summary>
public abstract record MediaSource;

/// <param name="MediaType">Such as <c>image/png</c>.</param>
/// <param name="Data">Standard base64 as the client sent it.</param>
public sealed record Base64Source(string MediaType, JsonText Data) : MediaSource;

public sealed record UrlSource(JsonText Url, string? MediaType = null) : MediaSource;

/// <summary>Plain text of a document.</summary>
public sealed record TextSource(JsonText Text) : MediaSource;

/// <summary>A document made of parts (Anthropic <c>content</c> documents and <c>search_result</c>).</summary>
public sealed record PartsSource(IReadOnlyList<Part> Parts) : MediaSource;

/// <summary>A file that only the provider of <paramref name="Protocol"/> knows; <paramref name="Raw"/> is its native form.</summary>
public sealed record FileSource(string Protocol, JsonElement Raw) : MediaSource;

/// <summary>Reasoning of an earlier answer.</summary>
public sealed record ThinkingPart(JsonText Text) : Part
{
    public Seal? Seal { get; init; }

    /// <summary>Anthropic <c>redacted_thinking</c>: no text, <see cref="Seal"/> is all there is.</summary>
    public bool IsRedacted { get; init; }
}

/// <summary>A call of a client tool.</summary>
/// <param name="Id">As the client gave it; null where the protocol lets it be missing.</param>
/// <param name="Arguments">Raw JSON of the arguments object; for a custom tool the raw input text as a JSON string token. Never through a double.</param>
public sealed record ToolCallPart(string? Id, string Name, ReadOnlyMemory<byte> Arguments) : Part
{
    public bool IsCustom { get; init; }

    /// <summary>Codex groups MCP tools in namespaces; null elsewhere.</summary>
    public string? Namespace { get; init; }

    public Seal? Seal { get; init; }
}

/// <summary>The answer to a call.</summary>
public sealed record ToolResultPart(string? CallId, string? Name, IReadOnlyList<Part> Content) : Part
{
    public bool IsError { get; init; }

    public bool IsCustom { get; init; }
}

/// <summary>The model refused in words.</summary>
public sealed record RefusalPart(JsonText Text) : Part;

/// <summary>A block that only the protocol it came from can express (server tools and their results, compaction, ...).</summary>
/// <param name="Raw">The whole block.</param>
public sealed record ForeignPart(string Protocol, string Type, JsonElement Raw) : Part;
