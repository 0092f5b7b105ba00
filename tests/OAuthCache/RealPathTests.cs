using Aiproxy.OAuthCache;
using Aiproxy.Tests.Config;

namespace Aiproxy.Tests.OAuthCache;

public sealed class RealPathTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Plain_IsItself() => Assert.Equal(_folder.At("a"), RealPath.Of(_folder.Path + "/x/../a"));

    [Fact]
    public void Links_OfFilesAndFolders_AreFollowed()
    {
        Directory.CreateDirectory(_folder.At("real"));
        Directory.CreateSymbolicLink(_folder.At("folder"), "real");
        File.CreateSymbolicLink(_folder.At("real/link"), "../folder/target");
        Assert.Equal(_folder.At("real/target"), RealPath.Of(_folder.At("folder/link")));
    }

    [Fact]
    public void Circle_Ends()
    {
        File.CreateSymbolicLink(_folder.At("a"), "b");
        File.CreateSymbolicLink(_folder.At("b"), "a");
        Assert.NotEmpty(RealPath.Of(_folder.At("a")));
    }
}
