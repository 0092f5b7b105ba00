namespace Aiproxy.OAuthCache;

/// <summary>Keeps a running proxy from writing back the old tokens of a file whose sign-in is just being replaced.</summary>
/// <remarks>An empty file beside it, which stays: removed, two processes could hold two files of one name.</remarks>
public static class LoginLock
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits at most 30 s, then goes on without: a sign-in must not be lost to a lock. null: without.</summary>
    /// <param name="path">The auth file, links resolved.</param>
    public static async Task<IDisposable?> TakeAsync(string path, TimeProvider clock, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        long start = clock.GetTimestamp();
        while (clock.GetElapsedTime(start) < Longest)
        {
            try
            {
                return new FileStream(path + ".lock", options);
            }
            catch (UnauthorizedAccessException)
            {
                return null;
            }
            catch (IOException)
            {
                await Task.Delay(Pause, clock, cancellationToken).ConfigureAwait(false);
            }
        }
        return null;
    }
}
