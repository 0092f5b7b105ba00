using Aiproxy.Config;
using static Aiproxy.Tests.Config.Sample;

namespace Aiproxy.Tests.Config;

public sealed class UpstreamReaderTests
{
    [Fact]
    public void Defaults_AreFilledIn()
    {
        UpstreamConfig upstream = Upstream();
        Assert.Equal(("a", true, "anthropic", 1, 0, "none"), (upstream.Name, upstream.Enabled, upstream.ApiType, upstream.Weight, upstream.Priority, upstream.RequestCompression));
        Assert.Equal(new Uri("https://api.anthropic.com"), Assert.Single(upstream.BaseUrls));
        Assert.Equal((10, 60, 600), (upstream.ConnectTimeout.TotalSeconds, upstream.Timeout.TotalSeconds, upstream.StreamIdleTimeout.TotalSeconds));
        Assert.Null(upstream.FirstTokenTimeout);
        Assert.Null(upstream.AvailableModels);
        Assert.Empty(upstream.OutgoingProxies);
        Assert.True(upstream.AllowPrivate && upstream.AuthWriteBack && !upstream.SystemPrefix);
    }

    [Fact]
    public void GlobalValues_ReachTheUpstream_OwnOnesWin()
    {
        var config = Good(Read("""
            connect_timeout: 1
            upstream_request_timeout: 2
            first_token_timeout: 3
            stream_idle_timeout: 0
            outgoing_proxy: http://user:sk-fake@proxy:1
            upstreams:
              - {name: a, api_type: openai}
              - {name: b, api_type: openai, connect_timeout: 5, timeout: 6, first_token_timeout: 7, stream_idle_timeout: 8, outgoing_proxy: none}
              - {name: c, api_type: openai, outgoing_proxy: environment}
            """));
        UpstreamConfig a = config.Upstreams[0], b = config.Upstreams[1];
        Assert.Equal((1, 2, 3, 0), (a.ConnectTimeout.TotalSeconds, a.Timeout.TotalSeconds, a.FirstTokenTimeout!.Value.TotalSeconds, a.StreamIdleTimeout.TotalSeconds));
        Assert.Equal((5, 6, 7, 8), (b.ConnectTimeout.TotalSeconds, b.Timeout.TotalSeconds, b.FirstTokenTimeout!.Value.TotalSeconds, b.StreamIdleTimeout.TotalSeconds));
        Assert.Equal("http://user:sk-fake@proxy:1", a.OutgoingProxies[0].Reveal());
        Assert.Equal("none", b.OutgoingProxies[0].Reveal());
        Assert.Empty(config.Upstreams[2].OutgoingProxies);
    }

    [Fact]
    public void EveryKey_IsRead()
    {
        UpstreamConfig upstream = Upstream(
            "enabled: off", "base_url: [https://h/v1, http://i/p/]", "token: [sk-fake-1, ' sk-fake-2 ']", "weight: 5", "priority: -1",
            "model_mappings: {a: b, \"c-*\": d}", "available_models: [a, c-*]", "http_headers: {X-A: sk-fake, x-b: ''}", "request_compression: Identity",
            "must_stream: yes", "max_concurrent: 3", "session_affinity: false", "quirks: {developer_role: on, prefill: shim, extra_betas: [a, b]}",
            "allow_private: no", "user_agent: me/1", "project: p", "region: r", "api_region: ar", "profile_arn: arn",
            "error_rules: [{status: 529, action: rest, for: 30s}, {status: [400, 404], body_contains: ' x ', header: 'a: b', action: Ignore}]");
        Assert.False(upstream.Enabled);
        Assert.Equal(["https://h/", "http://i/p"], upstream.BaseUrls.Select(url => url.AbsoluteUri));
        Assert.Equal(["sk-fake-1", "sk-fake-2"], upstream.Tokens.Select(token => token.Reveal()));
        Assert.Equal((5, -1, 3), (upstream.Weight, upstream.Priority, upstream.MaxConcurrent));
        Assert.Equal([new("a", "b"), new("c-*", "d")], upstream.ModelMappings);
        Assert.Equal(["a", "c-*"], upstream.AvailableModels);
        Assert.Equal(("sk-fake", ""), (upstream.HttpHeaders["x-a"], upstream.HttpHeaders["X-B"]));
        Assert.Equal("none", upstream.RequestCompression);
        Assert.True(upstream.MustStream);
        Assert.False(upstream.SessionAffinity);
        Assert.Equal([new("developer_role", "true"), new("prefill", "shim"), new("extra_betas", "a,b")], upstream.Quirks);
        Assert.False(upstream.AllowPrivate);
        Assert.Equal(("me/1", "p", "r", "ar", "arn"), (upstream.UserAgent, upstream.Project, upstream.Region, upstream.ApiRegion, upstream.ProfileArn));
        ErrorRule first = upstream.ErrorRules[0], second = upstream.ErrorRules[1];
        Assert.Equal([529], first.Statuses);
        Assert.Equal((ErrorAction.Rest, 30), (first.Action, first.RestFor!.Value.TotalSeconds));
        Assert.Equal([400, 404], second.Statuses);
        Assert.Equal((" x ", "a: b", ErrorAction.Ignore), (second.BodyContains, second.Header, second.Action));
    }

