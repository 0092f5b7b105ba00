using System.Security.Cryptography;
using System.Text;

namespace Aiproxy.OAuthCache;

/// <summary>Keeps other processes of ours from refreshing the same file. Other programs do not know it.</summary>
/// <remarks>The lock file is never deleted: two processes could then hold two files of one name.</remarks>
public sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly IDisposable? _held;

    private FileLock(IDisposable? held, bool isTimeout)
    {
        _held = held;
        IsTimeout = isTimeout;
    }

    /// <summary>Somebody else held it for 30 s.</summary>
    public bool IsTimeout { get; }

    /// <summary>Nowhere could a lock file be made (full disk, no rights): go on without.</summary>
    public bool IsMissing => _held is null && !IsTimeout;

    /// <param name="path">The auth file, links resolved.</param>
    /// <param name="dataFolder">See <see cref="SignInOptions.DataFolder"/>.</param>
    public static async Task<FileLock> TakeAsync(string path, string dataFolder, FileSteps steps, TimeProvider clock)
    {
        long start = clock.GetTimestamp();
        while (true)
        {
            (IDisposable? held, bool isBusy) = Try(path, dataFolder, steps);
            if (!isBusy) return new FileLock(held, isTimeout: false);
            if (clock.GetElapsedTime(start) >= Longest) return new FileLock(null, isTimeout: true);
            await Task.Delay(Pause, clock);
        }
    }

    /// <summary>For uses without a lock: nothing may be written.</summary>
    public static FileLock None() => new(null, isTimeout: false);

    public void Dispose() => _held?.Dispose();

    private static (IDisposable? Held, bool IsBusy) Try(string path, string dataFolder, FileSteps steps)
    {
        foreach (string candidate in new[] { path + ".lock", Elsewhere(path, dataFolder) })
        {
            try
            {
                if (candidate != path + ".lock") MakeFolder(System.IO.Path.GetDirectoryName(candidate)!);
                IDisposable? held = steps.TryLock(candidate);
                return (held, held is null);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // This place cannot hold a lock file; every process of ours finds that out alike.
            }
        }

        return (null, false);
    }

    private static string Elsewhere(string path, string dataFolder)
    {
        if (dataFolder.Length == 0)
        {
            string? runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
            dataFolder = System.IO.Path.Combine(string.IsNullOrEmpty(runtime) ? System.IO.Path.GetTempPath() : runtime, "aiproxy");
        }

        return System.IO.Path.Combine(dataFolder, "locks", Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..32] + ".lock");
    }

    private static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
