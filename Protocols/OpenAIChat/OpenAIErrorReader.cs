using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Reads what OpenAI-like servers answer when they fail: the envelope, its array-wrapped and bare forms, HTML pages, nothing at all.</summary>
public static partial class OpenAIErrorReader
{
    /// <summary>An error answer. Never throws.</summary>
    public static ProxyError Read(int status, ReadOnlySpan<byte> body)
    {
        Said said = default;
        try
        {
            said = ReadBody(body);
        }
        catch (JsonException)
        {
            // No JSON: the first characters of the page are all there is to tell.
        }
        string message = said.Message is { Length: > 0 } told ? told : ErrorText.OfBody(status, body);
        return Build(status, said, message);
    }

    /// <summary>An error told inside a stream or a 200: no status tells its kind.</summary>
    /// <param name="error">The value of the <c>error</c> member, or an object that has its members.</param>
    public static ProxyError ReadInStream(ReadOnlySpan<byte> error)
    {
        Said said;
        try
        {
            said = ReadError(error);
        }
        catch (JsonException)
        {
            said = default;
        }
        int status = said.Number is >= 400 and <= 599 ? (int)said.Number : 0;
        ProxyError read = Build(status, said, said.Message is { Length: > 0 } message ? message : "the upstream told an error without a message");
        return read with { UpstreamStatus = status == 0 ? null : status };
    }

    private struct Said
    {
        public string? Message, Type, Code, Param;
        public long? Number;
        public double? ResetSeconds;
    }

    private static Said ReadBody(ReadOnlySpan<byte> body)
    {
        body = body.Trim(" \t\r\n"u8);
        if (JsonSlice.IsArray(body))
        {
            var elements = JsonSlice.NewElements(body);
            if (!elements.Next()) return default;
            body = elements.Value;
        }
        ReadOnlySpan<byte> error = default;
        var members = JsonSlice.NewMembers(body);
        while (members.Next())
        {
            if (members.Is("error"u8)) error = members.Value;
        }
        return JsonSlice.IsObject(error) || JsonSlice.IsString(error) ? ReadError(error) : ReadError(body);
    }

    private static Said ReadError(ReadOnlySpan<byte> error)
    {
        var said = new Said();
        if (JsonSlice.IsString(error))
        {
            said.Message = RawJson.Decode(error);
            return said;
        }
        ReadOnlySpan<byte> detail = default;
        var members = JsonSlice.NewMembers(error);
        while (members.Next())
        {
            if (members.Is("message"u8)) said.Message = JsonSlice.Text(members.Value);
            else if (members.Is("type"u8)) said.Type = JsonSlice.Text(members.Value);
            else if (members.Is("param"u8)) said.Param = JsonSlice.Text(members.Value);
            else if (members.Is("detail"u8)) detail = members.Value;
            else if (members.Is("resets_in_seconds"u8)) said.ResetSeconds = JsonSlice.Long(members.Value);
            else if (members.Is("code"u8) || members.Is("status"u8))
            {
                said.Number ??= JsonSlice.Long(members.Value);
                said.Code ??= JsonSlice.Text(members.Value);
            }
        }
        said.Message ??= JsonSlice.Text(detail) ?? (detail.IsEmpty ? null : Encoding.UTF8.GetString(detail));
        return said;
    }

    private static ProxyError Build(int status, Said said, string message)
    {
        ErrorKind kind = Classify(status, said.Type ?? "", said.Code ?? "", message);
        if (kind == ErrorKind.ContextTooLong) message = AnswerTooLong(message) ?? message;
        TimeSpan? wait = said.ResetSeconds is { } seconds and >= 0 and < 1e8 ? TimeSpan.FromSeconds(seconds) : WaitIn(message, kind);
        return new ProxyError(kind, Cut(ErrorText.Redact(message), 2000))
        {
            Code = said.Code is { Length: > 0 and < 128 } code ? ErrorText.Redact(code) : null,
            Param = said.Param is { Length: < 512 } param ? param : null,
            RetryAfter = wait,
            ShouldRetry = kind is ErrorKind.Quota or ErrorKind.UpstreamAuth ? false : null,
            UpstreamStatus = status == 0 ? null : status,
        };
    }

    private static ErrorKind Classify(int status, string type, string code, string message)
    {
        ErrorKind? byCode = ByCode(code) ?? ByCode(type);
        if (byCode is ErrorKind.ContextTooLong or ErrorKind.ContentPolicy or ErrorKind.Quota) return byCode.Value;
        if (status is 400 or 413 or 422 or 0 && IsContextOverflow(message)) return ErrorKind.ContextTooLong;
        return status switch
        {
            0 => byCode ?? ErrorKind.ServerError,
            403 when byCode == ErrorKind.RateLimit => ErrorKind.RateLimit,
            < 400 => byCode ?? ErrorKind.BadGateway,
            _ => ErrorText.KindOf(status),
        };
    }

