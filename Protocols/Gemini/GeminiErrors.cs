using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>The Google error envelope: <c>{"error":{"code","message","status","details":[]}}</c>.</summary>
public static class GeminiErrors
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A refused prompt is no error in this protocol but a 200 with <c>promptFeedback</c>.</summary>
    public static int Write(IBufferWriter<byte> output, ProxyError error)
    {
        if (error.Kind != ErrorKind.ContentPolicy) return WriteObject(output, error);
        output.Write("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}"u8);
        return 200;
    }

    /// <summary>The envelope alone, as it stands in a stream. Libraries see it only with a numeric code of 400 to 599.</summary>
    public static int WriteObject(IBufferWriter<byte> output, ProxyError error)
    {
        (int code, string status) = GeminiNames.Error(error.Kind);
        using var writer = new Utf8JsonWriter(output, Relaxed);
        writer.WriteStartObject();
        writer.WriteStartObject("error"u8);
        writer.WriteNumber("code"u8, code);
        writer.WriteString("message"u8, error.Message);
        writer.WriteString("status"u8, status);
        if (error.Kind == ErrorKind.ClientAuth || error.RetryAfter is not null) WriteDetails(writer, error);
        writer.WriteEndObject();
        writer.WriteEndObject();
        return code;
    }

    /// <summary>Tells a failure to a client that has a part of the answer: a bare object, since libraries miss one behind <c>data:</c>, or one more element
    /// and the array's end.</summary>
    public static void WriteInStream(IBufferWriter<byte> output, ProxyError error, bool isArray, bool isFirst)
    {
        if (isArray) output.Write(isFirst ? "["u8 : ",\n"u8);
        WriteObject(output, error);
        if (isArray) output.Write("\n]"u8);
    }

    public static ProxyError Read(int status, ReadOnlySpan<byte> body)
    {
        try
        {
            if (Parse(status, body) is { } error) return error;
        }
        catch (JsonException)
        {
            // No envelope then; the status speaks.
        }
        ErrorKind kind = ErrorText.KindOf(status);
        return new ProxyError(kind, ErrorText.OfBody(status, body)) { UpstreamStatus = status, ShouldRetry = Retry(kind) };
    }

    /// <summary>An error told inside a stream or a 200; its code stands for the status.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public static ProxyError ReadInBand(ReadOnlySpan<byte> json) =>
        Parse(0, json) ?? new ProxyError(ErrorKind.ServerError, "the upstream told an error without saying which");

    private static void WriteDetails(Utf8JsonWriter writer, ProxyError error)
    {
        writer.WriteStartArray("details"u8);
        if (error.Kind == ErrorKind.ClientAuth)
        {
            writer.WriteStartObject();
            writer.WriteString("@type"u8, "type.googleapis.com/google.rpc.ErrorInfo"u8);
            writer.WriteString("reason"u8, "API_KEY_INVALID"u8);
            writer.WriteString("domain"u8, "googleapis.com"u8);
            writer.WriteEndObject();
        }
        if (error.RetryAfter is { } wait)
        {
            writer.WriteStartObject();
            writer.WriteString("@type"u8, "type.googleapis.com/google.rpc.RetryInfo"u8);
            writer.WriteString("retryDelay"u8, string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(Math.Max(0, wait.TotalSeconds)):0}s"));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    /// <summary>What one error object tells.</summary>
    private sealed class Told
    {
        public int Code { get; set; }
        public string Status { get; set; } = "";
        public string Message { get; set; } = "";
        public string? Reason { get; set; }
        public TimeSpan? Wait { get; set; }
        public bool IsDaily { get; set; }
    }

    private static ProxyError? Parse(int status, ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> error = default;
        var envelope = new JsonScan(body);
        while (envelope.Next())
        {
            // The array endpoint and Google's OpenAI-compatible one wrap the envelope in an array.
            if (envelope.Root == JsonTokenType.StartArray) return Parse(status, envelope.Value);
            if (envelope.Is("error"u8)) error = envelope.Value;
        }
        if (error.IsEmpty) return null;
        var told = new Told();
        if (error[0] == (byte)'"') told.Message = RawJson.Decode(error);
        var scan = new JsonScan(error);
        while (scan.Next())
        {
            if (scan.Is("code"u8)) told.Code = (int)Math.Clamp(scan.Long() ?? 0, 0, 999);
            else if (scan.IsString && scan.Is("status"u8)) told.Status = RawJson.Decode(scan.Value);
            else if (scan.IsString && scan.Is("message"u8)) told.Message = RawJson.Decode(scan.Value);
            else if (scan.Is("details"u8)) Details(scan.Value, told);
        }
        return told.Message.Length + told.Status.Length == 0 && told.Code == 0 ? null : Build(status, told);
    }

    private static void Details(ReadOnlySpan<byte> json, Told told)
    {
        var items = new JsonScan(json);
        while (items.Next())
        {
            var detail = new JsonScan(items.Value);
            while (detail.Next())
            {
                if (detail.IsString && detail.Is("reason"u8)) told.Reason = RawJson.Decode(detail.Value);
                else if (detail.IsString && detail.Is("retryDelay"u8)) told.Wait = Delay(RawJson.Decode(detail.Value));
                else if (detail.Is("violations"u8)) told.IsDaily |= detail.Value.IndexOf("PerDay"u8) >= 0;
            }
        }
    }

    private static ProxyError Build(int status, Told told)
    {
        int effective = status != 0 ? status : told.Code is >= 400 and < 600 ? told.Code : GeminiNames.CodeOf(told.Status);
        ErrorKind kind = effective == 0 ? ErrorKind.ServerError : ErrorText.KindOf(effective);
        if (kind == ErrorKind.InvalidRequest && told.Reason == "API_KEY_INVALID") kind = ErrorKind.UpstreamAuth;
        if (kind is ErrorKind.InvalidRequest or ErrorKind.ServerError && ErrorText.IsContextTooLong(told.Message)) kind = ErrorKind.ContextTooLong;
        if (kind == ErrorKind.RateLimit && told.IsDaily) kind = ErrorKind.Quota;
        string word = told.Status.Length > 0 ? told.Status : told.Code.ToString(CultureInfo.InvariantCulture);
        string message = told.Message.Length > 0 ? told.Message : $"the upstream told {word}";
        return new ProxyError(kind, ErrorText.Redact(message))
        {
            Code = told.Reason ?? (told.Status.Length > 0 ? told.Status : null),
            // A day's quota comes with a delay that does not help.
            RetryAfter = kind == ErrorKind.Quota ? null : told.Wait,
            UpstreamStatus = effective == 0 ? null : effective,
            ShouldRetry = Retry(kind),
        };
    }

    private static bool? Retry(ErrorKind kind) => kind is ErrorKind.UpstreamAuth or ErrorKind.Quota ? false : null;

    /// <summary>Seconds with an <c>s</c> behind: <c>34.07s</c>.</summary>
    private static TimeSpan? Delay(string text) =>
        text.EndsWith('s') && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
        && seconds is >= 0 and < 1e7 ? TimeSpan.FromSeconds(Math.Ceiling(seconds)) : null;
}
