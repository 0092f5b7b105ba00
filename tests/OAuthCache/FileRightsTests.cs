using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Aiproxy.OAuthCache;
using Aiproxy.Tests.Config;

namespace Aiproxy.Tests.OAuthCache;

[UnsupportedOSPlatform("windows")]
public sealed partial class FileRightsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReplacedFile_KeepsModeOwnerAndGroup()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root gives files away");
        string original = _folder.Write("a", "x");
        string copy = _folder.Write("b", "x");
        Assert.Equal(0, Chown(original, 12345, 54321));
        File.SetUnixFileMode(original, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Null(FileSteps.System.KeepRights(original, copy));
        Assert.Equal((12345u, 54321u), OwnerOf(copy));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead, File.GetUnixFileMode(copy));
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite, false)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupRead, true)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead, true)]
    public void Mode_TellsWhoMayRead(UnixFileMode mode, bool isOpen)
    {
        string path = _folder.Write("a", "x");
        File.SetUnixFileMode(path, mode);
        Assert.Equal(isOpen, FileRights.IsOpenToOthers(path));
    }

    [Fact]
    public void MissingOriginal_IsNotMadeAgain() => Assert.ThrowsAny<IOException>(() => FileSteps.System.KeepRights(_folder.At("none"), _folder.Write("b", "x")));

    private static (uint User, uint Group) OwnerOf(string path)
    {
        byte[] answer = new byte[256];
        Assert.Equal(0, Statx(-100, path, 0, 0x18, answer));
        return (BitConverter.ToUInt32(answer, 20), BitConverter.ToUInt32(answer, 24));
    }

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, [Out] byte[] answer);
}
