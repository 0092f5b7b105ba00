using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

/// <summary>A header block being written, header by header.</summary>
public sealed class AwsHeaderBlock
{
    private readonly ArrayBufferWriter<byte> _output = new();

    public ReadOnlySpan<byte> Written => _output.WrittenSpan;

    public AwsHeaderBlock String(string name, string text) => WithLength(name, AwsHeaderType.String, Encoding.UTF8.GetBytes(text));

    public AwsHeaderBlock Bytes(string name, ReadOnlySpan<byte> content) => WithLength(name, AwsHeaderType.Bytes, content);

    public AwsHeaderBlock Boolean(string name, bool value) => Raw(name, value ? AwsHeaderType.True : AwsHeaderType.False, default);

    public AwsHeaderBlock Byte(string name, sbyte value) => Raw(name, AwsHeaderType.Byte, [(byte)value]);

    public AwsHeaderBlock Short(string name, short value) => Number(name, AwsHeaderType.Short, value, sizeof(short));

    public AwsHeaderBlock Integer(string name, int value) => Number(name, AwsHeaderType.Integer, value, sizeof(int));

    public AwsHeaderBlock Long(string name, long value) => Number(name, AwsHeaderType.Long, value, sizeof(long));

    public AwsHeaderBlock Timestamp(string name, long milliseconds) => Number(name, AwsHeaderType.Timestamp, milliseconds, sizeof(long));

    public AwsHeaderBlock Uuid(string name, Guid value) => Raw(name, AwsHeaderType.Uuid, value.ToByteArray(bigEndian: true));

    /// <summary>Any type number with any bytes as its value.</summary>
    public AwsHeaderBlock Raw(string name, AwsHeaderType type, ReadOnlySpan<byte> value)
    {
        byte[] nameBytes = Encoding.UTF8.GetBytes(name);
        _output.Write([checked((byte)nameBytes.Length)]);
        _output.Write(nameBytes);
        _output.Write([(byte)type]);
        _output.Write(value);
        return this;
    }

    private AwsHeaderBlock WithLength(string name, AwsHeaderType type, ReadOnlySpan<byte> content)
    {
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, checked((ushort)content.Length));
        return Raw(name, type, [.. length, .. content]);
    }

    private AwsHeaderBlock Number(string name, AwsHeaderType type, long value, int size)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return Raw(name, type, bytes[^size..]);
    }
}
