using Aiproxy.Config;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Turns what an upstream answered, or failed to, into an <see cref="Outcome"/>.</summary>
public static class Judgement
{
    /// <summary>An error answer. The configured rules go before everything built in.</summary>
    /// <param name="status">HTTP status; 2xx where the error was told inside the answer, which is then judged by the error's kind.</param>
    /// <param name="error">What the upstream's protocol read from the body.</param>
    /// <param name="headers">Response headers; a repeated name is a repeated pair.</param>
    /// <param name="model">The upstream's name of the model that was asked for; a limit that names it leaves the credential's other models alone.</param>
    /// <param name="ofProvider">The provider's own judgement, asked after the configured rules with the status as told; null, or null from it: the built-in one holds.</param>
    public static Outcome OfAnswer(
        int status, ProxyError error, IEnumerable<KeyValuePair<string, string>> headers, ReadOnlySpan<byte> body, IReadOnlyList<ErrorRule> rules, TimeProvider clock,
        Func<int, ProxyError, Outcome?>? ofProvider = null, string model = "")
    {
        // Told inside a 200, some name the status that they would have had.
        int told = status is not (>= 200 and < 300) ? status : error.UpstreamStatus is { } named and >= 400 and < 600 ? named : StatusOf(error.Kind);
        error = error with { UpstreamStatus = error.UpstreamStatus ?? told };
        DateTimeOffset now = clock.GetUtcNow();
        // Told inside a 200, the time is in the error's words, or was read with it.
        DateTimeOffset? retryAt = RetryHint.Read(headers, body, now) ?? (told == status ? null : RetryHint.ReadWords(error.Message, now) ?? now + error.RetryAfter);
        if (ErrorRuleMatch.First(rules, status, told, headers, body) is { } rule) return ByRule(rule, error, retryAt, now);
        if (ofProvider?.Invoke(told, error) is { } judged) return judged;

        FailureSigns signs = FailureSigns.Read(told, error, body);
        Scope limited = told == 429 && retryAt is not null && FailureSigns.NamesModel(error.Message, body, model) ? Scope.CredentialModel : Scope.Credential;
        return told switch
        {
            >= 300 and < 400 => OfRedirect(told),
            _ when signs.IsQuota => Limited(error with { Kind = ErrorKind.Quota, ShouldRetry = false }, limited, retryAt, now),
            _ when signs.IsCredential => CredentialRefused(error),
            _ when signs.IsUnknownModel => Failed(error with { Kind = ErrorKind.NotFound }),
            429 => Limited(error, signs.IsCapacity ? Scope.Model : limited, retryAt, now),
            503 when retryAt is not null => Limited(error, Scope.Model, retryAt, now),
            408 => Failed(error),
            >= 400 and < 500 => Refused(error),
            _ => Failed(error),
        };
    }

    /// <summary>No connection, or TLS could not be agreed on.</summary>
    public static Outcome OfConnectFailure() => Failed(new ProxyError(ErrorKind.BadGateway, "no connection to the upstream"));

    public static Outcome OfTimeout(TimeoutPhase phase) => phase switch
    {
        // Nobody answered at all: the same fact as a refused connection, only learned later.
        TimeoutPhase.Connect => Failed(new ProxyError(ErrorKind.BadGateway, "no connection to the upstream within connect_timeout")),
        TimeoutPhase.Headers => Failed(new ProxyError(ErrorKind.Timeout, "the upstream did not begin to answer in time")),
        TimeoutPhase.FirstOutput => Failed(new ProxyError(ErrorKind.Timeout, "the upstream began an answer but put out nothing in time")),
        _ => Failed(new ProxyError(ErrorKind.Timeout, "the upstream fell silent in the middle of its answer")),
    };

    /// <summary>The connection broke, or the bytes are none of the upstream's protocol.</summary>
    public static Outcome OfBrokenStream() => Failed(Unusable("the upstream's answer broke off"));

