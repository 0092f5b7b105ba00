using System.Runtime.InteropServices;

namespace Aiproxy.OAuthCache;

/// <summary>Who may read a file, and whose it is.</summary>
public static partial class FileRights
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    // statx: relative to the working folder, links followed; its answer is 256 bytes on every architecture.
    private const int AtFdCwd = -100;
    private const uint StatxUidGid = 0x8 | 0x10;
    private const int StatxUidOffset = 20;
    private const int StatxBytes = 256;

    private const uint Unchanged = uint.MaxValue;

    /// <summary>true where other accounts of the machine may read it. Always false on Windows, where the profile's rights hold.</summary>
    public static bool IsOpenToOthers(string path)
    {
        if (OperatingSystem.IsWindows()) return false;
        try
        {
            return (File.GetUnixFileMode(path) & Others) != 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Gives <paramref name="copy"/> the mode and owner of <paramref name="original"/>.</summary>
    /// <returns>What could not be kept; null: nothing.</returns>
    internal static string? Keep(string original, string copy)
    {
        if (OperatingSystem.IsWindows()) return null;
        string? problem = OperatingSystem.IsLinux() ? KeepOwner(original, copy) : null;
        UnixFileMode mode = File.GetUnixFileMode(original);
        try
        {
            // The owner first: changing it may clear bits of the mode.
            File.SetUnixFileMode(copy, mode);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // File systems without modes.
            problem ??= "its mode could not be kept";
        }

        return problem;
    }

    private static string? KeepOwner(string original, string copy)
    {
        try
        {
            if (Owner(original) is not { } wanted || Owner(copy) is not { } got || wanted == got) return null;
            if (Chown(copy, wanted.User, wanted.Group) == 0) return null;
            bool isGroupKept = wanted.Group == got.Group || Chown(copy, Unchanged, wanted.Group) == 0;
            return wanted.User == got.User && isGroupKept ? null : "its owner could not be kept";
        }
        catch (Exception failure) when (failure is EntryPointNotFoundException or DllNotFoundException)
        {
            return null;
        }
    }

    private static (uint User, uint Group)? Owner(string path)
    {
        byte[] answer = new byte[StatxBytes];
        if (Statx(AtFdCwd, path, 0, StatxUidGid, answer) != 0) return null;
        return (BitConverter.ToUInt32(answer, StatxUidOffset), BitConverter.ToUInt32(answer, StatxUidOffset + sizeof(uint)));
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, [Out] byte[] answer);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);
}
