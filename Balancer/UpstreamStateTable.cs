using System.Runtime.CompilerServices;
using Aiproxy.Config;

namespace Aiproxy.Balancer;

/// <summary>The states of all upstreams. Thread-safe.</summary>
/// <remarks>An upstream that a reload leaves alone keeps its state: same name, type, base URLs and credentials. A request that lives with an older configuration
/// keeps finding the state of that one, for as long as it holds the configuration.</remarks>
public sealed class UpstreamStateTable(TimeProvider clock)
{
    private readonly Lock gate = new();

    // By reference and weakly: an entry goes with the configuration that it belongs to.
    private readonly ConditionalWeakTable<UpstreamConfig, UpstreamState> byConfig = [];
    private Dictionary<string, UpstreamState> byIdentity = [];
    private CircuitConfig limits = new(3, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(1));

    /// <summary>Takes over a configuration before it serves: keeps the states of what stays, makes those of what is new, drops the others.</summary>
    public void Retain(IReadOnlyList<UpstreamConfig> upstreams, CircuitConfig circuit)
    {
        lock (gate)
        {
            limits = circuit;
            var kept = new Dictionary<string, UpstreamState>(StringComparer.Ordinal);
            foreach (UpstreamConfig upstream in upstreams)
            {
                IReadOnlyList<string> credentials = CredentialIdentity.Of(upstream);
                string identity = IdentityOf(upstream, credentials);
                if (!byConfig.TryGetValue(upstream, out UpstreamState? state) && !byIdentity.TryGetValue(identity, out state))
                {
                    state = new UpstreamState(credentials, circuit, clock);
                }

                state.Configure(circuit);
                kept[identity] = state;
                byConfig.AddOrUpdate(upstream, state);
            }

            byIdentity = kept;
        }
    }

    /// <summary>The state of an upstream; always the same for the same object.</summary>
    public UpstreamState For(UpstreamConfig upstream)
    {
        if (byConfig.TryGetValue(upstream, out UpstreamState? known)) return known;
        lock (gate)
        {
            if (byConfig.TryGetValue(upstream, out known)) return known;
            IReadOnlyList<string> credentials = CredentialIdentity.Of(upstream);
            if (!byIdentity.TryGetValue(IdentityOf(upstream, credentials), out UpstreamState? state)) state = new UpstreamState(credentials, limits, clock);
            byConfig.Add(upstream, state);
            return state;
        }
    }

    private static string IdentityOf(UpstreamConfig upstream, IReadOnlyList<string> credentials) =>
        string.Join('\n', [upstream.Name, upstream.ApiType, string.Join(' ', upstream.BaseUrls.Select(url => url.AbsoluteUri)), .. credentials]);
}
