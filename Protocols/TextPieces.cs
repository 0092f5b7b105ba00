using System.Buffers;

namespace Aiproxy.Protocols;

/// <summary>A text that grows to any length: pieces of pooled memory that are never copied again. Dispose gives them back; who forgets to leaves them to
/// the garbage collector. Not thread-safe.</summary>
public sealed class TextPieces : IDisposable
{
    private const int FirstBytes = 256;

    /// <summary>Below the size from which the runtime keeps arrays apart and frees them late.</summary>
    private const int LargestBytes = 64 * 1024;

    private readonly List<(byte[] Bytes, int Count)> _full = [];
    private byte[] _last = [];
    private int _count;

    /// <summary>In bytes.</summary>
    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> text)
    {
        Length += text.Length;
        while (true)
        {
            int fits = Math.Min(text.Length, _last.Length - _count);
            text[..fits].CopyTo(_last.AsSpan(_count));
            _count += fits;
            text = text[fits..];
            if (text.IsEmpty) return;
            if (_count > 0) _full.Add((_last, _count));
            _last = ArrayPool<byte>.Shared.Rent(Math.Clamp(2 * _last.Length, FirstBytes, LargestBytes));
            _count = 0;
        }
    }

    public void WriteTo(IBufferWriter<byte> output)
    {
        foreach ((byte[] bytes, int count) in _full) output.Write(bytes.AsSpan(0, count));
        output.Write(_last.AsSpan(0, _count));
    }

    /// <summary>In one piece, with a quote in front and one behind: a JSON string token where the text is the inside of one.</summary>
    public byte[] ToToken()
    {
        byte[] token = new byte[Length + 2];
        token[0] = token[^1] = (byte)'"';
        int at = 1;
        foreach ((byte[] bytes, int count) in _full)
        {
            bytes.AsSpan(0, count).CopyTo(token.AsSpan(at));
            at += count;
        }
        _last.AsSpan(0, _count).CopyTo(token.AsSpan(at));
        return token;
    }

    /// <summary>Forgets the text.</summary>
    public void Dispose()
    {
        foreach ((byte[] bytes, int _) in _full) ArrayPool<byte>.Shared.Return(bytes);
        _full.Clear();
        if (_last.Length > 0) ArrayPool<byte>.Shared.Return(_last);
        _last = [];
        _count = 0;
        Length = 0;
    }
}
