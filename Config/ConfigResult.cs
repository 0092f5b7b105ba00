namespace Aiproxy.Config;

/// <summary>What came of one reading. <see cref="Config"/> is null exactly when there are errors.</summary>
/// <param name="WatchedFiles">Absolute paths whose content took part: the file itself, <c>${file:}</c> files, certificate and key. Those that are
/// missing are named too, so that their coming is seen; pipes are not, they can be read only once.</param>
public sealed record ConfigResult(
    ProxyConfig? Config, IReadOnlyList<ConfigProblem> Errors, IReadOnlyList<ConfigProblem> Warnings, IReadOnlyList<string> WatchedFiles)
{
    /// <summary>What was read, by path of <see cref="WatchedFiles"/>: <see cref="FileContent.Fingerprint"/>.</summary>
    /// <remarks>Lets a watcher see a change that came right after the reading.</remarks>
    public IReadOnlyDictionary<string, string> Fingerprints { get; init; } = new Dictionary<string, string>();
}
