using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>The error envelope that Chat and Responses share: <c>{"error":{"message","type","param","code"}}</c>.</summary>
public static class OpenAIErrors
{
    /// <summary>No \uXXXX for what UTF-8 can say: the same bytes an upstream of the protocol would send. Never embedded in HTML.</summary>
    public static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Writes the envelope; returns the HTTP status.</summary>
    public static int Write(IBufferWriter<byte> output, ProxyError error)
    {
        (int status, string type, string? code) = Words(error);
        using var json = new Utf8JsonWriter(output, Json);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, Safe(ErrorText.Redact(error.Message)));
        json.WriteString("type"u8, type);
        json.WriteString("param"u8, error.Param is null ? null : Safe(error.Param));
        json.WriteString("code"u8, code);
        json.WriteEndObject();
        json.WriteEndObject();
        return status;
    }

    /// <summary>Status, type and code of a kind. A code of OpenAI's dialect is told where the kind has none of its own.</summary>
    public static (int Status, string Type, string? Code) Words(ProxyError error) => error.Kind switch
    {
        ErrorKind.InvalidRequest => (400, "invalid_request_error", Own(error.Code)),
        ErrorKind.Unsupported => (400, "invalid_request_error", "unsupported_parameter"),
        ErrorKind.ContextTooLong => (400, "invalid_request_error", "context_length_exceeded"),
        ErrorKind.ContentPolicy => (400, "invalid_request_error", "content_policy_violation"),
        ErrorKind.ClientAuth or ErrorKind.ClientAuthMissing => (401, "invalid_request_error", "invalid_api_key"),
        ErrorKind.Permission => (403, "permission_error", Own(error.Code)),
        // A path that is not there is no missing model.
        ErrorKind.NotFound => (404, "invalid_request_error", Own(error.Code) ?? (error.Param == "model" || error.UpstreamStatus is not null ? "model_not_found" : null)),
        ErrorKind.MethodNotAllowed => (405, "invalid_request_error", Own(error.Code)),
        ErrorKind.Conflict => (409, "invalid_request_error", Own(error.Code)),
        ErrorKind.TooLarge => (413, "invalid_request_error", Own(error.Code)),
        ErrorKind.UnsupportedMedia => (415, "invalid_request_error", Own(error.Code)),
        ErrorKind.RateLimit => (429, "rate_limit_error", "rate_limit_exceeded"),
        ErrorKind.Quota => (429, "insufficient_quota", "insufficient_quota"),
        ErrorKind.UpstreamAuth => (500, "server_error", "upstream_auth"),
        ErrorKind.BadGateway => (502, "server_error", Own(error.Code)),
        ErrorKind.Overloaded => (503, "server_error", "overloaded"),
        ErrorKind.Unavailable => (503, "server_error", Own(error.Code)),
        ErrorKind.Timeout => (504, "server_error", "timeout"),
        _ => (500, "server_error", Own(error.Code)),
    };

    /// <summary>Without Anthropic's types and Google's statuses, which are no codes here and say no more than the kind does.</summary>
    private static string? Own(string? code)
    {
        if (code is null or "request_too_large" || (code.EndsWith("_error", StringComparison.Ordinal) && code != "server_error")) return null;
        return code.Any(char.IsAsciiLetterUpper) && !code.Any(char.IsAsciiLetterLower) ? null : code;
    }

    /// <summary>The code of <c>response.error</c>, where no status tells the kind. Clients switch on it: what is unknown to them they retry.</summary>
    public static string StreamCode(ErrorKind kind) => kind switch
    {
        ErrorKind.RateLimit => "rate_limit_exceeded",
        ErrorKind.ContextTooLong => "context_length_exceeded",
        ErrorKind.InvalidRequest or ErrorKind.Unsupported or ErrorKind.ContentPolicy => "invalid_prompt",
        _ => "server_error",
    };

    /// <summary>The message of a failure inside a stream. Codex reads the time to wait out of the words <c>try again in 7s</c>.</summary>
    public static string StreamMessage(ProxyError error)
    {
        string message = Safe(ErrorText.Redact(error.Message));
        if (error.Kind != ErrorKind.RateLimit || error.RetryAfter is not { } wait) return message;
        if (message.Contains("try again in", StringComparison.OrdinalIgnoreCase)) return message;
        string seconds = Math.Max(0, wait.TotalSeconds).ToString("0.###", CultureInfo.InvariantCulture);
        return $"{message.TrimEnd('.', ' ')}. Please try again in {seconds}s.";
    }

    /// <summary>A lone surrogate would make the JSON writer throw.</summary>
    private static string Safe(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));
}
