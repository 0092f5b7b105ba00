using System.Buffers;
using System.Text;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

public sealed class HeldOutputTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(300)]
    [InlineData(5000)]
    public async Task Output_IsHeldUntilItIsReleased_ThenGoesOnWithEachCommit(int bytes)
    {
        var client = new MemoryClient();
        var target = new AtLeast(client.Body);
        using var output = new HeldOutput();
        output.Write(Bytes('a', bytes));
        output.Commit();
        output.Write(Bytes('b', bytes));
        Assert.Equal(2 * bytes, output.HeldBytes);
        Assert.Equal(Text('a', bytes) + Text('b', bytes), Encoding.ASCII.GetString(output.Held.Span));
        Assert.Equal(0, client.MostPending);

        output.Release(target);
        Assert.Equal(0, output.HeldBytes);
        output.Write(Bytes('c', bytes));
        output.Write(Bytes('d', bytes));
        output.Commit();
        output.Commit();
        await client.Body.FlushAsync();
        output.Write(Bytes('e', 1));
        output.Commit();
        await client.Body.FlushAsync();
        Assert.Equal(Text('a', bytes) + Text('b', bytes) + Text('c', bytes) + Text('d', bytes) + "e", client.Text);
    }

    [Fact]
    public void SmallPieces_TakeOneStepInTheClientsOutput()
    {
        var client = new MemoryClient();
        var target = new AtLeast(client.Body);
        using var output = new HeldOutput();
        output.Release(target);
        for (int i = 0; i < 100; i++) output.Write(Bytes('x', 5));
        output.Commit();
        Assert.Equal(1, target.Steps);
    }

    private static byte[] Bytes(char letter, int count) => Encoding.ASCII.GetBytes(Text(letter, count));

    private static string Text(char letter, int count) => new(letter, count);

    private sealed class AtLeast(IBufferWriter<byte> next) : IBufferWriter<byte>
    {
        public int Steps { get; private set; }

        public void Advance(int count)
        {
            Steps++;
            next.Advance(count);
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => next.GetMemory(Math.Max(1024, sizeHint));

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
