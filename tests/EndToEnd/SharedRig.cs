namespace Aiproxy.Tests.EndToEnd;

/// <summary>One proxy for a whole test class: an upstream of each protocol behind model names of its own. The tests of a class run one after the other.</summary>
public sealed class SharedRig : IAsyncLifetime
{
    private readonly Dictionary<string, FakeUpstream> _upstreams = [];
    private ProxyProcess? _proxy;

    /// <summary>The upstream of a protocol; reset to a plain answer by <see cref="ReadyAsync"/>.</summary>
    public FakeUpstream this[IDialect dialect] => _upstreams[dialect.Name];

    public ProxyProcess Proxy => _proxy ?? throw new InvalidOperationException("call ReadyAsync first");

    /// <summary>Served under its own name.</summary>
    public static string Model(IDialect dialect) => "m-" + dialect.Name;

    /// <summary>Served as <see cref="UpstreamModel"/>: the mapping's key is a prefix pattern.</summary>
    public static string MappedModel(IDialect dialect) => $"map-{dialect.Name}-7";

    public static string UpstreamModel(IDialect dialect) => "up-" + dialect.Name;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts what is not yet running; skips the test where there is no binary.</summary>
    public async Task<SharedRig> ReadyAsync()
    {
        AiproxyBinary.Require();
        foreach (var dialect in Dialects.List)
            if (!_upstreams.ContainsKey(dialect.Name)) _upstreams[dialect.Name] = new FakeUpstream(Plain(dialect));
        _proxy ??= await ProxyProcess.StartAsync(Yaml.File(Yaml.NoCircuits, [.. Dialects.List.Select(Entry)]));
        foreach (var dialect in Dialects.List)
        {
            this[dialect].Answer(Plain(dialect));
            this[dialect].Forget();
        }
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null) await _proxy.DisposeAsync();
        foreach (var upstream in _upstreams.Values) await upstream.DisposeAsync();
    }

    /// <summary>A whole answer or a stream, as the request asks.</summary>
    public static Func<RecordedRequest, FakeAnswer> Plain(IDialect dialect) =>
        request => IsStream(request) ? FakeAnswer.Sse(dialect.Text("Hello from upstream").Frames) : FakeAnswer.Json(dialect.Whole("Hello from upstream"));

    public static bool IsStream(RecordedRequest request) =>
        request.Target.Contains(":streamGenerateContent", StringComparison.Ordinal)
        || (request.Body.Length < 1_000_000 && JsonLook.At(request.Text, "stream") is { ValueKind: System.Text.Json.JsonValueKind.True });

    private string Entry(IDialect dialect) => Yaml.Upstream(
        dialect.Name,
        dialect,
        this[dialect].Url,
        $"available_models: [{Model(dialect)}, \"map-{dialect.Name}-*\"]\nmodel_mappings: {{\"map-{dialect.Name}-*\": {UpstreamModel(dialect)}}}");
}