    /// <summary>A success status with neither output nor a proper end.</summary>
    public static Outcome OfEmptyAnswer() => Failed(Unusable("the upstream's answer was empty"));

    /// <summary>Redirects are not followed: they would carry the credential elsewhere.</summary>
    public static Outcome OfRedirect(int status) =>
        Failed(new ProxyError(ErrorKind.BadGateway, $"the upstream answered with a redirect (HTTP {status}), which is not followed") { UpstreamStatus = status });

    private static Outcome ByRule(ErrorRule rule, ProxyError error, DateTimeOffset? retryAt, DateTimeOffset now) => rule.Action switch
    {
        ErrorAction.Next => Failed(error) with { Rule = ErrorAction.Next },
        ErrorAction.Ignore => Failed(error) with { Rule = ErrorAction.Ignore, Counts = false },
        ErrorAction.Fail => Refused(error) with { Rule = ErrorAction.Fail, CountsIfAnotherAccepts = false },
        _ => Limited(error, Scope.Credential, rule.RestFor is { } time ? now + time : retryAt, now) with { Rule = ErrorAction.Rest, Counts = false },
    };

    /// <summary>The upstream's fault with this model.</summary>
    public static Outcome Failed(ProxyError error) => new() { Kind = OutcomeKind.Failed, Scope = Scope.Model, Error = error, Counts = true };

    /// <summary>Less is wanted; counted only where no usable time was named.</summary>
    public static Outcome Limited(ProxyError error, Scope scope, DateTimeOffset? retryAt, DateTimeOffset now) => new()
    {
        Kind = OutcomeKind.Limited,
        Scope = scope,
        Error = error with { RetryAfter = retryAt - now ?? error.RetryAfter },
        RetryAt = retryAt,
        Counts = retryAt is null,
    };

    /// <summary>The credential is not accepted.</summary>
    public static Outcome CredentialRefused(ProxyError error) => new()
    {
        Kind = OutcomeKind.CredentialRefused,
        Scope = Scope.Credential,
        Error = error with { Kind = ErrorKind.UpstreamAuth, ShouldRetry = false },
        Counts = true,
    };

    /// <summary>A prompt that is too long or not wanted is refused rightly, whoever else takes it; any other refusal is doubtful once another accepts.</summary>
    public static Outcome Refused(ProxyError error) => new()
    {
        Kind = OutcomeKind.Refused,
        Scope = Scope.Request,
        Error = error,
        CountsIfAnotherAccepts = error.Kind is not (ErrorKind.ContextTooLong or ErrorKind.ContentPolicy),
    };

    private static ProxyError Unusable(string message) => new(ErrorKind.BadGateway, message) { UpstreamStatus = 200 };

    /// <summary>The HTTP status that an error told inside a 200 would have had.</summary>
    private static int StatusOf(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidRequest or ErrorKind.Unsupported or ErrorKind.ContextTooLong or ErrorKind.ContentPolicy => 400,
        ErrorKind.ClientAuth or ErrorKind.ClientAuthMissing or ErrorKind.UpstreamAuth => 401,
        ErrorKind.Quota => 402,
        ErrorKind.Permission => 403,
        ErrorKind.NotFound => 404,
        ErrorKind.MethodNotAllowed => 405,
        ErrorKind.Conflict => 409,
        ErrorKind.TooLarge => 413,
        ErrorKind.UnsupportedMedia => 415,
        ErrorKind.RateLimit => 429,
        ErrorKind.ServerError => 500,
        ErrorKind.Overloaded => 529,
        ErrorKind.Unavailable => 503,
        ErrorKind.Timeout => 504,
        _ => 502,
    };
}

/// <summary>What was waited for in vain.</summary>
public enum TimeoutPhase
{
    Connect,
    Headers,
    FirstOutput,

    /// <summary>The next bytes of an answer that has begun.</summary>
    Silence,
}
