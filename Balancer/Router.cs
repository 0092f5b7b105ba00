using Aiproxy.Config;

namespace Aiproxy.Balancer;

/// <summary>An upstream that serves a client model, and what it calls that model.</summary>
public sealed record Route(UpstreamConfig Upstream, string UpstreamModel);

/// <summary>Client model to upstreams, for one configuration. Immutable; keeps nothing of the names it is asked for.</summary>
public sealed class Router
{
    /// <summary>Claude Code's mark for the variant with the long context, which no provider's model name has.</summary>
    private const string LongContextSuffix = "[1m]";

    private readonly IReadOnlyList<Entry> entries;
    private readonly IReadOnlyDictionary<string, string> fallbacks;
    private readonly IReadOnlyList<string> listed;

    /// <param name="legalTypes">The <c>api_type</c> names that this program has; upstreams of others are out.</param>
    public Router(ProxyConfig config, IReadOnlyCollection<string> legalTypes)
    {
        entries = [.. config.Upstreams.Where(upstream => upstream.Enabled && legalTypes.Contains(upstream.ApiType)).Select(upstream => new Entry(upstream))];
        fallbacks = config.ModelFallback;
        listed = [.. entries.SelectMany(entry => entry.ListedModels).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The enabled upstreams that serve <paramref name="model"/>, in file order; empty: nobody does.</summary>
    public IReadOnlyList<Route> Routes(string model)
    {
        List<Route> routes = Find(model);
        return routes.Count == 0 && WithoutSuffix(model) is { } shorter ? Find(shorter) : routes;
    }

    /// <summary>The models to try in turn when every upstream of <paramref name="model"/> failed. Each starts over under its own name.</summary>
    public IReadOnlyList<string> Fallbacks(string model)
    {
        var chain = new List<string>();
        string? next = fallbacks.GetValueOrDefault(model) ?? (WithoutSuffix(model) is { } shorter ? fallbacks.GetValueOrDefault(shorter) : null);
        // A cycle is a configuration error; a hand-made configuration must not hang us all the same.
        while (next is not null && next != model && !chain.Contains(next))
        {
            chain.Add(next);
            next = fallbacks.GetValueOrDefault(next);
        }

        return chain;
    }

    /// <summary>The models that the configuration names for clients and some upstream serves, in file order. Prefix patterns are no names.</summary>
    public IReadOnlyList<string> ListedModels() => listed;

    private List<Route> Find(string model)
    {
        var routes = new List<Route>();
        foreach (Entry entry in entries)
        {
            if (entry.Serves(model)) routes.Add(new Route(entry.Upstream, entry.UpstreamModel(model)));
        }

        return routes;
    }

    private static string? WithoutSuffix(string model) =>
        model.Length > LongContextSuffix.Length && model.EndsWith(LongContextSuffix, StringComparison.OrdinalIgnoreCase) ? model[..^LongContextSuffix.Length] : null;

    /// <summary>What one upstream says about models, ready for look-up.</summary>
    private sealed class Entry
    {
        private readonly NamePatterns<string>? available;
        private readonly NamePatterns<string> mappings;

        public Entry(UpstreamConfig upstream)
        {
            Upstream = upstream;
            // A list whose entries were all blank says nothing.
            if (upstream.AvailableModels is { Count: > 0 } names) available = new NamePatterns<string>(names.Select(name => KeyValuePair.Create(name, name)));
            mappings = new NamePatterns<string>(upstream.ModelMappings);
            ListedModels = [.. (upstream.AvailableModels ?? []).Concat(upstream.ModelMappings.Keys).Where(name => !name.EndsWith('*') && Serves(name))];
        }

        public UpstreamConfig Upstream { get; }

        public IReadOnlyList<string> ListedModels { get; }

        /// <summary>"<c>available_models</c> decides where it is given; else any mapping's key counts as served; else every model is."</summary>
        public bool Serves(string model) =>
            available is not null ? available.TryFind(model, out _)
            : mappings.IsEmpty || mappings.TryFind(model, out _);

        public string UpstreamModel(string model)
        {
            if (mappings.TryFind(model, out string? mapped)) return mapped;
            // A name that the file spells out goes as it is; one that only passes through loses the mark, as its clients do it themselves.
            return available is not null && available.HoldsExactly(model) ? model : WithoutSuffix(model) ?? model;
        }
    }
}