    [Fact]
    public void OAuth_IsRead()
    {
        OAuthConfig oauth = Good(Read("upstreams: [{name: a, api_type: claudecode, auth_files: f, oauth: {token_url: 'http://127.0.0.1:1/token', client_id: i, client_secret: sk-fake, refresh_margin: 1m, refresh: lazy}}]")).Upstreams[0].OAuth!;
        Assert.Equal(("http://127.0.0.1:1/token", "i", "sk-fake", 60, false), (oauth.TokenUrl!.AbsoluteUri, oauth.ClientId, oauth.ClientSecret!.Reveal(), oauth.RefreshMargin.TotalSeconds, oauth.RefreshAhead));
    }

    [Theory]
    [InlineData("weight: x3", "4:13: upstreams[0].weight: expected a whole number up to 1000000, got 'x3'")]
    [InlineData("weight: [1]", "upstreams[0].weight: expected text, got a list")]
    [InlineData("wieght: 1", "4:5: upstreams[0].wieght: unknown key 'wieght'; did you mean 'weight'?")]
    [InlineData("retries: 1", "unknown key 'retries'; the keys here are ")]
    [InlineData("priority: high", "expected a whole number")]
    [InlineData("enabled: maybe", "expected true or false, got 'maybe'")]
    [InlineData("max_concurrent: 0", "expected a whole number of 1 or more, got '0'")]
    [InlineData("timeout: soon", "expected a duration of 0 or more such as 30, 2.5, 250ms, 30s, 10m, 1h30m or 2d, got 'soon'")]
    [InlineData("timeout: 60d", "expected a duration of at most 40d")]
    [InlineData("request_compression: lz4", "expected none, identity, gzip, br or zstd, got 'lz4'")]
    [InlineData("base_url: h", "upstreams[0].base_url: expected a URL that begins with http:// or https://")]
    [InlineData("base_url: [https://h, 'ftp://h']", "upstreams[0].base_url[1]: expected a URL")]
    [InlineData("token: {a: b}", "upstreams[0].token: expected text, got a mapping")]
    [InlineData("token: \"sk-fake\\nx\"", "upstreams[0].token: the key holds characters that a header cannot carry")]
    [InlineData("token: ключ", "upstreams[0].token: the key holds characters")]
    [InlineData("auth_files: f", "upstreams[0].auth_files: api_type 'anthropic' takes its keys from token, not from auth_files")]
    [InlineData("model_mappings: [a]", "upstreams[0].model_mappings: expected a mapping, got a list")]
    [InlineData("model_mappings: {'*-x': a}", "upstreams[0].model_mappings[\"*-x\"]: expected a model name or 'prefix*'")]
    [InlineData("model_mappings: {gpt-5.5: }", "upstreams[0].model_mappings[\"gpt-5.5\"]: expected the name of a model")]
    [InlineData("model_mappings: {a: 'b*'}", "expected the name of one model")]
    [InlineData("available_models: 'a*b'", "upstreams[0].available_models: expected a model name or 'prefix*'")]
    [InlineData("http_headers: {'a b': c}", "not a header name")]
    [InlineData("http_headers: {A: b, a: c}", "upstreams[0].http_headers.a: this header is given twice")]
    [InlineData("http_headers: {Content-Length: 1}", "belongs to the connection")]
    [InlineData("http_headers: {A: \"b\\r\\nC: d\"}", "a header cannot carry")]
    [InlineData("http_headers: {A: [b]}", "upstreams[0].http_headers.A: expected text, got a list")]
    [InlineData("user_agent: '名'", "user_agent: holds characters")]
    [InlineData("quirks: {developer_rol: on}", "unknown quirk 'developer_rol'; did you mean 'developer_role'?; api_type 'anthropic' has developer_role, strict_alternation, prefill, extra_betas, remote_download")]
    [InlineData("quirks: [nonsense]", "unknown quirk 'nonsense'; api_type 'anthropic' has developer_role")]
    [InlineData("quirks: {prefill: maybe}", "expected shim or refuse, got 'maybe'")]
    [InlineData("outgoing_proxy: socks4://h:1", "upstreams[0].outgoing_proxy: expected a URL that begins with http://, https:// or socks5://, or none")]
    [InlineData("outgoing_proxy: [none, '']", "outgoing_proxy[1]: this entry is blank")]
    [InlineData("outgoing_proxy: [none, none]", "expected one proxy for all or one for each credential: got 2 for 0")]
    [InlineData("error_rules: [{status: 529}]", "upstreams[0].error_rules[0].action: required: next, ignore, fail or rest")]
    [InlineData("error_rules: {status: 99, action: next}", "error_rules.status: expected an HTTP status from 100 to 599, got '99'")]
    [InlineData("error_rules: [{status: 500, action: retry}]", "expected next, ignore, fail or rest, got 'retry'")]
    [InlineData("error_rules: [{status: 500, action: next, for: 3}]", "error_rules[0].for: goes with 'action: rest' only")]
    [InlineData("error_rules: [next]", "error_rules[0]: expected a mapping, got text")]
    [InlineData("oauth: {token_url: x}", "oauth.token_url: expected a URL")]
    [InlineData("oauth: {refresh: never}", "oauth.refresh: expected ahead or lazy, got 'never'")]
    [InlineData("project: \"a\\nb\"", "upstreams[0].project: expected one line of text")]
    [InlineData("project: ${NO_SUCH_NAME}", "upstreams[0].project: the environment variable NO_SUCH_NAME is not set")]
    public void WrongKey_IsRefused(string key, string expected) => Assert.Contains(expected, OneError(ReadUpstream(key)));

