using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

/// <summary>Writes AWS event-stream messages, as a service would. The product only reads them.</summary>
public static class AwsFrameWriter
{
    /// <summary>An event with its headers in the order in which Bedrock sends them.</summary>
    public static byte[] Event(string eventType, ReadOnlySpan<byte> payload, string contentType = "application/json") =>
        Message(new AwsHeaderBlock().String(":event-type", eventType).String(":content-type", contentType).String(":message-type", "event"), payload);

    public static byte[] Event(string eventType, string json) => Event(eventType, Encoding.UTF8.GetBytes(json));

    /// <summary>An error that the service modelled. The stream ends with it.</summary>
    public static byte[] Exception(string exceptionType, string json) => Message(
        new AwsHeaderBlock().String(":exception-type", exceptionType).String(":content-type", "application/json").String(":message-type", "exception"),
        Encoding.UTF8.GetBytes(json));

    /// <summary>An error that it did not model: code and text are headers, there is no payload.</summary>
    public static byte[] Error(string code, string text) =>
        Message(new AwsHeaderBlock().String(":error-code", code).String(":error-message", text).String(":message-type", "error"), default);

    public static byte[] Message(AwsHeaderBlock headers, ReadOnlySpan<byte> payload)
    {
        var output = new ArrayBufferWriter<byte>(AwsFrameReader.LeastFrameBytes + headers.Written.Length + payload.Length);
        Write(output, headers.Written, payload);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>One message. Neither block nor payload is looked at, but both are kept within the protocol's limits.</summary>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> headerBlock, ReadOnlySpan<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headerBlock.Length, AwsFrameReader.MaxHeadersBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, AwsFrameReader.MaxPayloadBytes);
        int length = AwsFrameReader.LeastFrameBytes + headerBlock.Length + payload.Length;
        Span<byte> frame = output.GetSpan(length)[..length];
        BinaryPrimitives.WriteInt32BigEndian(frame[4..], headerBlock.Length);
        headerBlock.CopyTo(frame[AwsFrameReader.PreludeBytes..]);
        payload.CopyTo(frame[(AwsFrameReader.PreludeBytes + headerBlock.Length)..]);
        Seal(frame, (uint)length);
        output.Advance(length);
    }

    /// <summary>Makes total length and both checksums of a frame right, whatever else is wrong with it.</summary>
    public static void Seal(Span<byte> frame, uint totalLength)
    {
        BinaryPrimitives.WriteUInt32BigEndian(frame, totalLength);
        SealPrelude(frame);
        BinaryPrimitives.WriteUInt32BigEndian(frame[^4..], Crc32.Of(frame[..^4]));
    }

    /// <summary>Makes the checksum of the first eight bytes right.</summary>
    public static void SealPrelude(Span<byte> frame) => BinaryPrimitives.WriteUInt32BigEndian(frame[8..], Crc32.Of(frame[..8]));
}
