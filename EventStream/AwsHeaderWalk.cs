using System.Buffers.Binary;
using System.Text.Unicode;

namespace Aiproxy.EventStream;

/// <summary>Goes from header to header of a block; every length is checked against the block before it is believed.</summary>
/// <remarks>A header: name length u8, name, value type u8, value. An unknown type has an unknown length, so nothing behind it can be read.</remarks>
public ref struct AwsHeaderWalk(ReadOnlySpan<byte> block)
{
    private const int UnknownType = -1;
    private const int OwnLength = -2;

    private readonly ReadOnlySpan<byte> _block = block;
    private int _next;

    public AwsHeader Current { get; private set; }

    /// <summary>Where the current header begins in the block.</summary>
    public int Offset { get; private set; }

    /// <summary>Why MoveNext answered false; null: the block was used up exactly.</summary>
    public FrameException? Broken { get; private set; }

    public bool MoveNext()
    {
        ReadOnlySpan<byte> rest = _block[_next..];
        if (rest.IsEmpty || Broken is not null) return false;
        Offset = _next;

        int nameLength = rest[0];
        if (nameLength == 0) return Break(FrameFault.HeaderName, "a name of at least", 1, 0);
        if (nameLength > rest.Length - 1) return Break(FrameFault.HeaderName, "a name of", nameLength, rest.Length - 1);
        ReadOnlySpan<byte> name = rest.Slice(1, nameLength);
        rest = rest[(1 + nameLength)..];
        if (!Utf8.IsValid(name)) return BreakText("name");

        if (rest.IsEmpty) return Break(FrameFault.HeaderType, "a value type of", 1, 0);
        var type = (AwsHeaderType)rest[0];
        rest = rest[1..];
        int length = LengthOf(type);
        if (length == UnknownType) return BreakType((int)type);
        if (length == OwnLength)
        {
            if (rest.Length < 2) return Break(FrameFault.HeaderValue, "a value length of", 2, rest.Length);
            length = BinaryPrimitives.ReadUInt16BigEndian(rest);
            rest = rest[2..];
        }
        if (length > rest.Length) return Break(FrameFault.HeaderValue, "a value of", length, rest.Length);
        ReadOnlySpan<byte> value = rest[..length];
        if (type == AwsHeaderType.String && !Utf8.IsValid(value)) return BreakText("string");

        Current = new AwsHeader(name, type, value);
        _next = _block.Length - rest.Length + length;
        return true;
    }

    private static int LengthOf(AwsHeaderType type) => type switch
    {
        AwsHeaderType.String or AwsHeaderType.Bytes => OwnLength,
        AwsHeaderType.True or AwsHeaderType.False => 0,
        AwsHeaderType.Byte => 1,
        AwsHeaderType.Short => 2,
        AwsHeaderType.Integer => 4,
        AwsHeaderType.Long or AwsHeaderType.Timestamp => 8,
        AwsHeaderType.Uuid => 16,
        _ => UnknownType,
    };

    private bool Break(FrameFault fault, string what, int expected, int actual)
    {
        Broken = new FrameException(fault, $"header at offset {Offset} of its block: expected {what} {expected} bytes, got {actual}", expected, actual);
        return false;
    }

    private bool BreakType(int type)
    {
        Broken = new FrameException(FrameFault.HeaderType, $"header at offset {Offset} of its block: expected a value type of 0 to 9, got {type}", (int)AwsHeaderType.Uuid, type);
        return false;
    }

    private bool BreakText(string what)
    {
        Broken = new FrameException(FrameFault.HeaderText, $"header at offset {Offset} of its block: its {what} is no UTF-8");
        return false;
    }
}
