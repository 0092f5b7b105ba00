using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>How an answer ended, as far as the protocol tells.</summary>
public enum GeminiEnd { None, Stop, Other, MaxTokens, Refusal, Malformed }

/// <summary>The protocol's words for what the neutral model enumerates.</summary>
public static class GeminiNames
{
    public const string Protocol = "gemini";

    /// <summary>Documented value for calls whose signature nobody has.</summary>
    public const string NoSignature = "skip_thought_signature_validator";

    /// <summary>By their numbers in the API's proto; the first means none.</summary>
    public static IReadOnlyList<string> SchemaTypes { get; } = ["", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"];

    public static IReadOnlyList<string> CallingModes { get; } = ["", "AUTO", "ANY", "NONE", "VALIDATED"];

    public static IReadOnlyList<string> Modalities { get; } = ["", "TEXT", "IMAGE", "AUDIO"];

    /// <summary>A value of an enumeration in capitals: proto3 JSON takes any spelling, and Google's generated clients send numbers. Empty: none is told, "unspecified"
    /// included; null: it is no such value.</summary>
    /// <param name="names">By their numbers.</param>
    public static string? Word(JsonElement value, IReadOnlyList<string> names)
    {
        if (value.ValueKind == JsonValueKind.Number) return value.TryGetInt32(out int number) && number >= 0 && number < names.Count ? names[number] : null;
        if (value.ValueKind != JsonValueKind.String) return null;
        string word = JsonFields.Decode(value).ToUpperInvariant();
        return word.EndsWith("_UNSPECIFIED", StringComparison.Ordinal) ? "" : word;
    }

    /// <summary>Names that are not known mean a plain end: new ones appear, and none of them is worth losing an answer.</summary>
    public static GeminiEnd ReadFinish(ReadOnlySpan<byte> reason) => reason.IsEmpty ? GeminiEnd.None : Encoding.UTF8.GetString(reason) switch
    {
        "" => GeminiEnd.None,
        "MAX_TOKENS" or "CONTINUATION" => GeminiEnd.MaxTokens,
        "SAFETY" or "RECITATION" or "BLOCKLIST" or "PROHIBITED_CONTENT" or "SPII" or "LANGUAGE"
            or "IMAGE_SAFETY" or "IMAGE_PROHIBITED_CONTENT" or "IMAGE_RECITATION" or "IMAGE_OTHER" or "NO_IMAGE" => GeminiEnd.Refusal,
        "MALFORMED_FUNCTION_CALL" or "UNEXPECTED_TOOL_CALL" or "TOO_MANY_TOOL_CALLS" or "MALFORMED_RESPONSE" or "MISSING_THOUGHT_SIGNATURE" => GeminiEnd.Malformed,
        "OTHER" or "FINISH_REASON_UNSPECIFIED" => GeminiEnd.Other,
        _ => GeminiEnd.Stop,
    };

    /// <summary>Google serves Claude in this protocol too; its thinking has Anthropic's proofs and rules.</summary>
    public static bool IsClaude(string model) => model.Contains("claude", StringComparison.OrdinalIgnoreCase);

    public static ReadOnlySpan<byte> FinishReason(FinishReason reason) => reason switch
    {
        Protocols.FinishReason.MaxTokens or Protocols.FinishReason.ContextOverflow => "MAX_TOKENS"u8,
        Protocols.FinishReason.Refusal => "SAFETY"u8,
        _ => "STOP"u8,
    };

    /// <summary>HTTP status (also <c>error.code</c>) and <c>error.status</c> of a kind.</summary>
    public static (int Code, string Status) Error(ErrorKind kind) => kind switch
    {
        ErrorKind.ClientAuthMissing or ErrorKind.Permission => (403, "PERMISSION_DENIED"),
        ErrorKind.NotFound => (404, "NOT_FOUND"),
        ErrorKind.MethodNotAllowed => (405, "INVALID_ARGUMENT"),
        ErrorKind.Conflict => (409, "ABORTED"),
        ErrorKind.UnsupportedMedia => (415, "INVALID_ARGUMENT"),
        ErrorKind.RateLimit or ErrorKind.Quota => (429, "RESOURCE_EXHAUSTED"),
        ErrorKind.UpstreamAuth or ErrorKind.ServerError => (500, "INTERNAL"),
        ErrorKind.BadGateway or ErrorKind.Overloaded or ErrorKind.Unavailable => (503, "UNAVAILABLE"),
        ErrorKind.Timeout => (504, "DEADLINE_EXCEEDED"),
        _ => (400, "INVALID_ARGUMENT"),
    };

    public static int CodeOf(string status) => status switch
    {
        "INVALID_ARGUMENT" or "FAILED_PRECONDITION" or "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ABORTED" or "ALREADY_EXISTS" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        "INTERNAL" or "UNKNOWN" or "DATA_LOSS" => 500,
        _ => 0,
    };
}
