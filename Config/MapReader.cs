namespace Aiproxy.Config;

/// <summary>Typed access to the keys of one mapping. Every key asked for counts as legal; <see cref="Finish"/> tells the others.</summary>
/// <remarks>All methods give null for a key that is absent, empty or wrong; wrong ones are told. A path given to a problem is the key's own.</remarks>
public sealed class MapReader
{
    private const int LongestDays = 40;

    private readonly ReadContext _context;
    private readonly MapNode _map;
    private readonly Dictionary<string, ConfigNode> _values;
    private readonly List<string> _asked = [];

    public MapReader(ReadContext context, MapNode map, string path)
    {
        _context = context;
        _map = map;
        Path = path;
        _values = map.Entries.ToDictionary(entry => entry.Key.Text, entry => entry.Value, StringComparer.Ordinal);
        if (path.Length > 0) context.Errors.Place(path, map.Line, map.Column);
    }

    /// <summary>Of the mapping; empty for the root.</summary>
    public string Path { get; }

    public ReadContext Context => _context;

    public ConfigErrors Errors => _context.Errors;

    public string PathOf(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    /// <summary>The value as it is written, but for one that says nothing.</summary>
    public ConfigNode? Node(string key)
    {
        if (!_asked.Contains(key)) _asked.Add(key);
        if (!_values.TryGetValue(key, out ConfigNode? node) || node is ScalarNode { IsNull: true }) return null;
        Errors.Place(PathOf(key), node.Line, node.Column);
        return node;
    }

    public FoundText? Text(string key) => Node(key) is { } node ? _context.Text(node, PathOf(key)) : null;

    public FoundText? Secret(string key) => Node(key) is { } node ? _context.Secret(node, PathOf(key)) : null;

    /// <summary>Text without line breaks and other control characters, trimmed.</summary>
    public string? Line(string key)
    {
        if (Text(key) is not { } found) return null;
        if (!found.Text.Trim().Any(char.IsControl)) return found.Text.Trim();
        Errors.Error(found.Path, "expected one line of text without control characters");
        return null;
    }

    public IReadOnlyList<FoundText> Texts(string key) => _context.Distinct(Node(key), PathOf(key), _context.Text);

    public IReadOnlyList<FoundText> Secrets(string key) => _context.Distinct(Node(key), PathOf(key), _context.Secret);

    public IReadOnlyList<(ConfigNode Node, string Path)> Items(string key) => _context.Items(Node(key), PathOf(key));

    public MapReader? Map(string key) => Node(key) is { } node ? _context.Map(node, PathOf(key)) : null;

    /// <summary>The entries of a mapping whose keys are the user's own, <c>${}</c> replaced in them.</summary>
    /// <param name="step">How a key is shown in a path.</param>
    public IReadOnlyList<(FoundText Key, ConfigNode Value)> Entries(string key, Func<string, string> step)
    {
        if (Node(key) is not { } node) return [];
        if (node is not MapNode map)
        {
            Errors.Error(PathOf(key), $"expected a mapping, got {node.Kind}");
            return [];
        }
        var entries = new List<(FoundText, ConfigNode)>();
        foreach (MapEntry entry in map.Entries)
        {
            string place = PathOf(key) + step(entry.Key.Text);
            Errors.Place(place, entry.Value.Line, entry.Value.Column);
            int errors = Errors.ErrorCount;
            if (_context.Text(entry.Key, place) is { } name) entries.Add((name with { Text = name.Text.Trim() }, entry.Value));
            else if (Errors.ErrorCount == errors) Errors.Error(place, "the key is empty");
        }
        return entries;
    }

    public bool? Flag(string key)
    {
        if (Text(key) is not { } found) return null;
        if (ScalarForms.TryBoolean(found.Text, out bool value)) return value;
        Errors.Error(found.Path, $"expected true or false{Shown.Got(found)}");
        return null;
    }

    public int? Whole(string key, int least, int most = int.MaxValue) => (int?)Long(key, least, most);

    public long? Long(string key, long least, long most = long.MaxValue)
    {
        if (Text(key) is not { } found) return null;
        if (ScalarForms.TryWhole(found.Text, out long value) && value >= least && value <= most) return value;
        Errors.Error(found.Path, $"expected a whole number{Range(least, most)}{Shown.Got(found)}");
        return null;
    }

    public TimeSpan? Duration(string key)
    {
        if (Text(key) is not { } found) return null;
        if (!ScalarForms.TryDuration(found.Text, out TimeSpan value))
        {
            Errors.Error(found.Path, $"expected a duration of 0 or more such as 30, 2.5, 250ms, 30s, 10m, 1h30m or 2d{Shown.Got(found)}");
            return null;
        }
        // The system's timers end at 49 days.
        if (value <= TimeSpan.FromDays(LongestDays)) return value;
        Errors.Error(found.Path, $"expected a duration of at most {LongestDays}d{Shown.Got(found)}");
        return null;
    }

    /// <summary>Bytes.</summary>
    public long? Size(string key, long most)
    {
        if (Text(key) is not { } found) return null;
        if (ScalarForms.TrySize(found.Text, out long value) && value >= 1 && value <= most) return value;
        Errors.Error(found.Path, $"expected a size such as 1048576, 512KB or 64MB, from 1 byte to {most >> 20}MB{Shown.Got(found)}");
        return null;
    }

    /// <summary>One of the words, in any case; given back as <paramref name="legal"/> writes it.</summary>
    public string? Choice(string key, IReadOnlyList<string> legal) => Text(key) is { } found ? Choose(found, legal) : null;

    /// <summary>null: told.</summary>
    public string? Choose(FoundText found, IReadOnlyList<string> legal)
    {
        string word = found.Text.Trim();
        string? match = legal.FirstOrDefault(candidate => string.Equals(candidate, word, StringComparison.OrdinalIgnoreCase));
        if (match is null) Errors.Error(found.Path, $"expected {Words.Or(legal)}{Shown.Got(found)}");
        return match;
    }

    public string? FilePath(string key) => Text(key) is { } found ? _context.FilePath(found) : null;

    /// <summary>Tells the keys that nobody asked for, and the legal ones that this build does not act on.</summary>
    /// <remarks>Keys that begin with <c>x-</c> are the user's own.</remarks>
    public void Finish(NotYet notYet)
    {
        notYet.Warn(this);
        foreach (MapEntry entry in _map.Entries)
        {
            string key = entry.Key.Text;
            if (_asked.Contains(key) || key.StartsWith("x-", StringComparison.Ordinal)) continue;
            string step = Shown.Step(key);
            string name = Shown.IsHarmless(key) ? $"unknown key '{key}'" : "unknown key";
            string? nearest = Errors.ErrorCount < ConfigErrors.MostTold ? NearestKey.Find(key, _asked) : null;
            string hint = nearest is null ? $"the keys here are {string.Join(", ", _asked)}" : $"did you mean '{nearest}'?";
            Errors.ErrorAt(entry.Key.Line, entry.Key.Column, Path.Length == 0 ? step.TrimStart('.') : Path + step, $"{name}; {hint}");
        }
    }

    private static string Range(long least, long most) => (least, most) switch
    {
        (int.MinValue, int.MaxValue) => "",
        (int.MinValue, _) => $" up to {most}",
        (_, int.MaxValue or long.MaxValue) => $" of {least} or more",
        _ => $" from {least} to {most}",
    };
}
