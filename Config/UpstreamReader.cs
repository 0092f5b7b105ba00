namespace Aiproxy.Config;

/// <summary>The global values that an upstream takes over where it gives none.</summary>
/// <param name="Proxies">null: from the environment.</param>
public sealed record UpstreamDefaults(
    TimeSpan ConnectTimeout, TimeSpan Timeout, TimeSpan? FirstTokenTimeout, TimeSpan StreamIdleTimeout, IReadOnlyList<Secret>? Proxies);

/// <summary>Reads one entry of <c>upstreams</c>.</summary>
public static class UpstreamReader
{
    private const int LargestWeight = 1_000_000;

    private static readonly string[] Compressions = ["none", "identity", "gzip", "br", "zstd"];
    private static readonly string[] RefreshWays = ["ahead", "lazy"];

    /// <summary>Stands for an entry that is no mapping, so that the others keep their numbers.</summary>
    public static UpstreamConfig Placeholder { get; } = new()
    {
        Name = "",
        ApiType = "",
        BaseUrls = [],
        ConnectTimeout = TimeSpan.Zero,
        Timeout = TimeSpan.Zero,
        StreamIdleTimeout = TimeSpan.Zero,
    };

    /// <summary>Always a record, with defaults in place of what is wrong, so that the cross checks see the rest.</summary>
    public static UpstreamConfig Read(MapReader map, UpstreamDefaults defaults)
    {
        (string apiType, UpstreamTypeFact? type) = ReadType(map);
        IReadOnlyList<Secret> tokens = ReadTokens(map);
        bool isEnabled = map.Flag("enabled") ?? true;
        IReadOnlyList<string> authFiles = ReadAuthFiles(map, isEnabled ? type : null);
        var upstream = new UpstreamConfig
        {
            Name = ReadName(map),
            Enabled = isEnabled,
            ApiType = apiType,
            BaseUrls = ReadBaseUrls(map, type),
            Tokens = tokens,
            AuthFiles = authFiles,
            Weight = ReadWeight(map),
            Priority = map.Whole("priority", int.MinValue) ?? 0,
            ModelMappings = ModelNames.Mappings(map, "model_mappings"),
            AvailableModels = ModelNames.Available(map, "available_models"),
            HttpHeaders = HeadersReader.Read(map),
            RequestCompression = map.Choice("request_compression", Compressions) is { } way and not "identity" ? way : "none",
            MustStream = map.Flag("must_stream"),
            MaxConcurrent = map.Whole("max_concurrent", 1),
            SessionAffinity = map.Flag("session_affinity"),
            ErrorRules = ErrorRulesReader.Read(map),
            Quirks = QuirksReader.Read(map, type),
            AllowPrivate = map.Flag("allow_private") ?? true,
            ConnectTimeout = map.Duration("connect_timeout") ?? defaults.ConnectTimeout,
            Timeout = map.Duration("timeout") ?? defaults.Timeout,
            FirstTokenTimeout = map.Duration("first_token_timeout") ?? defaults.FirstTokenTimeout,
            StreamIdleTimeout = map.Duration("stream_idle_timeout") ?? defaults.StreamIdleTimeout,
            OutgoingProxies = OutgoingProxies.Read(map) ?? defaults.Proxies ?? [],
            UserAgent = ReadUserAgent(map),
            OAuth = ReadOAuth(map),
            Project = map.Line("project"),
            Region = map.Line("region"),
            ApiRegion = map.Line("api_region"),
            ProfileArn = map.Line("profile_arn"),
            SystemPrefix = map.Flag("system_prefix") ?? false,
            AuthWriteBack = map.Flag("auth_write_back") ?? true,
        };
        map.Finish(NotYet.Upstream);
        return upstream;
    }

    private static string ReadName(MapReader map)
    {
        int errors = map.Errors.ErrorCount;
        string? name = map.Line("name");
        if (name is null && map.Errors.ErrorCount == errors) map.Errors.Error(map.PathOf("name"), "required: what logs and answers call this upstream");
        return name ?? "";
    }

