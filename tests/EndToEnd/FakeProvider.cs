namespace Aiproxy.Tests.EndToEnd;

/// <summary>The sign-in side of all five OAuth types on one loopback port: authorize, device, token and account calls, as strict as the providers are.</summary>
/// <remarks>Each type has its folder: <c>{Url}/codex/oauth/token</c>. Calls that are no sign-in business (generation) go to <see cref="Api"/>.
/// A model upstream of a test's own can ask <see cref="Accepts"/>, or hand requests on through <see cref="TryAnswer"/>.</remarks>
public sealed class FakeProvider : IAsyncDisposable
{
    public static readonly IReadOnlyList<string> Types = ["codex", "claudecode", "geminicli", "antigravity", "kiro"];

    private readonly FakeUpstream _server;
    private readonly Lock _gate = new();
    private readonly List<RecordedRequest> _requests = [];
    private readonly Dictionary<string, Func<FakeProviderCall, FakeAnswer?>> _types;
    private readonly Queue<(string? Type, Func<Func<FakeAnswer>, FakeAnswer> Play)> _tokenFaults = [];

    private FakeProvider()
    {
        _server = new FakeUpstream(request => Answer(request));
        _server.ListAnswer = FakeAnswer.Script(stream => Answer(stream.Request).PlayAsync(stream));
        _types = new()
        {
            ["codex"] = new FakeProviderCodex(this).Answer,
            ["claudecode"] = new FakeProviderClaude(this).Answer,
            ["geminicli"] = new FakeProviderGoogle(this, "geminicli").Answer,
            ["antigravity"] = new FakeProviderGoogle(this, "antigravity").Answer,
            ["kiro"] = new FakeProviderKiro(this).Answer,
        };
    }

    public static FakeProvider Start() => new();

    /// <summary>Without a slash at its end.</summary>
    public string Url => _server.Url;

    public FakeProviderLedger Ledger { get; } = new();

    /// <summary>Who signs in next.</summary>
    public FakeProviderAccount Account { get; set; } = new("fake@example.com", "00000000-0000-0000-0000-000000000001");

    /// <summary>Of access tokens from now on.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The user refuses on the provider's page.</summary>
    public bool Denies { get; set; }

    public FakeProviderDevice Device { get; set; } = new();

    public FakeProviderProject Project { get; set; } = new();

    /// <summary>kiro: profiles by region; a region that is not named has none.</summary>
    public IReadOnlyList<string> Profiles { get; set; } = ["arn:aws:codewhisperer:us-east-1:000000000000:profile/FAKE"];

    /// <summary>Whether a refresh kills the refresh token that was used; by type.</summary>
    public HashSet<string> Rotating { get; } = ["codex", "claudecode", "kiro"];

    /// <summary>Gets what is no sign-in business.</summary>
    public Func<RecordedRequest, FakeAnswer> Api { get; set; } = _ => FakeAnswer.Json(404, """{"error":"no such path"}""");

    /// <summary>Every call, in the order of arrival.</summary>
    public IReadOnlyList<RecordedRequest> Requests
    {
        get
        {
            lock (_gate) return [.. _requests];
        }
    }

    /// <summary>Refreshes that succeeded, all types together.</summary>
    public int Refreshes => Ledger.Grants.Sum(grant => grant.Refreshes);

    /// <summary>Calls of token endpoints, whatever they asked for and whatever came of it.</summary>
    public int TokenCalls => Requests.Count(IsTokenCall);

    /// <summary>Errors of the fake itself.</summary>
    public IReadOnlyList<string> Faults => _server.Faults;

    /// <summary>Issued here, not expired, not revoked.</summary>
    public bool Accepts(string? accessToken) => Ledger.ByAccessToken(accessToken) is not null;

    /// <summary>As <see cref="Accepts(string)"/>, of the request's <c>Authorization: Bearer</c>.</summary>
    public bool Accepts(RecordedRequest request) => Accepts(new FakeProviderCall(request).Bearer);

    /// <summary>Value of <c>login --issuer</c>.</summary>
    public string Issuer(string type) => $"{Url}/{type}";

    /// <summary>Value of <c>base_url</c>.</summary>
    public string BaseUrl(string type) => type == "codex" ? $"{Url}/codex/backend-api/codex" : $"{Url}/{type}";

    /// <summary>Value of <c>oauth.token_url</c>.</summary>
    /// <param name="method">kiro: how the sign-in was made.</param>
    public string TokenUrl(string type, string method = "social") => Issuer(type) + type switch
    {
        "codex" => "/oauth/token",
        "claudecode" => "/v1/oauth/token",
        "kiro" => method switch { "social" => "/refreshToken", "external_idp" => "/external/token", _ => "/token" },
        _ => "/token",
    };

    /// <summary>A client id of the fake's own, so that one that was built in is seen.</summary>
    public static string ClientId(string type) => $"fake-client-{type}";

    /// <summary>null: a public client.</summary>
    public static string? ClientSecret(string type) => type is "geminicli" or "antigravity" ? "FAKE-client-secret" : null;

    /// <summary>The <c>oauth:</c> line of an upstream of this type.</summary>
    public string OAuthYaml(string type, string method = "social", string more = "")
    {
        var secret = ClientSecret(type) is { } given ? $", client_secret: {given}" : "";
        return $"oauth: {{token_url: {TokenUrl(type, method)}, client_id: {ClientId(type)}{secret}{(more.Length > 0 ? ", " + more : "")}}}";
    }