    private static ErrorKind? ByCode(string word) => word.ToLowerInvariant() switch
    {
        "context_length_exceeded" or "context_window_exceeded" or "string_above_max_length_tokens" => ErrorKind.ContextTooLong,
        "content_policy_violation" or "content_filter" or "bio_policy" or "misalignment_policy_violation" or "data_inspection_failed" => ErrorKind.ContentPolicy,
        "insufficient_quota" or "billing_not_active" or "billing_hard_limit_reached" or "billing_error" or "usage_limit_reached"
            // Kimi, Qwen, GLM.
            or "exceeded_current_quota_error" or "arrearage" or "1113" => ErrorKind.Quota,
        "rate_limit_exceeded" or "rate_limit_error" or "requests" or "tokens" or "too_many_requests" or "resource_exhausted" => ErrorKind.RateLimit,
        "invalid_api_key" or "authentication_error" or "unauthenticated" or "permission_error" or "permission_denied" => ErrorKind.UpstreamAuth,
        "model_not_found" or "not_found" or "not_found_error" => ErrorKind.NotFound,
        "overloaded" or "overloaded_error" or "server_is_overloaded" or "slow_down" or "unavailable" or "service_unavailable_error" => ErrorKind.Overloaded,
        "timeout" or "timeout_error" or "deadline_exceeded" => ErrorKind.Timeout,
        "invalid_request_error" or "invalid_prompt" or "invalid_argument" or "invalid_value" or "bad_request" or "badrequesterror"
            or "unknown_parameter" or "unsupported_parameter" or "invalid_encrypted_content" => ErrorKind.InvalidRequest,
        "server_error" or "internal_error" or "internal_server_error" or "internal" or "api_error" => ErrorKind.ServerError,
        _ => null,
    };

    /// <summary>Besides the wordings that all providers share those of the servers that only resemble OpenAI.</summary>
    private static bool IsContextOverflow(string message) => ErrorText.IsContextTooLong(message) || ContextOverflow().IsMatch(message);

    private static TimeSpan? WaitIn(string message, ErrorKind kind)
    {
        if (kind is not (ErrorKind.RateLimit or ErrorKind.Overloaded) || TryAgain().Match(message) is not { Success: true } match) return null;
        bool isNumber = double.TryParse(match.Groups["n"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double amount);
        if (!isNumber || amount > 1e6) return null;
        return match.Groups["unit"].Value.ToLowerInvariant() switch
        {
            "ms" => TimeSpan.FromMilliseconds(amount),
            "m" or "min" => TimeSpan.FromMinutes(amount),
            "h" => TimeSpan.FromHours(amount),
            _ => TimeSpan.FromSeconds(amount),
        };
    }

    /// <summary>The prompt fits, but not with the answer that was asked for behind it: shorter history does not help, a smaller limit does. In the words by which an
    /// Anthropic client knows which limit would do; null: not so.</summary>
    private static string? AnswerTooLong(string message)
    {
        if (AskedTooMuch().Match(message) is not { Success: true } match) return null;
        long prompt = Number("prompt") + Number("tools"), answer = Number("answer"), limit = Number("limit");
        if (prompt >= limit || answer == 0) return null;
        return string.Create(CultureInfo.InvariantCulture, $"input length and `max_tokens` exceed context limit: {prompt} + {answer} > {limit}, decrease input length or `max_tokens` and try again");

        long Number(string group) =>
            long.TryParse(match.Groups[group].Value.Replace(",", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
    }

    private static string Cut(string text, int characters) => text.Length <= characters ? text : text[..characters];

    // llama.cpp, SGLang, Groq; xAI, Kimi, Copilot; GLM, vLLM, Ollama; Qwen.
    [GeneratedRegex(@"available context|too many (?:input )?tokens|longer than the model'?s context|reduce the length of (?:the|your) (?:messages|prompt|input)"
        + @"|maximum prompt length|exceeded model token limit|prompt token count .{0,40}exceeds|exceeds max length|maximum model length|max context length|range of input length should be",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ContextOverflow();

    // OpenAI, DeepSeek and vLLM; OpenRouter; newer vLLM; SGLang.
    [GeneratedRegex(@"maximum context length is (?<limit>[\d,]+) tokens.{1,80}?\((?<prompt>[\d,]+) in (?:the|your) (?:messages|prompt)[,;].{0,60}?(?<answer>[\d,]+) (?:in|for) the completion"
        + @"|maximum context length is (?<limit>[\d,]+) tokens.{1,80}?\((?<prompt>[\d,]+) of text input,(?: (?<tools>[\d,]+) of tool input,)? (?<answer>[\d,]+) in the output"
        + @"|is too large: (?<answer>[\d,]+)\.{1,3}\s?.{0,40}maximum context length is (?<limit>[\d,]+) tokens and your request has (?<prompt>[\d,]+) input tokens"
        + @"|maximum context length of (?<limit>[\d,]+) tokens.{1,80}?(?<prompt>[\d,]+) tokens from the input messages and (?<answer>[\d,]+) tokens for the completion",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AskedTooMuch();

    [GeneratedRegex(@"(?:try|retry) again (?:in|after) (?<n>\d+(?:\.\d+)?) ?(?<unit>ms|s|min|m|h)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TryAgain();
}
