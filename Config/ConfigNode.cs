namespace Aiproxy.Config;

/// <summary>A value of the YAML file: <see cref="ScalarNode"/>, <see cref="ListNode"/> or <see cref="MapNode"/>.</summary>
/// <remarks>Aliases are resolved, so one node may stand at several paths; its position is where it is written. Free of cycles, and small when
/// walked whole: <see cref="Weight"/> is bounded by the reader.</remarks>
public abstract class ConfigNode(int line, int column, int weight)
{
    public int Line { get; } = line;

    public int Column { get; } = column;

    /// <summary>Nodes met when this one is walked whole, shared ones each time.</summary>
    public int Weight { get; } = weight;

    /// <summary>What a message calls it: <c>a list</c>.</summary>
    public abstract string Kind { get; }
}

/// <summary>Text as it is written, before <c>${}</c> is replaced.</summary>
/// <param name="isNull">An empty plain scalar, <c>~</c> or <c>null</c>: as if the key were not there.</param>
public sealed class ScalarNode(string text, bool isNull, int line, int column) : ConfigNode(line, column, 1)
{
    public string Text { get; } = text;

    public bool IsNull { get; } = isNull;

    public override string Kind => IsNull ? "nothing" : "text";
}

public sealed class ListNode(IReadOnlyList<ConfigNode> items, int line, int column, int weight) : ConfigNode(line, column, weight)
{
    public IReadOnlyList<ConfigNode> Items { get; } = items;

    public override string Kind => "a list";
}

/// <summary>Entries with keys that differ, merge keys resolved.</summary>
public sealed class MapNode(IReadOnlyList<MapEntry> entries, int line, int column, int weight) : ConfigNode(line, column, weight)
{
    public IReadOnlyList<MapEntry> Entries { get; } = entries;

    public override string Kind => "a mapping";
}

/// <summary>One key with its value.</summary>
public sealed record MapEntry(ScalarNode Key, ConfigNode Value);