    /// <summary>Issues a sign-in and writes its auth file, mode 0600.</summary>
    /// <param name="expiresIn">Of the access token; negative: already expired; null: <see cref="Lifetime"/>.</param>
    /// <param name="method">kiro: how the sign-in was made; <c>social</c>, <c>builder-id</c>, <c>idc</c> or <c>external_idp</c>.</param>
    public FakeSignIn WriteAuthFile(
        string type, string folder, FakeProviderLayout layout = FakeProviderLayout.CliProxy, TimeSpan? expiresIn = null, string method = "social", string? name = null, FakeProviderAccount? account = null)
    {
        var grant = Issue(type, expiresIn, method, account);
        var path = Path.Combine(folder, name ?? $"{type}-{layout}-{Ledger.NextSerial()}.json".ToLowerInvariant());
        FakeProviderFile.Write(path, grant, layout, this);
        return new FakeSignIn(path, grant);
    }

    /// <summary>Writes the file of a sign-in anew with its newest tokens, as another program would do that refreshed it.</summary>
    public void Rewrite(FakeSignIn signIn, FakeProviderLayout layout) => FakeProviderFile.Write(signIn.Path, signIn.Grant, layout, this);

    /// <summary>A sign-in without a file.</summary>
    public FakeProviderGrant Issue(string type, TimeSpan? expiresIn = null, string method = "social", FakeProviderAccount? account = null) =>
        Ledger.Issue(
            new FakeProviderGrant
            {
                Type = type,
                Method = type == "kiro" ? method : "",
                Account = account ?? Account,
                ClientId = ClientId(type),
                ClientSecret = ClientSecret(type) ?? (type == "kiro" && method is "idc" or "builder-id" ? "FAKE-registered-secret" : null),
            },
            expiresIn ?? Lifetime);

    /// <summary>Another program refreshes first: the sign-in's refresh token is used up.</summary>
    public void RefreshElsewhere(FakeProviderGrant grant) => Ledger.Refresh(grant.Type, grant.RefreshToken, Rotating.Contains(grant.Type), Lifetime, out _);

    /// <summary>The next calls of a token endpoint get this answer and change nothing.</summary>
    /// <param name="type">null: of any type.</param>
    public void FailTokens(int count, FakeAnswer answer, string? type = null) => AddFault(count, type, _ => answer);

    /// <summary>The next calls of a token endpoint take effect, and the connection breaks instead of the answer.</summary>
    public void LoseTokens(int count, string? type = null) => AddFault(count, type, real =>
    {
        real();
        return FakeAnswer.ResetAtOnce();
    });

    /// <summary>The next calls of a token endpoint take effect and are answered once the test says so.</summary>
    public void HoldTokens(int count, Task gate, string? type = null) => AddFault(count, type, real => FakeAnswer.Script(async stream =>
    {
        await stream.GateAsync(gate);
        await real().PlayAsync(stream);
    }));

    /// <summary>429 as a token endpoint tells it.</summary>
    public static FakeAnswer TooMany(string? retryAfter = null) =>
        FakeAnswer.Json(429, """{"error":{"type":"rate_limit_error","message":"Rate limited."}}""", retryAfter is null ? [] : [("Retry-After", retryAfter)]);

    /// <summary>A gateway's page instead of JSON.</summary>
    public static FakeAnswer Html(int status) => FakeAnswer.Whole(status, "text/html", "<html><title>Just a moment</title></html>"u8.ToArray());

    /// <summary>The answer to a provider's own call; null where the path is none of them.</summary>
    public FakeAnswer? TryAnswer(RecordedRequest request)
    {
        var call = new FakeProviderCall(request);
        if (!_types.TryGetValue(call.Type, out var answer)) return null;
        if (IsTokenCall(request) && TakeFault(call.Type) is { } fault) return fault(() => answer(call) ?? Api(request));
        return answer(call);
    }

    /// <summary>What the browser of a user does who agrees (or not): opens the authorize URL. Returns where it is sent; fails where the provider refuses the URL.</summary>
    public static async Task<Uri> ConsentAsync(string authorizeUrl)
    {
        using var browser = Browser();
        using var answer = await browser.GetAsync(authorizeUrl);
        Assert.True((int)answer.StatusCode == 302, $"{(int)answer.StatusCode} for {authorizeUrl}: {await answer.Content.ReadAsStringAsync()}");
        return answer.Headers.Location!;
    }

    /// <summary>As <see cref="ConsentAsync"/>, and on to the page it is sent to. Returns that page's status and text.</summary>
    public static async Task<(int Status, string Text)> ConsentAndReturnAsync(string authorizeUrl) => await VisitAsync(await ConsentAsync(authorizeUrl));

    public static async Task<(int Status, string Text)> VisitAsync(Uri url)
    {
        using var browser = Browser();
        using var page = await browser.GetAsync(url);
        return ((int)page.StatusCode, await page.Content.ReadAsStringAsync());
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private FakeAnswer Answer(RecordedRequest request)
    {
        lock (_gate) _requests.Add(request);
        return TryAnswer(request) ?? Api(request);
    }

    private static HttpClient Browser() =>
        new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(20) };

    private static bool IsTokenCall(RecordedRequest request) =>
        request.Method == "POST" && request.Target is var target && (target.EndsWith("/token", StringComparison.Ordinal) && !target.Contains("/deviceauth/", StringComparison.Ordinal)
            || target.EndsWith("/refreshToken", StringComparison.Ordinal));

    private void AddFault(int count, string? type, Func<Func<FakeAnswer>, FakeAnswer> play)
    {
        lock (_gate)
        {
            for (var i = 0; i < count; i++) _tokenFaults.Enqueue((type, play));
        }
    }

    private Func<Func<FakeAnswer>, FakeAnswer>? TakeFault(string type)
    {
        lock (_gate)
        {
            if (!_tokenFaults.TryPeek(out var next) || (next.Type is { } wanted && wanted != type)) return null;
            return _tokenFaults.Dequeue().Play;
        }
    }
}
