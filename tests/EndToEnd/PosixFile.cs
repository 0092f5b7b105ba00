using System.Runtime.InteropServices;

namespace Aiproxy.Tests.EndToEnd;

/// <summary><c>rename(2)</c> itself: it replaces a link by a link, also where the link names a folder.</summary>
public static partial class PosixFile
{
    public static void Rename(string from, string to)
    {
        if (RenameCore(from, to) != 0) throw new IOException($"rename({from}, {to}): errno {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameCore(string from, string to);
}
