namespace Aiproxy.Config;

/// <summary>What the readers of one file share: where problems go, and how a scalar becomes text. One per reading.</summary>
public sealed class ReadContext
{
    private readonly Expansion _expansion;
    private readonly ConfigPaths _paths;

    public ReadContext(ConfigErrors errors, UpstreamTypeFacts types, WatchList files, string folder, Func<string, string?> environment)
    {
        Errors = errors;
        Types = types;
        Files = files;
        _paths = new ConfigPaths(folder, environment);
        _expansion = new Expansion(environment, ReadNamedFile);
    }

    public ConfigErrors Errors { get; }

    public UpstreamTypeFacts Types { get; }

    public WatchList Files { get; }

    /// <summary>null: not a scalar (told), broken <c>${}</c> (told), or empty.</summary>
    public FoundText? Text(ConfigNode node, string path)
    {
        if (node is not ScalarNode scalar)
        {
            Errors.Error(path, $"expected text, got {node.Kind}");
            return null;
        }
        if (scalar.IsNull) return null;
        Expansion.Result result = _expansion.Expand(scalar.Text);
        foreach (string problem in result.Problems) Errors.Error(path, problem);
        return result.Problems.Count > 0 || string.IsNullOrWhiteSpace(result.Text) ? null : new FoundText(path, result.Text, result.IsReplaced);
    }

    /// <summary>As <see cref="Text"/>, for what no message may repeat. Trimmed: white space at the ends of a key is always a slip.</summary>
    public FoundText? Secret(ConfigNode node, string path) =>
        Text(node, path) is { } found ? found with { Text = found.Text.Trim(), IsHidden = true } : null;

    /// <summary>The items of a list, or the one scalar or mapping that stands for a list of one. Their places are noted.</summary>
    public IReadOnlyList<(ConfigNode Node, string Path)> Items(ConfigNode? node, string path)
    {
        if (node is null) return [];
        if (node is not ListNode list) return [(node, path)];
        var items = new List<(ConfigNode, string)>(list.Items.Count);
        foreach (ConfigNode item in list.Items)
        {
            string place = $"{path}[{items.Count}]";
            Errors.Place(place, item.Line, item.Column);
            items.Add((item, place));
        }
        return items;
    }

    /// <summary>Texts of a list. Blank and repeated entries are left out with a warning.</summary>
    public IReadOnlyList<FoundText> Distinct(ConfigNode? node, string path, Func<ConfigNode, string, FoundText?> read)
    {
        var found = new List<FoundText>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach ((ConfigNode item, string place) in Items(node, path))
        {
            int errors = Errors.ErrorCount;
            if (read(item, place) is not { } text)
            {
                if (Errors.ErrorCount == errors) Errors.Warn(place, "this entry is blank and left out");
            }
            else if (!seen.Add(text.Text.Trim()))
            {
                Errors.Warn(place, "this entry repeats an earlier one and is left out");
            }
            else
            {
                found.Add(text with { Text = text.Text.Trim() });
            }
        }
        return found;
    }

    /// <summary>null: told.</summary>
    public MapReader? Map(ConfigNode node, string path)
    {
        if (node is MapNode map) return new MapReader(this, map, path);
        if (node is not ScalarNode { IsNull: true }) Errors.Error(path, $"expected a mapping, got {node.Kind}");
        return null;
    }

    /// <summary>An absolute path; null: told.</summary>
    public string? FilePath(FoundText found)
    {
        (string? path, string? problem) = _paths.Resolve(found.Text.Trim());
        if (problem is not null) Errors.Error(found.Path, $"cannot be used as a file: {problem}");
        return path;
    }

    private (string? Text, string? Problem) ReadNamedFile(string written)
    {
        (string? path, string? problem) = _paths.Resolve(written);
        if (path is null) return (null, problem);
        (string? text, problem) = Files.ReadText(path);
        return (text?.Trim(), problem);
    }
}
