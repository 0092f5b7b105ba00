namespace Aiproxy.Config;

/// <summary>Gathers the entries of one mapping: tells duplicate keys and keys that are no text, applies merge keys. One per mapping.</summary>
public sealed class MapBuilder(ConfigErrors errors, string path)
{
    private readonly Dictionary<string, ScalarNode> _keys = [];
    private readonly List<MapEntry> _entries = [];
    private readonly List<MapNode> _merged = [];
    private int _weight = 1;

    /// <param name="mayMerge">The key is a plain scalar: a quoted <c>"&lt;&lt;"</c> is a key like any other.</param>
    public void Add(ConfigNode key, ConfigNode value, bool mayMerge)
    {
        _weight += key.Weight + value.Weight;
        if (key is not ScalarNode name)
        {
            errors.ErrorAt(key.Line, key.Column, path, $"a key must be text, got {key.Kind}");
            return;
        }
        if (!_keys.TryAdd(name.Text, name))
        {
            ScalarNode first = _keys[name.Text];
            string step = Shown.Step(name.Text);
            string place = path.Length == 0 ? step.TrimStart('.') : path + step;
            errors.ErrorAt(name.Line, name.Column, place, $"this key is given twice, first at {first.Line}:{first.Column}");
        }
        else if (mayMerge && name.Text == "<<")
        {
            AddMerge(value);
        }
        else
        {
            _entries.Add(new MapEntry(name, value));
        }
    }

    /// <summary>YAML merge key: "The keys of the mapping are inserted unless the key already exists"; of several mappings, the earlier one wins.</summary>
    public MapNode Build(int line, int column)
    {
        foreach (MapEntry entry in _merged.SelectMany(map => map.Entries))
        {
            if (_keys.TryAdd(entry.Key.Text, entry.Key)) _entries.Add(entry);
        }
        return new MapNode(_entries, line, column, _weight);
    }

    private void AddMerge(ConfigNode value)
    {
        IReadOnlyList<ConfigNode> sources = value is ListNode list ? list.Items : [value];
        foreach (ConfigNode source in sources)
        {
            if (source is MapNode map) _merged.Add(map);
            else errors.ErrorAt(source.Line, source.Column, path, $"'<<' takes a mapping or a list of mappings, got {source.Kind}");
        }
    }
}
