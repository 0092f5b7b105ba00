using System.Text;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

public sealed class SplicedContentTests
{
    [Fact]
    public async Task Content_IsItsSegmentsInOrder()
    {
        var content = new SplicedContent(["ab"u8.ToArray(), ReadOnlyMemory<byte>.Empty, "c"u8.ToArray()]);
        Assert.Equal("abc", await content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(3, content.Headers.ContentLength);
    }

    [Fact]
    public async Task WhileItIsWritten_ItIsBeingSent_AlsoWhenThatFails()
    {
        var content = new SplicedContent([Encoding.UTF8.GetBytes("abc")]);
        Assert.False(content.IsBeingSent);
        var slow = new SlowStream();
        Task sending = content.CopyToAsync(slow, TestContext.Current.CancellationToken);
        Assert.True(content.IsBeingSent);
        slow.Gate.SetException(new IOException("gone"));
        await Assert.ThrowsAnyAsync<Exception>(() => sending);
        Assert.False(content.IsBeingSent);
    }
}
