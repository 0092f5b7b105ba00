using Aiproxy.Balancer;
using Aiproxy.Config;

namespace Aiproxy.Server;

/// <summary>One configuration, ready to serve. A request takes it once and lives with it to its end.</summary>
public sealed record Snapshot(ProxyConfig Config, Router Router, ClientKeys Keys, OriginGuard Guard);
