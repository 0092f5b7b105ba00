using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace Aiproxy.Protocols;

/// <summary>Pieces that are written as one: room is asked for once, and a piece costs little more than its copy. Nothing is written before <see cref="End"/>,
/// and nobody else may write to the output until then.</summary>
public ref struct OutputRun(IBufferWriter<byte> output)
{
    private const int MostDigits = 20;

    private readonly IBufferWriter<byte> _output = output;
    private Span<byte> _room = output.GetSpan();
    private int _count;

    /// <remarks>Inlined, so that the copy of a constant is a few stores.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ReadOnlySpan<byte> piece)
    {
        if (piece.Length > _room.Length - _count)
        {
            AddBeyond(piece);
            return;
        }
        piece.CopyTo(_room[_count..]);
        _count += piece.Length;
    }

    public void AddNumber(long value)
    {
        if (_room.Length - _count < MostDigits)
        {
            End();
            _room = _output.GetSpan(MostDigits);
        }
        if (value is >= 0 and < 10)
        {
            _room[_count++] = (byte)('0' + value);
            return;
        }
        Utf8Formatter.TryFormat(value, _room[_count..], out int written);
        _count += written;
    }

    private void AddBeyond(ReadOnlySpan<byte> piece)
    {
        End();
        _output.Write(piece);
        _room = _output.GetSpan();
    }

    /// <summary>Writes what is left.</summary>
    public void End()
    {
        _output.Advance(_count);
        _count = 0;
        _room = default;
    }
}