    private static (string ApiType, UpstreamTypeFact? Type) ReadType(MapReader map)
    {
        int errors = map.Errors.ErrorCount;
        UpstreamTypeFacts types = map.Context.Types;
        if (map.Text("api_type") is not { } found)
        {
            if (map.Errors.ErrorCount == errors) map.Errors.Error(map.PathOf("api_type"), $"required: {Words.Or(types.Names)}");
            return ("", null);
        }
        string name = found.Text.Trim();
        if (types.Find(name) is { } type) return (name, type);
        string? nearest = found.IsHidden ? null : NearestKey.Find(name, types.Names);
        string hint = nearest is null ? "" : $"; did you mean '{nearest}'?";
        map.Errors.Error(found.Path, $"expected {Words.Or(types.Names)}{Shown.Got(found)}{hint}");
        return (name, null);
    }

    private static IReadOnlyList<Uri> ReadBaseUrls(MapReader map, UpstreamTypeFact? type)
    {
        var urls = new List<Uri>();
        IReadOnlyList<FoundText> written = map.Texts("base_url");
        foreach (FoundText found in written)
        {
            Uri? url = UrlForms.BaseUrl(found.Text, out string? problem);
            if (url is null) map.Errors.Error(found.Path, problem!);
            else if (urls.Contains(url)) map.Errors.Warn(found.Path, "this entry means the same URL as an earlier one and is left out");
            else urls.Add(url);
        }
        if (type is { IsEmbedded: true })
        {
            if (written.Count > 0) map.Errors.Warn(map.PathOf("base_url"), $"api_type '{type.Name}' answers by itself; base_url has no effect");
            return [];
        }
        return urls.Count == 0 && type?.DefaultBaseUrl is { } usual ? [usual] : urls;
    }

    private static List<Secret> ReadTokens(MapReader map)
    {
        var tokens = new List<Secret>();
        foreach (FoundText found in map.Secrets("token"))
        {
            if (HeadersReader.CanBeSent(found.Text)) tokens.Add(new Secret(found.Text));
            else map.Errors.Error(found.Path, "the key holds characters that a header cannot carry; printable ASCII is legal");
        }
        return tokens;
    }

    /// <param name="liveType">null: unknown, or the upstream is out of the traffic; its files may then be missing.</param>
    private static List<string> ReadAuthFiles(MapReader map, UpstreamTypeFact? liveType)
    {
        var files = new List<string>();
        foreach (FoundText found in map.Texts("auth_files"))
        {
            if (map.Context.FilePath(found) is not { } path) continue;
            if (files.Contains(path)) map.Errors.Warn(found.Path, "this entry means the same file as an earlier one and is left out");
            else files.Add(path);
            if (liveType is { UsesAuthFiles: true, IsAvailable: true } && !File.Exists(path))
            {
                map.Errors.Warn(found.Path, $"the file{Shown.Name(found)} does not exist; 'aiproxy login {liveType.Name} -o FILE' makes it");
            }
        }
        return files;
    }

    private static int ReadWeight(MapReader map)
    {
        if (map.Whole("weight", int.MinValue, LargestWeight) is not { } weight) return 1;
        if (weight < 1) map.Errors.Warn(map.PathOf("weight"), "a weight below 1 counts as 1; 'enabled: false' takes the upstream out");
        return Math.Max(weight, 1);
    }

    private static string? ReadUserAgent(MapReader map)
    {
        string? agent = map.Line("user_agent");
        if (agent is null || HeadersReader.CanBeSent(agent)) return agent;
        map.Errors.Error(map.PathOf("user_agent"), "holds characters that a header cannot carry; printable ASCII is legal");
        return null;
    }

    private static OAuthConfig? ReadOAuth(MapReader upstream)
    {
        if (upstream.Map("oauth") is not { } map) return null;
        Uri? tokenUrl = null;
        if (map.Text("token_url") is { } found)
        {
            tokenUrl = UrlForms.Web(found.Text.Trim(), out string? problem);
            if (problem is not null) map.Errors.Error(found.Path, problem);
        }
        var oauth = new OAuthConfig();
        oauth = oauth with
        {
            TokenUrl = tokenUrl,
            ClientId = map.Line("client_id"),
            ClientSecret = map.Secret("client_secret") is { } secret ? new Secret(secret.Text) : null,
            RefreshMargin = map.Duration("refresh_margin") ?? oauth.RefreshMargin,
            RefreshAhead = map.Choice("refresh", RefreshWays) != "lazy",
        };
        map.Finish(NotYet.Nothing);
        return oauth;
    }
}
