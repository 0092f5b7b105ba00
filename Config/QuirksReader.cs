namespace Aiproxy.Config;

/// <summary>Reads <c>quirks</c>: a mapping of switches to <c>true</c>, <c>false</c>, a word or a list of words; or a list of switches that are on.</summary>
public static class QuirksReader
{
    private static readonly string[] PrefillWays = ["shim", "refuse"];

    /// <param name="type">null: not known, which is told elsewhere; every switch then passes.</param>
    public static Dictionary<string, string> Read(MapReader upstream, UpstreamTypeFact? type)
    {
        var quirks = new Dictionary<string, string>(StringComparer.Ordinal);
        if (upstream.Node("quirks") is not { } node) return quirks;
        if (node is not MapNode map)
        {
            foreach (FoundText name in upstream.Texts("quirks"))
            {
                if (IsKnown(upstream.Errors, name, type)) quirks[name.Text] = "true";
            }
            return quirks;
        }
        foreach (MapEntry entry in map.Entries)
        {
            string name = entry.Key.Text;
            if (name.StartsWith("x-", StringComparison.Ordinal)) continue;
            string path = upstream.PathOf("quirks") + Shown.Step(name);
            upstream.Errors.Place(path, entry.Value.Line, entry.Value.Column);
            bool isKnown = IsKnown(upstream.Errors, new FoundText(path, name, IsHidden: false), type);
            if (isKnown && Value(upstream, entry.Value, path, name) is { } value) quirks[name] = value;
        }
        return quirks;
    }

    private static string? Value(MapReader upstream, ConfigNode node, string path, string name)
    {
        IReadOnlyList<FoundText> words = upstream.Context.Distinct(node, path, upstream.Context.Text);
        if (words.Count == 0) return null;
        if (name == "prefill") return words.Count == 1 ? upstream.Choose(words[0], PrefillWays) : Refuse(upstream, path);
        if (words.Count > 1) return string.Join(',', words.Select(word => word.Text));
        return !ScalarForms.TryBoolean(words[0].Text, out bool isOn) ? words[0].Text : isOn ? "true" : "false";
    }

    private static string? Refuse(MapReader upstream, string path)
    {
        upstream.Errors.Error(path, $"expected {Words.Or(PrefillWays)}, got a list");
        return null;
    }

    private static bool IsKnown(ConfigErrors errors, FoundText name, UpstreamTypeFact? type)
    {
        if (NotYet.Switches.Contains(name.Text)) errors.Warn(name.Path, "not yet in this build; this switch has no effect");
        if (type is null || type.Quirks.Contains(name.Text)) return true;
        string? nearest = name.IsHidden ? null : NearestKey.Find(name.Text, type.Quirks);
        string hint = nearest is null ? "" : $"; did you mean '{nearest}'?";
        string legal = type.Quirks.Count == 0 ? "has no quirks" : $"has {string.Join(", ", type.Quirks)}";
        errors.Error(name.Path, $"unknown quirk{Shown.Name(name)}{hint}; api_type '{type.Name}' {legal}");
        return false;
    }
}
