using System.Buffers.Binary;

namespace Aiproxy.EventStream;

/// <summary>The ten value types; the numbers are the wire's.</summary>
public enum AwsHeaderType : byte
{
    True = 0,
    False = 1,
    Byte = 2,
    Short = 3,
    Integer = 4,
    Long = 5,
    Bytes = 6,
    String = 7,
    Timestamp = 8,
    Uuid = 9,
}

/// <summary>One header of an AWS message. Lives as long as the bytes it was read from.</summary>
public readonly ref struct AwsHeader(ReadOnlySpan<byte> name, AwsHeaderType type, ReadOnlySpan<byte> value)
{
    /// <summary>UTF-8. A leading colon makes it the protocol's own, otherwise it is the service's.</summary>
    public ReadOnlySpan<byte> Name { get; } = name;

    public AwsHeaderType Type { get; } = type;

    /// <summary>The value's bytes without their length: content of Bytes, UTF-8 of String, big-endian for the others, empty for True and False.</summary>
    public ReadOnlySpan<byte> Value { get; } = value;

    public bool IsTrue => Type == AwsHeaderType.True;

    /// <summary>Value of Byte, Short, Integer, Long (all signed) and Timestamp (milliseconds since 1970); 0 for every other type.</summary>
    public long Number => Type switch
    {
        AwsHeaderType.Byte => (sbyte)Value[0],
        AwsHeaderType.Short => BinaryPrimitives.ReadInt16BigEndian(Value),
        AwsHeaderType.Integer => BinaryPrimitives.ReadInt32BigEndian(Value),
        AwsHeaderType.Long or AwsHeaderType.Timestamp => BinaryPrimitives.ReadInt64BigEndian(Value),
        _ => 0,
    };

    /// <summary>All zeros for every type but Uuid.</summary>
    public Guid Uuid => Type == AwsHeaderType.Uuid ? new Guid(Value, bigEndian: true) : Guid.Empty;

    /// <summary>False: another type, or a time outside the years 1 to 9999.</summary>
    public bool TryGetTimestamp(out DateTimeOffset time)
    {
        time = default;
        long number = Number;
        if (Type != AwsHeaderType.Timestamp || number < DateTimeOffset.MinValue.ToUnixTimeMilliseconds() || number > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return false;
        time = DateTimeOffset.FromUnixTimeMilliseconds(number);
        return true;
    }
}

/// <summary>The header block of an AWS message, read where it lies. <c>foreach</c> gives the headers in their order and ends before a broken one.</summary>
public readonly ref struct AwsHeaders(ReadOnlySpan<byte> block)
{
    private readonly ReadOnlySpan<byte> _block = block;

    /// <summary>The headers of a frame that an <see cref="AwsFrameReader"/> handed out: what <see cref="Frame"/> has no member for, such as <c>:error-message</c>.</summary>
    /// <param name="raw"><see cref="Frame.Raw"/> of that frame; of another framing the headers are empty.</param>
    public static AwsHeaders OfMessage(ReadOnlySpan<byte> raw)
    {
        if (raw.Length < AwsFrameReader.LeastFrameBytes) return default;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(raw[4..]);
        return length <= raw.Length - AwsFrameReader.LeastFrameBytes ? new(raw.Slice(AwsFrameReader.PreludeBytes, (int)length)) : default;
    }

    public AwsHeaderWalk GetEnumerator() => new(_block);

    /// <param name="name">Compared byte by byte.</param>
    /// <param name="header">Of a type with empty content where the answer is false.</param>
    public bool TryGet(ReadOnlySpan<byte> name, out AwsHeader header)
    {
        foreach (AwsHeader candidate in this)
        {
            if (!candidate.Name.SequenceEqual(name)) continue;
            header = candidate;
            return true;
        }
        header = default;
        return false;
    }

    /// <summary>False: there is no such header, or it is no string.</summary>
    public bool TryGetString(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> text)
    {
        bool isString = TryGet(name, out AwsHeader header) && header.Type == AwsHeaderType.String;
        text = isString ? header.Value : default;
        return isString;
    }
}
