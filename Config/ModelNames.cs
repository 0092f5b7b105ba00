namespace Aiproxy.Config;

/// <summary>Reads lists and mappings of model names.</summary>
public static class ModelNames
{
    /// <summary>Client model name, or <c>prefix*</c>, to the upstream's model name.</summary>
    public static Dictionary<string, string> Mappings(MapReader map, string key)
    {
        var mappings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((FoundText name, ConfigNode value) in map.Entries(key, Shown.ModelStep))
        {
            if (!IsNameOrPrefix(map.Errors, name) || Target(map, name.Path, value) is not { } target) continue;
            if (!mappings.TryAdd(name.Text, target)) map.Errors.Error(name.Path, "this model is given twice");
        }
        return mappings;
    }

    /// <summary>Model name to model name. No prefixes: which of a group would be tried next could not be read from the file.</summary>
    public static Dictionary<string, string> Fallbacks(MapReader map, string key)
    {
        var fallbacks = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((FoundText name, ConfigNode value) in map.Entries(key, Shown.ModelStep))
        {
            if (name.Text.Contains('*')) map.Errors.Error(name.Path, "expected a whole model name; '*' has no meaning here");
            else if (Target(map, name.Path, value) is not { } target) continue;
            else if (!fallbacks.TryAdd(name.Text, target)) map.Errors.Error(name.Path, "this model is given twice");
        }
        return fallbacks;
    }

    /// <summary>null: not given, or without entry. Names or <c>prefix*</c>.</summary>
    public static IReadOnlyList<string>? Available(MapReader map, string key)
    {
        List<string> names = [.. map.Texts(key).Where(name => IsNameOrPrefix(map.Errors, name)).Select(name => name.Text)];
        return names.Count == 0 ? null : names;
    }

    /// <summary>Facts by model name or <c>prefix*</c>.</summary>
    public static Dictionary<string, ModelFacts> Facts(MapReader root)
    {
        var facts = new Dictionary<string, ModelFacts>(StringComparer.Ordinal);
        foreach ((FoundText name, ConfigNode value) in root.Entries("models", Shown.ModelStep))
        {
            if (!IsNameOrPrefix(root.Errors, name) || root.Context.Map(value, name.Path) is not { } map) continue;
            facts[name.Text] = new ModelFacts
            {
                ContextWindow = map.Whole("context_window", 1),
                MaxOutputTokens = map.Whole("max_output_tokens", 1),
                Thinking = map.Choice("thinking", ["none", "budget", "adaptive"]),
                MidSystem = map.Flag("mid_system"),
                Prefill = map.Flag("prefill"),
                Sampling = map.Flag("sampling"),
            };
            map.Finish(NotYet.Nothing);
        }
        return facts;
    }

    private static bool IsNameOrPrefix(ConfigErrors errors, FoundText name)
    {
        int star = name.Text.IndexOf('*');
        if (star >= 0 && star < name.Text.Length - 1) errors.Error(name.Path, "expected a model name or 'prefix*'; '*' stands in the last place only");
        else if (name.Text.Any(char.IsControl)) errors.Error(name.Path, "a model name is one line of text");
        else return true;
        return false;
    }

    private static string? Target(MapReader map, string path, ConfigNode value)
    {
        int errors = map.Errors.ErrorCount;
        string? target = map.Context.Text(value, path)?.Text.Trim();
        if (target is null && map.Errors.ErrorCount == errors) map.Errors.Error(path, "expected the name of a model, got nothing");
        else if (target is not null && (target.Contains('*') || target.Any(char.IsControl))) map.Errors.Error(path, "expected the name of one model");
        return target;
    }
}
