namespace Aiproxy.Config;

/// <summary>Turns the paths of a configuration file into absolute ones.</summary>
/// <param name="folder">Absolute: where the configuration file lies.</param>
public sealed class ConfigPaths(string folder, Func<string, string?> environment)
{
    /// <summary><c>~/</c> is the home folder. A relative path starts beside the configuration file; where nothing lies there, an existing file in the
    /// process's folder is taken.</summary>
    /// <returns>A path, or a problem that completes "cannot be read: ".</returns>
    public (string? Path, string? Problem) Resolve(string written)
    {
        if (written.Length == 0) return (null, "it has no name");
        if (written.Contains('\0')) return (null, "its name holds a NUL character");
        if (written.StartsWith("~/", StringComparison.Ordinal))
        {
            string? home = environment("HOME");
            return string.IsNullOrEmpty(home)
                ? (null, "HOME is not set, so '~/' is nowhere")
                : (Path.GetFullPath(Path.Combine(home, written[2..]), folder), null);
        }
        string beside = Path.GetFullPath(written, folder);
        if (Path.IsPathFullyQualified(written) || Path.Exists(beside)) return (beside, null);
        string inProcessFolder = Path.GetFullPath(written);
        return (File.Exists(inProcessFolder) ? inProcessFolder : beside, null);
    }
}
