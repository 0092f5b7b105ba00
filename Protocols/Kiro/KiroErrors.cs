using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>The service's errors: <c>{"message","reason"}</c>, or <c>{"__type":"…#ThrottlingException","message"}</c>; in a stream the same as an exception.</summary>
/// <remarks><see cref="ProxyError.Code"/> is the reason, else the type; with it <see cref="KiroFault.Of(ProxyError)"/> judges the error again.</remarks>
public static partial class KiroErrors
{
    /// <param name="errorType">The header <c>x-amzn-ErrorType</c>; null: none.</param>
    public static ProxyError Read(int status, ReadOnlySpan<byte> body, string? errorType = null)
    {
        Told told = Parse(body);
        string type = told.Type.Length > 0 ? told.Type : Short(errorType ?? "");
        if (told.Message.Length + type.Length + told.Reason.Length > 0) return Build(status, type, told);
        ErrorKind kind = ErrorText.KindOf(status);
        return new ProxyError(kind, Hide(ErrorText.OfBody(status, body))) { UpstreamStatus = status, ShouldRetry = Retry(kind) };
    }

    /// <summary>An exception of a stream, or an error told in place of one; the type stands for the status. Never throws.</summary>
    /// <param name="name">The event's or exception's name; empty: the payload tells the type.</param>
    public static ProxyError ReadEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> payload)
    {
        Told told = Parse(payload);
        string type = told.Type.Length > 0 ? told.Type : Short(Encoding.UTF8.GetString(name));
        if (told.Message.Length + type.Length + told.Reason.Length == 0)
            return new ProxyError(ErrorKind.ServerError, "the upstream told an error without saying which");
        return Build(StatusOf(type, told.Reason), type, told);
    }

    private sealed class Told
    {
        public string Type { get; set; } = "";
        public string Message { get; set; } = "";
        public string Reason { get; set; } = "";
    }

    private static Told Parse(ReadOnlySpan<byte> json, bool isNested = false)
    {
        var told = new Told();
        if (json.IsEmpty) return told;
        try
        {
            var scan = new JsonScan(json);
            while (scan.Next())
            {
                if (scan.IsString)
                {
                    if (scan.Is("message"u8) || scan.Is("Message"u8)) told.Message = RawJson.Decode(scan.Value);
                    else if (scan.Is("reason"u8)) told.Reason = RawJson.Decode(scan.Value);
                    else if (scan.Is("__type"u8) || scan.Is("_type"u8) || scan.Is("code"u8)) told.Type = Short(RawJson.Decode(scan.Value));
                    else if (scan.Is("error"u8)) told.Message = RawJson.Decode(scan.Value);
                }
                else if (scan.Kind == JsonTokenType.StartObject && !isNested && told.Message.Length == 0 && IsWrapping(scan))
                {
                    string name = Short(Encoding.UTF8.GetString(scan.Name));
                    told = Parse(scan.Value, isNested: true);
                    if (told.Type.Length == 0 && name != "error") told.Type = name;
                }
            }
        }
        catch (JsonException)
        {
            // No error body of the service's; the status speaks.
            return new Told();
        }
        return told;
    }

    private static bool IsWrapping(in JsonScan scan) => scan.Is("error"u8) || scan.Name.EndsWith("Exception"u8) || scan.Name.EndsWith("Event"u8);

    /// <summary>Without the namespace in front and without what may stand behind a colon.</summary>
    private static string Short(string type)
    {
        string name = type[(type.LastIndexOf('#') + 1)..].Split(':')[0].Trim();
        return name.Length > 100 ? name[..100] : name;
    }

    private static ProxyError Build(int status, string type, Told told)
    {
        string code = told.Reason.Length > 0 ? told.Reason : type;
        string message = Hide(ErrorText.Redact(told.Message.Length > 0 ? told.Message : $"the upstream told {(code.Length > 0 ? code : "an error")}"));
        KiroFault fault = KiroFault.Of(status, type, told.Reason, message);
        return new ProxyError(fault.Kind, message)
        {
            Code = code.Length > 0 ? Hide(ErrorText.Redact(code)) : null,
            UpstreamStatus = status,
            ShouldRetry = Retry(fault.Kind),
        };
    }

    private static bool? Retry(ErrorKind kind) => kind is ErrorKind.UpstreamAuth or ErrorKind.Quota ? false : null;

    /// <summary>The status that an exception of a stream would have had.</summary>
    private static int StatusOf(string type, string reason)
    {
        string name = type.EndsWith("Exception", StringComparison.OrdinalIgnoreCase) ? type[..^"Exception".Length] : type;
        return name.ToLowerInvariant() switch
        {
            "throttling" or "throttled" or "toomanyrequests" => 429,
            "validation" or "badrequest" or "serialization" or "invalidstateevent" or "contentlengthexceeded" => 400,
            "accessdenied" or "expiredtoken" => 403,
            "unauthorized" or "unrecognizedclient" => 401,
            "servicequotaexceeded" => 402,
            "resourcenotfound" => 404,
            "conflict" => 409,
            "serviceunavailable" => 503,
            "modeltimeout" or "requesttimeout" => 504,
            _ when KiroFault.Of(0, "", reason, "") is { Kind: ErrorKind.Quota or ErrorKind.Overloaded } fault => fault.Kind == ErrorKind.Quota ? 402 : 500,
            _ => 500,
        };
    }

    /// <summary>This service's own tokens and keys.</summary>
    private static string Hide(string text) => Tokens().Replace(text, "[redacted]");

    [GeneratedRegex(@"\b(?:aoa|aor)[A-Za-z0-9+/=_:.\-]{8,}|\bksk_[A-Za-z0-9_\-]{4,}", RegexOptions.CultureInvariant)]
    private static partial Regex Tokens();
}
