using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>The error envelope: <c>{"type":"error","error":{"type","message"},"request_id"}</c>.</summary>
public static class AnthropicErrors
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static int Write(IBufferWriter<byte> output, ProxyError error, string? requestId)
    {
        (int status, string type) = AnthropicNames.Error(error.Kind);
        using var writer = new Utf8JsonWriter(output, Relaxed);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "error"u8);
        writer.WriteStartObject("error"u8);
        writer.WriteString("type"u8, type);
        writer.WriteString("message"u8, Message(error));
        if (error is { Kind: ErrorKind.Unsupported, Param: "thread" }) WriteThreadDetails(writer);
        writer.WriteEndObject();
        if (requestId is not null) writer.WriteString("request_id"u8, requestId);
        writer.WriteEndObject();
        return status;
    }

    /// <summary>The vendor's library knows by this code that it must send the whole conversation instead.</summary>
    private static void WriteThreadDetails(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("details"u8);
        writer.WriteString("error_code"u8, "thread_unsupported_request"u8);
        writer.WriteStartArray("unsupported"u8);
        writer.WriteStringValue("thread"u8);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>The error as an event of a stream, blank line included.</summary>
    public static void WriteEvent(IBufferWriter<byte> output, ProxyError error)
    {
        output.Write("event: error\ndata: "u8);
        Write(output, error, null);
        output.Write("\n\n"u8);
    }

    public static ProxyError Read(int status, ReadOnlySpan<byte> body)
    {
        try
        {
            return Parse(status, body) ?? Plain(status, body);
        }
        catch (JsonException)
        {
            return Plain(status, body);
        }
    }

    /// <summary>An error told inside a stream or a 200; the type stands for the status.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public static ProxyError ReadInBand(ReadOnlySpan<byte> json) =>
        Parse(0, json) ?? new ProxyError(ErrorKind.ServerError, "the upstream told an error without saying which");

    private static ProxyError Plain(int status, ReadOnlySpan<byte> body) =>
        new(ErrorText.KindOf(status), ErrorText.OfBody(status, body)) { UpstreamStatus = status, ShouldRetry = Retry(ErrorText.KindOf(status)) };

    private static ProxyError? Parse(int status, ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> error = default;
        var envelope = new JsonScan(body);
        while (envelope.Next())
        {
            if (envelope.Root == JsonTokenType.StartArray) return Parse(status, envelope.Value);
            if (envelope.Is("error"u8)) error = envelope.Value;
        }
        if (error.IsEmpty) return null;
        if (error[0] == (byte)'"') return Build(status, "", RawJson.Decode(error), null);

        string type = "", message = "";
        string? code = null;
        var scan = new JsonScan(error);
        while (scan.Next())
        {
            if (scan.IsString && scan.Is("type"u8)) type = RawJson.Decode(scan.Value);
            else if (scan.IsString && scan.Is("message"u8)) message = RawJson.Decode(scan.Value);
            else if (scan.Is("details"u8)) code = Code(scan.Value);
        }
        return type.Length + message.Length == 0 ? null : Build(status, type, message, code);
    }

    private static string? Code(ReadOnlySpan<byte> details)
    {
        string? code = null;
        var scan = new JsonScan(details);
        while (scan.Next())
        {
            if (scan.IsString && scan.Is("error_code"u8)) code = RawJson.Decode(scan.Value);
        }
        return code;
    }

    private static ProxyError Build(int status, string type, string message, string? code)
    {
        int told = AnthropicNames.StatusOf(type);
        // A type is more exact than a status where a relay answers everything with 400 or 500, but for the types that stand for many.
        int effective = status == 0 || (told is 402 or 413 or 429 or 504 or 529 && status is 400 or 500 or 503) ? told : status;
        ErrorKind kind = effective == 0 ? ErrorKind.ServerError : ErrorText.KindOf(effective);
        if (kind is ErrorKind.InvalidRequest or ErrorKind.TooLarge && ErrorText.IsContextTooLong(message)) kind = ErrorKind.ContextTooLong;
        // "spend limit set by the customer", an invalid request by its type and status.
        if (kind == ErrorKind.InvalidRequest && message.StartsWith("You have reached your specified API usage limits", StringComparison.OrdinalIgnoreCase)) kind = ErrorKind.Quota;
        if (kind == ErrorKind.RateLimit && code is "contract_spend_limit_reached" or "enforced_spend_limit_reached") kind = ErrorKind.Quota;
        if (message.Length == 0) message = $"the upstream told {type}";
        return new ProxyError(kind, ErrorText.Redact(message))
        {
            Code = code ?? (type.Length == 0 ? null : type),
            UpstreamStatus = status != 0 ? status : effective != 0 ? effective : null,
            ShouldRetry = Retry(kind),
        };
    }

    private static bool? Retry(ErrorKind kind) => kind is ErrorKind.UpstreamAuth or ErrorKind.Quota ? false : null;

    /// <summary>Claude Code reads both numbers from this very wording, and compacts the conversation.</summary>
    private static string Message(ProxyError error)
    {
        if (error.Kind != ErrorKind.ContextTooLong || error.Message.StartsWith("prompt is too long", StringComparison.Ordinal)
            || error.Message.StartsWith("input length and `max_tokens`", StringComparison.Ordinal)) return error.Message;
        return ErrorText.TokenCounts(error.Message) is var (tokens, limit)
            ? $"prompt is too long: {tokens} tokens > {limit} maximum"
            : $"prompt is too long: {error.Message}";
    }
}
