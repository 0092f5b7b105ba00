using System.Globalization;
using System.IO.Compression;
using Aiproxy.Config;

namespace Aiproxy.Server;

/// <summary>Looks after the closed parts of a rolling log: compresses them, deletes what is too old or too many. Touches no other file.</summary>
/// <remarks>A part is <c>name.ext</c> or <c>name_001.ext</c> and so on, or that with <c>.gz</c> behind it, or with <c>.1.gz</c> where the plain name was taken
/// by an older part (numbers begin anew once all plain files are gone). Compressing writes <c>*.gz.tmp</c>, syncs and renames, so that no crash
/// leaves half a file under a final name. Age is counted from the last line written.</remarks>
public sealed class LogJanitor(LogConfig config, TimeProvider clock)
{
    private const string Packed = ".gz";
    private const string Unfinished = ".gz.tmp";

    private readonly string _folder = Path.GetDirectoryName(config.File!)!;
    private readonly string _stem = Path.GetFileNameWithoutExtension(config.File!);
    private readonly string _extension = Path.GetExtension(config.File!);

    /// <summary>One round. A file that resists (permissions, disk full) is left for the next round; nothing is thrown.</summary>
    /// <param name="current">The part being written, which is never touched.</param>
    public void Sweep(string current)
    {
        try
        {
            List<FileInfo> closed = Closed(current);
            closed = [.. closed.Where((file, index) => !(IsSurplus(file, index) && TryDelete(file)))];
            if (config.Compress)
                closed.ForEach(TryPack);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder cannot be listed now.
        }
    }

    /// <summary>Newest first. Leftovers of a crash are removed on the way.</summary>
    private List<FileInfo> Closed(string current)
    {
        var closed = new List<FileInfo>();
        string currentName = Path.GetFileName(current);
        foreach (FileInfo file in new DirectoryInfo(_folder).EnumerateFiles())
        {
            if (file.Name == currentName || file.LinkTarget is not null)
                continue;
            if (file.Name.EndsWith(Unfinished, StringComparison.Ordinal) && IsPart(file.Name[..^Unfinished.Length]))
                TryDelete(file);
            else if (IsPart(file.Name))
                closed.Add(file);
        }

        closed.Sort((one, other) => (other.LastWriteTimeUtc, other.Name).CompareTo((one.LastWriteTimeUtc, one.Name)));
        return closed;
    }

    private bool IsPart(string name)
    {
        if (!name.StartsWith(_stem, StringComparison.Ordinal))
            return false;
        ReadOnlySpan<char> rest = name.AsSpan(_stem.Length);
        if (rest.StartsWith("_", StringComparison.Ordinal))
        {
            int digits = CountDigits(rest[1..]);
            if (digits < 3)
                return false;
            rest = rest[(1 + digits)..];
        }

        if (!rest.StartsWith(_extension, StringComparison.Ordinal))
            return false;
        rest = rest[_extension.Length..];
        if (rest.IsEmpty)
            return true;
        if (!rest.EndsWith(Packed, StringComparison.Ordinal))
            return false;
        rest = rest[..^Packed.Length];
        return rest.IsEmpty || (rest[0] == '.' && rest.Length > 1 && CountDigits(rest[1..]) == rest.Length - 1);
    }

    private static int CountDigits(ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAnyExceptInRange('0', '9');
        return end < 0 ? text.Length : end;
    }

    private bool IsSurplus(FileInfo file, int index) =>
        (config.MaxBackups > 0 && index >= config.MaxBackups)
        || (config.MaxAgeDays > 0 && clock.GetUtcNow().UtcDateTime - file.LastWriteTimeUtc > TimeSpan.FromDays(config.MaxAgeDays));

    private static bool TryDelete(FileInfo file)
    {
        try
        {
            file.Delete();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void TryPack(FileInfo file)
    {
        if (file.Name.EndsWith(Packed, StringComparison.Ordinal))
            return;
        string unfinished = file.FullName + Unfinished;
        try
        {
            string target = TargetFor(file, out bool isDone);
            if (!isDone)
                Pack(file, unfinished, target);
            file.Delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(new FileInfo(unfinished));
        }
    }

    /// <summary>A name that is free; or, where the process died between rename and delete, the finished copy, known by its equal time.</summary>
    private static string TargetFor(FileInfo file, out bool isDone)
    {
        string target = file.FullName + Packed;
        isDone = false;
        for (int i = 1; File.Exists(target) && !isDone; i++)
        {
            isDone = File.GetLastWriteTimeUtc(target) == file.LastWriteTimeUtc;
            if (!isDone)
                target = string.Create(CultureInfo.InvariantCulture, $"{file.FullName}.{i}{Packed}");
        }

        return target;
    }

    private static void Pack(FileInfo file, string unfinished, string target)
    {
        DateTime written = file.LastWriteTimeUtc;
        using (FileStream source = file.OpenRead())
        using (var destination = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(destination.SafeFileHandle, File.GetUnixFileMode(source.SafeFileHandle));
            using (var gzip = new GZipStream(destination, CompressionLevel.Optimal, leaveOpen: true))
                source.CopyTo(gzip);
            destination.Flush(flushToDisk: true);
        }

        File.SetLastWriteTimeUtc(unfinished, written);
        File.Move(unfinished, target);
    }
}
