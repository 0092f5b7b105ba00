namespace Aiproxy.Tests.EndToEnd;

/// <summary>A proxy before one or more fake upstreams of one protocol, named <c>u1</c>, <c>u2</c>, ...</summary>
public sealed class Rig : IAsyncDisposable
{
    public const string Model = "m-1";

    private Rig(ProxyProcess proxy, IDialect dialect, IReadOnlyList<FakeUpstream> upstreams)
    {
        Proxy = proxy;
        Dialect = dialect;
        Upstreams = upstreams;
    }

    public ProxyProcess Proxy { get; }

    public IDialect Dialect { get; }

    public IReadOnlyList<FakeUpstream> Upstreams { get; }

    public FakeUpstream Upstream => Upstreams[0];

    public static Task<Rig> StartAsync(IDialect dialect, FakeAnswer answer, string globals = "", string more = "") =>
        StartAsync(dialect, globals, (answer, more));

    /// <summary>One upstream a pair: its answer, and further lines of its entry.</summary>
    public static async Task<Rig> StartAsync(IDialect dialect, string globals, params (FakeAnswer Answer, string More)[] upstreams)
    {
        AiproxyBinary.Require();
        var fakes = upstreams.Select(upstream => new FakeUpstream(upstream.Answer)).ToArray();
        var entries = upstreams.Select((upstream, i) => Yaml.Upstream($"u{i + 1}", dialect, fakes[i].Url, upstream.More)).ToArray();
        return new Rig(await ProxyProcess.StartAsync(Yaml.File(globals, entries)), dialect, fakes);
    }

    public Task<LiveReply> SendAsync(bool stream, params (string Name, string Value)[] headers) => Proxy.SendAsync(Dialect, Model, stream, headers);

    public Task<LiveReply> OpenAsync(bool stream, params (string Name, string Value)[] headers) => Proxy.OpenAsync(Dialect, Model, stream, headers);

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        foreach (var upstream in Upstreams) await upstream.DisposeAsync();
        Assert.All(Upstreams, upstream => Assert.Empty(upstream.Faults));
    }
}
