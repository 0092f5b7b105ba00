using Aiproxy.Balancer;
using Aiproxy.Config;

namespace Aiproxy.Tests.Balancer;

/// <summary>Configurations of the least that a test needs.</summary>
public static class TestUpstreams
{
    public static readonly CircuitConfig Circuit = new(3, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(1));

    public static UpstreamConfig Make(string name, int weight = 1, int priority = 0, params string[] tokens) => new()
    {
        Name = name,
        ApiType = "openai",
        BaseUrls = [new Uri("https://one.invalid")],
        Weight = weight,
        Priority = priority,
        Tokens = [.. tokens.Select(token => new Secret(token))],
        ConnectTimeout = TimeSpan.FromSeconds(10),
        Timeout = TimeSpan.FromSeconds(60),
        StreamIdleTimeout = TimeSpan.FromSeconds(600),
    };

    public static Route Route(string name, int weight = 1, int priority = 0) => new(Make(name, weight, priority), "m");

    public static ProxyConfig Config(params UpstreamConfig[] upstreams) => new()
    {
        Listen = new ListenConfig("127.0.0.1", 0),
        TotalTimeout = TimeSpan.FromSeconds(600),
        KeepaliveInterval = TimeSpan.FromSeconds(15),
        EarlyCommit = TimeSpan.FromSeconds(90),
        ShutdownTimeout = TimeSpan.FromSeconds(30),
        DrainDelay = TimeSpan.Zero,
        MaxConcurrent = 2000,
        MaxBufferedBytes = 1 << 29,
        MaxRequestBodyBytes = 1 << 26,
        Circuit = Circuit,
        Log = new LogConfig { Level = "info", MaxSizeMegabytes = 100, MaxBackups = 3, MaxAgeDays = 28 },
        Upstreams = upstreams,
    };
}
