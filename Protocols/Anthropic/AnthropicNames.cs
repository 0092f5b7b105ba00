using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>The protocol's words for what the neutral model enumerates.</summary>
public static class AnthropicNames
{
    public const string Protocol = "anthropic";

    public static FinishReason ReadStop(ReadOnlySpan<byte> reason)
    {
        if (reason.SequenceEqual("tool_use"u8)) return FinishReason.ToolUse;
        if (reason.SequenceEqual("max_tokens"u8)) return FinishReason.MaxTokens;
        if (reason.SequenceEqual("stop_sequence"u8)) return FinishReason.StopSequence;
        if (reason.SequenceEqual("refusal"u8)) return FinishReason.Refusal;
        if (reason.SequenceEqual("pause_turn"u8)) return FinishReason.Pause;
        if (reason.SequenceEqual("model_context_window_exceeded"u8)) return FinishReason.ContextOverflow;
        return FinishReason.EndTurn;
    }

    public static string StopReason(FinishReason reason) => reason switch
    {
        FinishReason.ToolUse => "tool_use",
        FinishReason.StopSequence => "stop_sequence",
        FinishReason.MaxTokens => "max_tokens",
        FinishReason.ContextOverflow => "model_context_window_exceeded",
        FinishReason.Refusal => "refusal",
        FinishReason.Pause => "pause_turn",
        _ => "end_turn",
    };

    /// <summary>HTTP status and <c>error.type</c> of a kind.</summary>
    public static (int Status, string Type) Error(ErrorKind kind) => kind switch
    {
        ErrorKind.ClientAuth or ErrorKind.ClientAuthMissing => (401, "authentication_error"),
        ErrorKind.Quota => (402, "billing_error"),
        ErrorKind.Permission => (403, "permission_error"),
        ErrorKind.NotFound => (404, "not_found_error"),
        ErrorKind.MethodNotAllowed => (405, "invalid_request_error"),
        ErrorKind.Conflict => (409, "conflict_error"),
        ErrorKind.TooLarge => (413, "request_too_large"),
        ErrorKind.UnsupportedMedia => (415, "invalid_request_error"),
        ErrorKind.RateLimit => (429, "rate_limit_error"),
        ErrorKind.UpstreamAuth or ErrorKind.ServerError => (500, "api_error"),
        ErrorKind.BadGateway => (502, "api_error"),
        ErrorKind.Unavailable => (503, "overloaded_error"),
        ErrorKind.Timeout => (504, "timeout_error"),
        ErrorKind.Overloaded => (529, "overloaded_error"),
        _ => (400, "invalid_request_error"),
    };

    /// <summary>The HTTP status that goes with an <c>error.type</c>; 0: unknown type.</summary>
    public static int StatusOf(string type) => type switch
    {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "conflict_error" => 409,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "api_error" => 500,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 0,
    };

    public static ReasoningEffort? ReadEffort(string effort) => effort switch
    {
        "low" => ReasoningEffort.Low,
        "medium" => ReasoningEffort.Medium,
        "high" => ReasoningEffort.High,
        "xhigh" => ReasoningEffort.XHigh,
        "max" => ReasoningEffort.Max,
        _ => null,
    };
}
