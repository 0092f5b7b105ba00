using System.Text.Json;

namespace Aiproxy.Protocols.Model;

/// <summary>A request in no vendor's words. Built once a request; written once an attempt. Does not outlive its <see cref="JsonDocument"/>.</summary>
public sealed record ChatRequest
{
    /// <summary>The client's model name.</summary>
    public required string Model { get; init; }

    /// <summary>The client protocol's name, for what a trailing assistant turn means; empty: not known.</summary>
    public string Protocol { get; init; } = "";

    public bool Stream { get; init; }

    /// <summary>The leading system prompt, block borders kept.</summary>
    public IReadOnlyList<TextPart> System { get; init; } = [];

    public required IReadOnlyList<Turn> Turns { get; init; }

    public IReadOnlyList<ToolDefinition> Tools { get; init; } = [];

    public ToolChoice? ToolChoice { get; init; }

    /// <summary>false: at most one call an answer; null: not said.</summary>
    public bool? ParallelTools { get; init; }

    public long? MaxTokens { get; init; }

    public Sampling Sampling { get; init; } = new();

    public IReadOnlyList<string> Stop { get; init; } = [];

    public ReasoningRequest? Reasoning { get; init; }

    /// <summary>null: plain text.</summary>
    public OutputFormat? Output { get; init; }

    public string? EndUserId { get; init; }

    public string? CacheKey { get; init; }

    /// <summary>How long the answer shall be: <c>low</c>, <c>medium</c>, <c>high</c>; null: not said.</summary>
    public string? Verbosity { get; init; }

    public string? ServiceTier { get; init; }

    /// <summary>The client wants usage inside the stream (Chat <c>include_usage</c>; always true for the other protocols).</summary>
    public bool IncludeUsage { get; init; } = true;

    /// <summary>What would change the meaning and has no neutral word, such as <c>previous_response_id</c>: JSON path and raw value. A foreign writer refuses it.</summary>
    public IReadOnlyList<(string Path, JsonElement Value)> Untranslatable { get; init; } = [];
}

public enum TurnRole
{
    User,
    Assistant,

    /// <summary>An instruction in the middle of the conversation.</summary>
    System,
}

/// <summary>One turn; consecutive turns of one role are legal.</summary>
public sealed record Turn(TurnRole Role, IReadOnlyList<Part> Parts)
{
    public string Path { get; init; } = "";
}

/// <summary>Temperature and its kin; null: not said. Numbers keep the client's digits.</summary>
public sealed record Sampling
{
    public JsonElement? Temperature { get; init; }

    public JsonElement? TopP { get; init; }

    public JsonElement? TopK { get; init; }

    public JsonElement? FrequencyPenalty { get; init; }

    public JsonElement? PresencePenalty { get; init; }

    public JsonElement? Seed { get; init; }
}

public enum ToolKind
{
    /// <summary>Arguments are a JSON object.</summary>
    Function,

    /// <summary>Input is free text (OpenAI <c>custom</c>).</summary>
    Custom,

    /// <summary>A server tool of the protocol it came from; <see cref="ToolDefinition.Raw"/> is all there is.</summary>
    Foreign,
}

/// <summary>A tool that the model may call.</summary>
public sealed record ToolDefinition(ToolKind Kind, string Name)
{
    public string Path { get; init; } = "";

    public string? Namespace { get; init; }

    public JsonText? Description { get; init; }

    /// <summary>JSON Schema of the arguments; null: none given.</summary>
    public JsonElement? Schema { get; init; }

    public bool? Strict { get; init; }

    public bool CacheHint { get; init; }

    /// <summary>Grammar or text format of a custom tool; the whole tool where <see cref="Kind"/> is Foreign.</summary>
    public JsonElement? Raw { get; init; }
}

public enum ToolChoiceMode { Auto, None, Any, Validated }

/// <param name="Names">Tools the choice is limited to; empty: no limit.</param>
public sealed record ToolChoice(ToolChoiceMode Mode, IReadOnlyList<string> Names)
{
    public string Path { get; init; } = "";

    /// <summary>The one named tool is a custom tool.</summary>
    public bool IsCustom { get; init; }

    /// <summary>A server tool is forced: raw value.</summary>
    public JsonElement? Foreign { get; init; }
}

public enum ReasoningEffort { None, Minimal, Low, Medium, High, XHigh, Max }

/// <summary>How much the model shall think, and whether the client wants to read it.</summary>
public sealed record ReasoningRequest
{
    public ReasoningEffort? Effort { get; init; }

    /// <summary>Tokens; -1: the model decides.</summary>
    public long? Budget { get; init; }

    /// <summary>The model decides how much (Anthropic adaptive, Gemini -1).</summary>
    public bool Adaptive { get; init; }

    /// <summary>null: the protocol's default.</summary>
    public bool? Visible { get; init; }
}

/// <summary>The form that the answer must have.</summary>
/// <param name="Schema">null: any JSON object.</param>
public sealed record OutputFormat(JsonElement? Schema)
{
    /// <summary>Where the client said it, for refusals.</summary>
    public string Path { get; init; } = "";

    public string? Name { get; init; }

    public JsonText? Description { get; init; }

    public bool? Strict { get; init; }
}
