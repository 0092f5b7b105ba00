namespace Aiproxy.Config;

/// <summary>The checks that look at more than one value. Appends to one list; a broken value was told by its reader and is not told again.</summary>
public sealed class ConfigValidator(UpstreamTypeFacts types, ConfigErrors errors)
{
    public void Validate(ProxyConfig config)
    {
        RefuseOpenListener(config);
        if (config.MaxRequestBodyBytes > config.MaxBufferedBytes)
        {
            errors.Warn("max_request_body", "is more than max_buffered, so the largest bodies are never let in");
        }
        RefuseCycles(config.ModelFallback);
        ValidateUpstreams(config.Upstreams);
    }

    private void RefuseOpenListener(ProxyConfig config)
    {
        if (ListenReader.IsLoopback(config.Listen.Host) || config.ClientKeys.Count > 0 || config.AllowUnauthenticated) return;
        // Without this, a typing error in the one key would be told as if there were no key.
        if (errors.HasErrorAt("api-key") || errors.HasErrorAt("api_keys") || errors.HasErrorAt("allow_unauthenticated")) return;
        errors.Error(errors.HasPlace("listen") && !errors.HasPlace("bind") ? "listen" : "bind",
            "everybody who reaches this address could use the upstreams: give api-key, listen on 127.0.0.1, or say allow_unauthenticated: true");
    }

    private void RefuseCycles(IReadOnlyDictionary<string, string> fallback)
    {
        var settled = new HashSet<string>(StringComparer.Ordinal);
        foreach (string start in fallback.Keys)
        {
            var way = new List<string>();
            var onWay = new HashSet<string>(StringComparer.Ordinal);
            string model = start;
            while (settled.Add(model) && fallback.TryGetValue(model, out string? next))
            {
                way.Add(model);
                onWay.Add(model);
                model = next;
            }
            if (!onWay.Contains(model)) continue;
            List<string> cycle = way[way.IndexOf(model)..];
            errors.Error("model_fallback" + Step(cycle[0]), $"a circle without end: {Circle(cycle)}");
        }
    }

    private void ValidateUpstreams(IReadOnlyList<UpstreamConfig> upstreams)
    {
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < upstreams.Count; i++)
        {
            UpstreamConfig upstream = upstreams[i];
            string path = $"upstreams[{i}]";
            if (upstream.Name.Length > 0 && !names.TryAdd(upstream.Name, i))
            {
                errors.Error($"{path}.name", $"this is already the name of upstreams[{names[upstream.Name]}]; names are unique");
            }
            if (types.Find(upstream.ApiType) is not { } type) continue;
            if (!type.IsAvailable) errors.Warn($"{path}.api_type", $"api_type '{type.Name}' is not yet in this build; this upstream takes no traffic");
            ValidateCredentials(upstream, type, path);
            ValidateFit(upstream, type, path);
        }
        if (upstreams.Count > 0 && !upstreams.Any(upstream => upstream.Enabled)) errors.Warn("upstreams", "none of them is enabled");
    }

    private void ValidateCredentials(UpstreamConfig upstream, UpstreamTypeFact type, string path)
    {
        if (upstream.Tokens.Count > 0 && !type.UsesTokens) errors.Error($"{path}.token", $"api_type '{type.Name}' {Uses(type)}");
        if (upstream.AuthFiles.Count > 0 && !type.UsesAuthFiles) errors.Error($"{path}.auth_files", $"api_type '{type.Name}' {Uses(type)}");
        bool isOAuthOnly = type.UsesAuthFiles && !type.UsesTokens;
        if (isOAuthOnly && upstream.Enabled && upstream.AuthFiles.Count == 0 && !errors.HasErrorAt($"{path}.auth_files"))
        {
            errors.Error($"{path}.auth_files", $"required: api_type '{type.Name}' signs in with files; 'aiproxy login {type.Name}' makes one");
        }
        int credentials = Math.Max(upstream.AuthFiles.Count, upstream.Tokens.Count);
        int proxies = upstream.OutgoingProxies.Count;
        if (proxies > 1 && proxies != credentials && !errors.HasErrorAt($"{path}.outgoing_proxy"))
        {
            errors.Error($"{path}.outgoing_proxy", $"expected one proxy for all or one for each credential: got {proxies} for {credentials}");
        }
    }

    /// <summary>Keys that say nothing to this type of upstream.</summary>
    private void ValidateFit(UpstreamConfig upstream, UpstreamTypeFact type, string path)
    {
        if (upstream.OAuth is not null && !type.UsesAuthFiles)
        {
            errors.Warn($"{path}.oauth", $"api_type '{type.Name}' does not sign in by OAuth; this key has no effect");
        }
        bool isGoogle = type.Name is "geminicli" or "antigravity";
        if (upstream.Project is not null && !isGoogle)
        {
            errors.Warn($"{path}.project", $"goes with api_type 'geminicli' and 'antigravity' only; this key has no effect");
        }
        if (isGoogle && upstream.Project is { Length: > 0 } project && project.All(char.IsAsciiDigit))
        {
            errors.Error($"{path}.project", "this is a project's number; expected its id, such as 'my-project-123'");
        }
        if (upstream.MustStream == false && type.AlwaysStreams)
        {
            errors.Warn($"{path}.must_stream", $"api_type '{type.Name}' answers in streams only; this key has no effect");
        }
        if (upstream.SystemPrefix && type.Name != "claudecode")
        {
            errors.Warn($"{path}.system_prefix", "goes with api_type 'claudecode' only; this key has no effect");
        }
    }

    private string Step(string model) => errors.HasPlace("model_fallback" + Shown.ModelStep(model)) ? Shown.ModelStep(model) : "";

    /// <summary>Names the models of a circle, but for those that came out of <c>${}</c>: no key of the file is written like them.</summary>
    private string Circle(List<string> models)
    {
        IEnumerable<string> shown = models.Append(models[0]).Select(model => Step(model).Length > 0 ? Shown.Model(model) : "…");
        return models.Count <= 20 ? string.Join(" -> ", shown) : string.Join(" -> ", shown.Take(20)) + " -> …";
    }

    private static string Uses(UpstreamTypeFact type) => (type.UsesTokens, type.UsesAuthFiles) switch
    {
        (true, true) => "takes token or auth_files",
        (true, false) => "takes its keys from token, not from auth_files",
        (false, true) => "signs in with auth_files, not with token",
        _ => "takes no credentials",
    };
}
