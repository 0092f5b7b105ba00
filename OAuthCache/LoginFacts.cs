namespace Aiproxy.OAuthCache;

/// <summary>How a provider signs somebody in. What ages stands here, beside <see cref="ProviderFacts"/>, and nowhere else.</summary>
public sealed record LoginFacts
{
    private const string GoogleScope = "https://www.googleapis.com/auth/";

    public required ProviderFacts Provider { get; init; }

    /// <summary>Value of <c>type</c> in the auth file.</summary>
    public required string FileType { get; init; }

    /// <summary>What the user must know before signing in.</summary>
    public required string Terms { get; init; }

    public required LoginRedirect Redirect { get; init; }

    /// <summary>A page of the provider that shows the code for copying; null: it has none, and the address of a page that does not load is copied.</summary>
    public string? PasteRedirect { get; init; }

    /// <summary>null for kiro, where it goes by the kind of sign-in.</summary>
    public Uri? AuthorizeUrl { get; init; }

    public Uri? TokenUrl { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Of the authorize URL, beside what OAuth itself asks for.</summary>
    public IReadOnlyList<(string Name, string Value)> Parameters { get; init; } = [];

    /// <summary>Google types: whose account it is.</summary>
    public Uri? UserInfoUrl { get; init; }

    public LoginProjectFacts? Project { get; init; }

    public LoginCodexDeviceFacts? CodexDevice { get; init; }

    public LoginKiroFacts? Kiro { get; init; }

    /// <summary>Signs in with a code that is typed on another device.</summary>
    public bool HasDevice => CodexDevice is not null || Kiro is not null;

    public static LoginFacts? Of(string type) => All.FirstOrDefault(facts => facts.Provider.Type == type);

    public static IReadOnlyList<LoginFacts> All { get; } =
    [
        new()
        {
            Provider = ProviderFacts.Codex,
            FileType = "codex",
            Terms = "This back end is OpenAI's own for Codex; no licence for other programs to call it is published. The account holder carries the risk; "
                + "an API key (api_type responses) is the supported way.",
            Redirect = new LoginRedirect("localhost", "/auth/callback", [1455, 1457]),
            AuthorizeUrl = new Uri("https://auth.openai.com/oauth/authorize"),
            TokenUrl = ProviderFacts.Codex.TokenUrl,
            Scopes = ["openid", "profile", "email", "offline_access"],
            // Our own name: the provider takes any word here.
            Parameters = [("id_token_add_organizations", "true"), ("codex_cli_simplified_flow", "true"), ("originator", "aiproxy")],
            CodexDevice = new LoginCodexDeviceFacts(
                new Uri("https://auth.openai.com/api/accounts/deviceauth/usercode"),
                new Uri("https://auth.openai.com/api/accounts/deviceauth/token"),
                new Uri("https://auth.openai.com/codex/device"),
                new Uri("https://auth.openai.com/deviceauth/callback")),
        },
        new()
        {
            Provider = ProviderFacts.ClaudeCode,
            FileType = "claude",
            Terms = "Anthropic says that sign-ins of Free, Pro and Max accounts are meant only for Claude Code and its own apps; use in other products is not "
                + "permitted and may be enforced against the account. An API key (api_type anthropic) is the supported way.",
            Redirect = new LoginRedirect("localhost", "/callback", []),
            PasteRedirect = "https://platform.claude.com/oauth/code/callback",
            AuthorizeUrl = new Uri("https://claude.ai/oauth/authorize"),
            TokenUrl = ProviderFacts.ClaudeCode.TokenUrl,
            Scopes = ["user:profile", "user:inference"],
            Parameters = [("code", "true")],
        },
        new()
        {
            Provider = ProviderFacts.GeminiCli,
            FileType = "gemini",
            Terms = "Google says that reaching Code Assist from other software through the Gemini CLI's sign-in breaks its terms and can lead to suspension; since June 2026 it "
                + "serves Code Assist Standard and Enterprise licences only. A Gemini API key (api_type gemini) is the supported way.",
            Redirect = new LoginRedirect("127.0.0.1", "/oauth2callback", []),
            PasteRedirect = "https://codeassist.google.com/authcode",
            AuthorizeUrl = new Uri("https://accounts.google.com/o/oauth2/v2/auth"),
            TokenUrl = ProviderFacts.GeminiCli.TokenUrl,
            Scopes = [GoogleScope + "cloud-platform", GoogleScope + "userinfo.email", GoogleScope + "userinfo.profile"],
            // Without the prompt a second sign-in gets no refresh token.
            Parameters = [("access_type", "offline"), ("prompt", "consent")],
            UserInfoUrl = new Uri("https://www.googleapis.com/oauth2/v2/userinfo"),
            Project = new LoginProjectFacts(
                new Uri("https://cloudcode-pa.googleapis.com"), new Uri("https://cloudcode-pa.googleapis.com"),
                [("ideType", "IDE_UNSPECIFIED"), ("platform", "PLATFORM_UNSPECIFIED"), ("pluginType", "GEMINI")], "legacy-tier", PollsOperation: true, TimeSpan.FromSeconds(5), 24),
        },
        new()
        {
            Provider = ProviderFacts.Antigravity,
            FileType = "antigravity",
            Terms = "The Antigravity terms forbid third-party software that uses its sign-in, and accounts have been suspended. A Gemini API key (api_type gemini) is the supported way.",
            Redirect = new LoginRedirect("localhost", "/oauth-callback", [51121]),
            AuthorizeUrl = new Uri("https://accounts.google.com/o/oauth2/v2/auth"),
            TokenUrl = ProviderFacts.Antigravity.TokenUrl,
            Scopes =
            [
                GoogleScope + "cloud-platform", GoogleScope + "userinfo.email", GoogleScope + "userinfo.profile", GoogleScope + "cclog", GoogleScope + "experimentsandconfigs",
            ],
            Parameters = [("access_type", "offline"), ("prompt", "consent")],
            UserInfoUrl = new Uri("https://www.googleapis.com/oauth2/v2/userinfo?alt=json"),
            Project = new LoginProjectFacts(
                new Uri("https://cloudcode-pa.googleapis.com"), new Uri("https://daily-cloudcode-pa.googleapis.com"),
                [("ideType", "ANTIGRAVITY")], "free-tier", PollsOperation: false, TimeSpan.FromSeconds(2), 5),
        },
        new()
        {
            Provider = ProviderFacts.Kiro,
            FileType = "kiro",
            Terms = "No published AWS text allows third-party programs on this sign-in, and accounts have been locked for unusual activity. Kiro's own API keys (ksk_...) are the safer way.",
            Redirect = new LoginRedirect("localhost", "/oauth/callback", [49153, 9876, 3128]),
            Kiro = new LoginKiroFacts(
                "https://oidc.{region}.amazonaws.com", "https://q.{region}.amazonaws.com", "https://prod.us-east-1.auth.desktop.kiro.dev",
                "https://view.awsapps.com/start", "us-east-1", ["us-east-1", "eu-central-1"],
                ["codewhisperer:completions", "codewhisperer:analysis", "codewhisperer:conversations", "codewhisperer:transformations", "codewhisperer:taskassist"],
                new LoginRedirect("127.0.0.1", "/oauth/callback", [])),
        },
    ];

    /// <summary>All of a provider's addresses moved below one, their paths kept: for tests and mirrors.</summary>
    public LoginFacts At(Uri issuer) => this with
    {
        AuthorizeUrl = Moved(AuthorizeUrl, issuer),
        TokenUrl = Moved(TokenUrl, issuer),
        UserInfoUrl = Moved(UserInfoUrl, issuer),
        Project = Project is null ? null : Project with { LoadHost = issuer, OnboardHost = issuer },
        CodexDevice = CodexDevice is not { } device ? null : new LoginCodexDeviceFacts(
            Moved(device.CodeUrl, issuer)!, Moved(device.TokenUrl, issuer)!, Moved(device.Page, issuer)!, Moved(device.Redirect, issuer)!),
        Kiro = Kiro is null ? null : Kiro with { Oidc = Base(issuer), Api = Base(issuer), Social = Base(issuer) },
    };

    /// <summary>The account calls at another host, as <c>base_url</c> of an upstream says it.</summary>
    public LoginFacts WithApiAt(Uri baseUrl) => this with
    {
        Project = Project is null ? null : Project with { LoadHost = baseUrl, OnboardHost = baseUrl },
        Kiro = Kiro is null ? null : Kiro with { Api = Base(baseUrl) },
    };

    /// <summary>The page on which the user agrees.</summary>
    public Uri Authorize(string clientId, string redirectUri, string state, Pkce pkce) => LoginQuery.Add(
        AuthorizeUrl!,
        [
            ("response_type", "code"), ("client_id", clientId), ("redirect_uri", redirectUri), ("scope", string.Join(' ', Scopes)),
            ("code_challenge", pkce.Challenge), ("code_challenge_method", "S256"), ("state", state), .. Parameters,
        ]);

    private static Uri? Moved(Uri? url, Uri issuer) => url is null ? null : new Uri(Base(issuer) + url.PathAndQuery);

    private static string Base(Uri url) => url.AbsoluteUri.TrimEnd('/');
}

/// <summary>Google's projects.</summary>
/// <param name="Metadata">What both calls say of who asks.</param>
/// <param name="UsualTier">Where the provider names no default.</param>
/// <param name="PollsOperation">An onboarding that is not done is asked for by its name; else the call is made again.</param>
/// <param name="Interval">Between polls.</param>
public sealed record LoginProjectFacts(
    Uri LoadHost, Uri OnboardHost, IReadOnlyList<(string Name, string Value)> Metadata, string UsualTier, bool PollsOperation, TimeSpan Interval, int MostPolls);

/// <summary>OpenAI's own kind of device sign-in.</summary>
/// <param name="Page">Where the user types the code.</param>
/// <param name="Redirect">Told in the exchange; nobody is sent there.</param>
public sealed record LoginCodexDeviceFacts(Uri CodeUrl, Uri TokenUrl, Uri Page, Uri Redirect);

/// <summary>kiro's addresses, without a slash at their ends; <c>{region}</c> stands for a region.</summary>
/// <param name="Api">Whose accounts have what profiles.</param>
/// <param name="BuilderIdStart">Start URL that means an AWS builder ID.</param>
/// <param name="ProfileRegions">Where profiles of an organisation may lie.</param>
/// <param name="OidcRedirect">Of a browser sign-in that is not a social one.</param>
public sealed record LoginKiroFacts(
    string Oidc, string Api, string Social, string BuilderIdStart, string UsualRegion, IReadOnlyList<string> ProfileRegions, IReadOnlyList<string> Scopes, LoginRedirect OidcRedirect)
{
    public Uri OidcUrl(string region, string path) => new(Oidc.Replace("{region}", region, StringComparison.Ordinal) + path);

    public Uri ApiUrl(string region, string path) => new(Api.Replace("{region}", region, StringComparison.Ordinal) + path);

    public Uri SocialUrl(string path) => new(Social + path);
}