    [Theory]
    [InlineData("{name: '', api_type: echo}", "upstreams[0].name: required")]
    [InlineData("{api_type: echo}", "1:13: upstreams[0].name: required")]
    [InlineData("{name: \"a\\nb\", api_type: echo}", "upstreams[0].name: expected one line of text")]
    [InlineData("{name: a}", "upstreams[0].api_type: required: anthropic, openai,")]
    [InlineData("{name: a, api_type: antropic}", "got 'antropic'; did you mean 'anthropic'?")]
    [InlineData("{name: a, api_type: echo, token: sk-fake}", "upstreams[0].token: api_type 'echo' takes no credentials")]
    [InlineData("{name: a, api_type: codex}", "upstreams[0].auth_files: required: api_type 'codex' signs in with files; 'aiproxy login codex' makes one")]
    [InlineData("{name: a, api_type: codex, auth_files: f, token: sk-fake}", "upstreams[0].token: api_type 'codex' signs in with auth_files, not with token")]
    [InlineData("text", "upstreams[0]: expected a mapping that describes an upstream, got text")]
    [InlineData("", "upstreams: expected a list of at least one upstream, got an empty list")]
    [InlineData("~", "upstreams[0]: expected a mapping that describes an upstream, got nothing")]
    public void WrongEntry_IsRefused(string entry, string expected) => Assert.Contains(expected, OneError(Read($"upstreams: [{entry}]")));

    [Fact]
    public void SeveralProblems_AreAllTold_InTheOrderOfTheFile()
    {
        ConfigResult result = Read("conect_timeout: 1\nlisten: x\nupstreams:\n  - name: a\n    weight: b\n    api_type: c\n  - text\n  - {name: a, api_type: echo, tokn: 1}\n");
        Assert.Equal(
            ["1:conect_timeout", "2:listen", "5:upstreams[0].weight", "6:upstreams[0].api_type", "7:upstreams[1]", "8:upstreams[2].name", "8:upstreams[2].tokn"],
            result.Errors.Select(problem => $"{problem.Line}:{problem.Path}"));
    }

    [Theory]
    [InlineData("weight: 0", "4:13: upstreams[0].weight: a weight below 1 counts as 1")]
    [InlineData("weight: -3", "counts as 1")]
    [InlineData("token: [sk-fake, '', ]", "upstreams[0].token[1]: this entry is blank")]
    [InlineData("token: [sk-fake, sk-fake]", "upstreams[0].token[1]: this entry repeats")]
    [InlineData("available_models: [a, b, a]", "upstreams[0].available_models[2]: this entry repeats")]
    [InlineData("base_url: [https://h, https://h/v1]", "upstreams[0].base_url[1]: this entry means the same URL")]
    [InlineData("error_rules: {action: fail}", "matches every failure")]
    public void Doubtful_IsWarnedOf(string key, string expected) => Assert.Contains(expected, OneWarning(ReadUpstream(key)));

    [Fact]
    public void LowWeight_CountsAsOne() => Assert.Equal(1, Upstream("weight: -5").Weight);

    [Theory]
    [InlineData("available_models: []")]
    [InlineData("available_models: ")]
    public void EmptyModelList_IsNotGiven(string key) => Assert.Null(Upstream(key).AvailableModels);

    [Fact]
    public void KeyOfOnesOwn_IsIgnored_ButNotAsAHeader()
    {
        UpstreamConfig upstream = Upstream("x-note: [anything]", "http_headers: {x-note: v}");
        Assert.Equal("v", upstream.HttpHeaders["x-note"]);
    }

    [Fact]
    public void TypeWithoutTokens_NeedsNone() => Assert.Empty(ReadUpstream("enabled: true").Warnings);

    [Fact]
    public void OneProxyForEachFile_IsRead() =>
        Assert.Equal(2, Good(Read("upstreams: [{name: a, api_type: claudecode, auth_files: [f, g], outgoing_proxy: ['http://h:1', none]}]")).Upstreams[0].OutgoingProxies.Count);
}
