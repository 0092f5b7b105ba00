namespace Aiproxy.Config;

/// <summary>The legal keys that this build reads and does not act on. A line goes when the behaviour comes.</summary>
/// <param name="keys">With the values that need no behaviour, so that writing them down is no reason for a warning.</param>
public sealed class NotYet(IReadOnlyList<(string Key, string? Honoured)> keys)
{
    public static NotYet Root { get; } = new(
    [
        ("telemetry", null),
    ]);

    public static NotYet Upstream { get; } = new(
    [
    ]);

    /// <summary>Of the quirks.</summary>
    public static IReadOnlyList<string> Switches { get; } = ["remote_download"];

    /// <summary>For mappings where every key acts.</summary>
    public static NotYet Nothing { get; } = new([]);

    public void Warn(MapReader map)
    {
        foreach ((string key, string? honoured) in keys)
        {
            if (map.Node(key) is not { } node || IsWithoutEffect(node, honoured)) continue;
            map.Errors.Warn(map.PathOf(key), "not yet in this build; this key has no effect");
        }
    }

    private static bool IsWithoutEffect(ConfigNode node, string? honoured) => node switch
    {
        MapNode map => map.Entries.Count == 0,
        ListNode list => list.Items.Count == 0,
        ScalarNode scalar => string.IsNullOrWhiteSpace(scalar.Text)
            || (honoured is not null && ScalarForms.TryBoolean(scalar.Text, out bool value) && value == (honoured == "true")),
        _ => false,
    };
}
