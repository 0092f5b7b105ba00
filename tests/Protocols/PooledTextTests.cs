using System.Buffers;
using System.Text;
using Aiproxy.Protocols;

namespace Aiproxy.Tests.Protocols;

public sealed class PooledTextTests
{
    [Theory]
    [InlineData(1, 1000)]
    [InlineData(7, 40_000)]
    [InlineData(255, 2000)]
    [InlineData(256, 2000)]
    [InlineData(100_000, 5)]
    public void Pieces_AreOneText(int bytes, int count)
    {
        using var pieces = new TextPieces();
        using var pooled = new PooledBytes();
        var expected = new StringBuilder();
        for (int i = 0; i < count; i++)
        {
            string piece = new((char)('a' + i % 26), bytes);
            pieces.Append(Encoding.ASCII.GetBytes(piece));
            pooled.Write(Encoding.ASCII.GetBytes(piece));
            expected.Append(piece);
        }
        var output = new ArrayBufferWriter<byte>();
        pieces.WriteTo(output);
        Assert.Equal(expected.Length, pieces.Length);
        Assert.Equal(expected.ToString(), Encoding.ASCII.GetString(output.WrittenSpan));
        Assert.Equal($"\"{expected}\"", Encoding.ASCII.GetString(pieces.ToToken()));
        Assert.Equal(expected.ToString(), Encoding.ASCII.GetString(pooled.Written));
    }

    [Fact]
    public void DisposedText_IsEmptyAndMayBeginAgain()
    {
        var pieces = new TextPieces();
        var pooled = new PooledBytes();
        pieces.Append("secret"u8);
        pooled.Write("secret"u8);
        for (int i = 0; i < 2; i++)
        {
            pieces.Dispose();
            pooled.Dispose();
        }
        Assert.Equal(0, pieces.Length);
        Assert.Equal("\"\"", Encoding.ASCII.GetString(pieces.ToToken()));
        Assert.True(pooled.Written.IsEmpty);
        pieces.Append("new"u8);
        pooled.Write("new"u8);
        Assert.Equal("\"new\"", Encoding.ASCII.GetString(pieces.ToToken()));
        Assert.Equal("new", Encoding.ASCII.GetString(pooled.Written));
    }

    [Fact]
    public void EmptyAppends_LeaveNoPieces()
    {
        using var pieces = new TextPieces();
        pieces.Append(default);
        Assert.Equal("\"\"", Encoding.ASCII.GetString(pieces.ToToken()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(4096)]
    public void Run_WritesItsPiecesInOrderHoweverSmallTheRoom(int room)
    {
        var output = new SmallRoom(room);
        var run = new OutputRun(output);
        run.Add("one,"u8);
        run.AddNumber(long.MinValue);
        run.Add(default);
        run.Add(","u8);
        run.Add(Encoding.ASCII.GetBytes(new string('x', 5000)));
        run.AddNumber(7);
        run.End();
        Assert.Equal($"one,{long.MinValue},{new string('x', 5000)}7", Encoding.ASCII.GetString(output.Written.ToArray()));
    }

    /// <summary>Gives no more room than it must.</summary>
    private sealed class SmallRoom(int room) : IBufferWriter<byte>
    {
        private byte[] _lent = [];

        public List<byte> Written { get; } = [];

        public void Advance(int count)
        {
            Written.AddRange(_lent.AsSpan(0, count));
            _lent = _lent[count..];
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => _lent = new byte[Math.Max(room, sizeHint)];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
