namespace Aiproxy.Config;

/// <summary>Starts watching files; what it returns ends that. Hints may come from any thread, too often, too late or never.</summary>
/// <param name="files">Absolute paths.</param>
public delegate IDisposable ChangeHints(IReadOnlyList<string> files, Action hint);

/// <summary>Hints from the notifications of the system.</summary>
/// <remarks>A folder that cannot be watched (limit of inotify, no such folder, some network file systems) gives none.</remarks>
public sealed class FolderHints : IDisposable
{
    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly HashSet<string> _names;
    private readonly Action _hint;

    private FolderHints(IReadOnlyList<string> files, Action hint)
    {
        _hint = hint;
        List<string> places = [.. files.Concat(files.Select(Target).OfType<string>())];
        _names = places.Select(Path.GetFileName).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (string folder in places.Select(Path.GetDirectoryName).OfType<string>().Distinct(StringComparer.Ordinal)) Add(folder);
    }

    /// <summary>A <see cref="ChangeHints"/>.</summary>
    public static IDisposable Watch(IReadOnlyList<string> files, Action hint) => new FolderHints(files, hint);

    public void Dispose() => _watchers.ForEach(watcher => watcher.Dispose());

    private void Add(string folder)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(folder)
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
            };
            // A log file may lie in the same folder, so writes count only by name. A link whose target moves is named neither way: any coming or going counts.
            watcher.Changed += (_, change) => { if (change.Name is { } name && _names.Contains(name)) _hint(); };
            watcher.Created += (_, _) => _hint();
            watcher.Deleted += (_, _) => _hint();
            watcher.Renamed += (_, _) => _hint();
            watcher.Error += (_, _) => _hint();
            watcher.EnableRaisingEvents = true;
            _watchers.Add(watcher);
        }
        catch (Exception failure) when (failure is IOException or ArgumentException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            watcher?.Dispose();
        }
    }

    /// <summary>Where a link ends; null: no link, or one that leads nowhere.</summary>
    private static string? Target(string file)
    {
        try
        {
            return File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
