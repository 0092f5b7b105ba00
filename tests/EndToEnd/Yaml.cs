namespace Aiproxy.Tests.EndToEnd;

/// <summary>Configuration texts.</summary>
public static class Yaml
{
    /// <summary>One entry of <c>upstreams</c>; <paramref name="more"/> holds further lines without indentation.</summary>
    public static string Upstream(string name, IDialect dialect, string url, string more = "")
    {
        var lines = $"name: {name}\napi_type: {dialect.Name}\nbase_url: {url}\n";
        if (!more.Contains("token:", StringComparison.Ordinal)) lines += $"token: sk-fake-{name}\n";
        if (dialect.Name == "responses" && !more.Contains("session_affinity", StringComparison.Ordinal)) lines += "session_affinity: false\n";
        var entry = (lines + more).TrimEnd('\n').Split('\n');
        return string.Concat(entry.Select((line, i) => (i == 0 ? "  - " : "    ") + line + "\n"));
    }

    /// <summary>A file; <paramref name="globals"/> are whole lines.</summary>
    public static string File(string globals, params string[] upstreams) =>
        (globals.Length == 0 || globals.EndsWith('\n') ? globals : globals + "\n") + "upstreams:\n" + string.Concat(upstreams);

    /// <summary>Circuits that never open: for tests whose many failures are not about circuits.</summary>
    public const string NoCircuits = "circuit_breaker: {failures: 100000, recovery: 30m, first_probe: 1m}\n";
}
