using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Which tokens and codes are out, and which of them still work. Thread-safe.</summary>
public sealed class FakeProviderLedger
{
    private readonly Lock _gate = new();
    private readonly List<FakeProviderGrant> _grants = [];
    private readonly Dictionary<string, FakeProviderCode> _codes = [];
    private readonly Dictionary<string, (FakeProviderGrant Grant, DateTimeOffset Expires)> _access = [];
    private readonly Dictionary<string, FakeProviderGrant> _used = [];
    private int _serial;

    public IReadOnlyList<FakeProviderGrant> Grants
    {
        get
        {
            lock (_gate) return [.. _grants];
        }
    }

    /// <param name="lifetime">Of the access token; negative: born expired.</param>
    public FakeProviderGrant Issue(FakeProviderGrant grant, TimeSpan lifetime)
    {
        lock (_gate)
        {
            _grants.Add(grant);
            grant.RefreshToken = NewRefreshToken(grant.Type);
            Renew(grant, lifetime);
            return grant;
        }
    }

    /// <summary>null: this refresh token does not work; <paramref name="why"/> is <c>reused</c>, <c>revoked</c> or <c>unknown</c>.</summary>
    public FakeProviderGrant? Refresh(string type, string? refreshToken, bool rotates, TimeSpan lifetime, out string why)
    {
        lock (_gate)
        {
            why = "unknown";
            if (refreshToken is null) return null;
            if (_used.TryGetValue(refreshToken, out var former))
            {
                why = former.IsRevoked ? "revoked" : "reused";
                return null;
            }
            var grant = _grants.FirstOrDefault(one => one.Type == type && one.RefreshToken == refreshToken);
            if (grant is null) return null;
            why = "revoked";
            if (grant.IsRevoked) return null;
            why = "";
            if (rotates)
            {
                _used[refreshToken] = grant;
                grant.RefreshToken = NewRefreshToken(type);
            }
            grant.Refreshes++;
            Renew(grant, lifetime);
            return grant;
        }
    }

    public FakeProviderGrant? ByRefreshToken(string? refreshToken)
    {
        lock (_gate) return _grants.FirstOrDefault(grant => grant.RefreshToken == refreshToken) ?? (refreshToken is null ? null : _used.GetValueOrDefault(refreshToken));
    }

    /// <summary>Issued here, not expired, not revoked.</summary>
    public FakeProviderGrant? ByAccessToken(string? accessToken)
    {
        lock (_gate)
        {
            if (accessToken is null || !_access.TryGetValue(accessToken, out var known)) return null;
            return known.Expires > DateTimeOffset.UtcNow && !known.Grant.IsRevoked ? known.Grant : null;
        }
    }

    /// <summary>From now on every access token that is out is refused; refresh tokens work on.</summary>
    public void ExpireAccessTokens()
    {
        lock (_gate) _access.Clear();
    }

    public string AddCode(FakeProviderCode code)
    {
        lock (_gate)
        {
            var text = $"fake-code-{++_serial}";
            _codes.Add(text, code);
            return text;
        }
    }

    /// <summary>A code works once.</summary>
    public FakeProviderCode? TakeCode(string? code)
    {
        lock (_gate) return code is not null && _codes.Remove(code, out var found) ? found : null;
    }

    public int NextSerial() => Interlocked.Increment(ref _serial);

    /// <summary>A JWT that nobody can take for a real one.</summary>
    public static string Jwt(string payload) =>
        Base64Url("""{"alg":"none","typ":"JWT"}""") + "." + Base64Url(payload) + ".FAKE";

    private void Renew(FakeProviderGrant grant, TimeSpan lifetime)
    {
        grant.ExpiresAt = DateTimeOffset.UtcNow + lifetime;
        var serial = NextSerial();
        grant.AccessToken = grant.Type switch
        {
            "codex" => Jwt(CodexClaims(grant, serial)),
            "claudecode" => $"sk-ant-oat01-fake-{serial}",
            "kiro" => $"aoaFAKE-{serial}",
            _ => $"ya29.fake-{serial}",
        };
        grant.IdToken = Jwt(grant.Type == "codex" ? CodexClaims(grant, serial) : $$"""{"email":{{JsonLook.Quote(grant.Account.Email)}},"n":{{serial}}}""");
        _access[grant.AccessToken] = (grant, grant.ExpiresAt);
    }

    private static string CodexClaims(FakeProviderGrant grant, int serial) =>
        $$"""
        {"email":{{JsonLook.Quote(grant.Account.Email)}},"exp":{{grant.ExpiresAt.ToUnixTimeSeconds()}},"n":{{serial}},"https://api.openai.com/auth":{"chatgpt_account_id":{{JsonLook.Quote(grant.Account.AccountId)}},"chatgpt_plan_type":{{JsonLook.Quote(grant.Account.Plan)}} } }
        """;

    private string NewRefreshToken(string type)
    {
        var serial = NextSerial();
        return type switch
        {
            "codex" => $"rt_FAKE-{serial}",
            "claudecode" => $"sk-ant-ort01-fake-{serial}",
            // Real ones are long, and short ones are taken for truncated copies.
            "kiro" => $"aorFAKE-{serial}-".PadRight(120, 'x'),
            _ => $"1//fake-{serial}",
        };
    }

    private static string Base64Url(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
