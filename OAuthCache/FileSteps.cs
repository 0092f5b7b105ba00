namespace Aiproxy.OAuthCache;

/// <summary>What is done to files, step by step, so that a test can let any step fail. Steps throw <see cref="IOException"/> or
/// <see cref="UnauthorizedAccessException"/>.</summary>
public sealed record FileSteps
{
    /// <summary>No auth file is near this; what is longer is something else.</summary>
    public const int LongestFileBytes = 1024 * 1024;

    public static readonly FileSteps System = new();

    /// <summary>The whole file; links are followed.</summary>
    public Func<string, byte[]> Read { get; init; } = ReadWhole;

    /// <summary>null: no file there, or it cannot be looked at.</summary>
    public Func<string, FileStamp?> Stamp { get; init; } = StampOf;

    /// <summary>A new file that only its owner may read; fails when there is one.</summary>
    public Func<string, Stream> Create { get; init; } = CreateOwn;

    /// <summary>To the disk itself: after a power cut the file must not be there without its content.</summary>
    public Action<Stream> Flush { get; init; } = stream => ((FileStream)stream).Flush(flushToDisk: true);

    /// <summary>Gives the second file the mode and, where we may, the owner of the first. Returns what is worth a warning.</summary>
    public Func<string, string, string?> KeepRights { get; init; } = FileRights.Keep;

    /// <summary>Renames the first over the second in one step.</summary>
    public Action<string, string> Replace { get; init; } = (from, to) => File.Move(from, to, overwrite: true);

    public Action<string> Delete { get; init; } = File.Delete;

    /// <summary>Files of a folder whose names match the pattern.</summary>
    public Func<string, string, IReadOnlyList<string>> List { get; init; } = Directory.GetFiles;

    /// <summary>Makes the lock file if need be and locks it until disposed. null: another process, or another part of this one, holds it.</summary>
    public Func<string, IDisposable?> TryLock { get; init; } = Lock;

    private static byte[] ReadWhole(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        using var read = new MemoryStream();
        byte[] block = new byte[16 * 1024];
        // Goes by what is read and not by the length, which is 0 for pipes and for files under /proc.
        for (int count; (count = file.Read(block)) > 0;)
        {
            if (read.Length + count > LongestFileBytes) throw new IOException("it is too large for an auth file");
            read.Write(block, 0, count);
        }

        return read.ToArray();
    }

    private static FileStamp? StampOf(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target) file = target;
            return file.Exists ? new FileStamp(file.LastWriteTimeUtc.Ticks, file.Length) : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static FileStream CreateOwn(string path) => new(path, Options(FileMode.CreateNew, FileShare.None));

    private static FileStream? Lock(string path)
    {
        try
        {
            return new FileStream(path, Options(FileMode.OpenOrCreate, FileShare.None));
        }
        catch (IOException failure) when (IsHeld(failure.HResult))
        {
            return null;
        }
    }

    private static FileStreamOptions Options(FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    /// <summary>EWOULDBLOCK of Linux and of macOS, sharing and lock violation of Windows.</summary>
    private static bool IsHeld(int result) => OperatingSystem.IsWindows() ? (result & 0xFFFF) is 32 or 33 : result is 11 or 35;
}

/// <summary>Tells cheaply that a file may have changed.</summary>
/// <param name="Time">Last write, ticks of UTC.</param>
public readonly record struct FileStamp(long Time, long Length);
