using Aiproxy.Balancer;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Upstreams;

namespace Aiproxy.Server;

/// <summary>The models that a client may ask for, answered from memory.</summary>
public sealed class ModelLists(ModelCatalog catalog)
{
    /// <summary>What the configuration names, and the upstreams' own lists where it names nothing; in file order, without repeats.</summary>
    /// <param name="isServed">false leaves a model out: every circuit that could serve it is open, or the key may not use it.</param>
    public IReadOnlyList<ModelEntry> For(ProxyConfig config, Router router, Func<string, bool> isServed)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var entries = new List<ModelEntry>();
        IEnumerable<string> names = router.ListedModels().Concat(config.Upstreams.Where(NamesNothing).SelectMany(Own));
        foreach (string name in names)
        {
            if (!seen.Add(name) || !isServed(name)) continue;
            ModelFacts? facts = config.Models.GetValueOrDefault(name);
            entries.Add(new ModelEntry(name, facts?.ContextWindow, facts?.MaxOutputTokens));
        }
        return entries;
    }

    /// <summary>Fetches what will be asked for, in the background.</summary>
    public void Prepare(ProxyConfig config)
    {
        foreach (UpstreamConfig upstream in config.Upstreams.Where(NamesNothing)) catalog.Refresh(upstream);
    }

    private IEnumerable<string> Own(UpstreamConfig upstream) => upstream.ApiType == "echo" ? ["echo"] : catalog.Models(upstream);

    private static bool NamesNothing(UpstreamConfig upstream) => upstream.Enabled && upstream.AvailableModels is null && upstream.ModelMappings.Count == 0;
}
