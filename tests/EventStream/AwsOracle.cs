using System.Buffers.Binary;
using System.Text;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

/// <summary>Reads a whole body the slow and obvious way, rule by rule: what the reader's result is compared with.</summary>
/// <param name="Frames">Offset and length of each frame that may be handed out.</param>
/// <param name="Fault">Null: the body ends between two frames, or with an exception.</param>
public sealed record AwsOracle(List<(int Offset, int Length)> Frames, FrameFault? Fault)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static AwsOracle Read(byte[] body, AwsMessageRule rule, int maxPayloadBytes)
    {
        var frames = new List<(int, int)>();
        long at = 0;
        while (at < body.Length)
        {
            if (FaultOf(body.AsSpan((int)at), rule, maxPayloadBytes, out long length, out bool isLast) is { } fault) return new AwsOracle(frames, fault);
            frames.Add(((int)at, (int)length));
            at += length;
            if (isLast) break;
        }
        return new AwsOracle(frames, null);
    }

    private static FrameFault? FaultOf(ReadOnlySpan<byte> rest, AwsMessageRule rule, int maxPayloadBytes, out long total, out bool isLast)
    {
        (total, isLast) = (0, false);
        if (rest.Length < 12) return FrameFault.Truncated;
        if (Number(rest[8..]) != Crc32Plain.Of(rest[..8])) return FrameFault.PreludeChecksum;
        total = Number(rest);
        long headers = Number(rest[4..]);
        if (total < 16) return FrameFault.TooShort;
        if (headers > 128 * 1024 || headers > total - 16) return FrameFault.HeadersLength;
        if (total - 16 - headers > maxPayloadBytes) return FrameFault.TooLong;
        if (total > rest.Length) return FrameFault.Truncated;
        ReadOnlySpan<byte> frame = rest[..(int)total];
        if (Number(frame[^4..]) != Crc32Plain.Of(frame[..^4])) return FrameFault.MessageChecksum;
        var found = new Dictionary<string, (int Type, string Value)>();
        return FaultOfHeaders(frame.Slice(12, (int)headers), found) ?? FaultOfMessage(found, rule, out isLast);
    }

    private static FrameFault? FaultOfHeaders(ReadOnlySpan<byte> block, Dictionary<string, (int, string)> found)
    {
        while (block.Length > 0)
        {
            int nameLength = block[0];
            if (nameLength == 0 || 1 + nameLength > block.Length) return FrameFault.HeaderName;
            if (Text(block.Slice(1, nameLength)) is not { } name) return FrameFault.HeaderText;
            block = block[(1 + nameLength)..];
            if (block.Length == 0 || block[0] > 9) return FrameFault.HeaderType;
            int type = block[0];
            block = block[1..];
            int length = new[] { 0, 0, 1, 2, 4, 8, -1, -1, 8, 16 }[type];
            if (length < 0)
            {
                if (block.Length < 2) return FrameFault.HeaderValue;
                length = block[0] * 256 + block[1];
                block = block[2..];
            }
            if (length > block.Length) return FrameFault.HeaderValue;
            string? text = Text(block[..length]);
            if (type == 7 && text is null) return FrameFault.HeaderText;
            block = block[length..];
            if (found.Count == 1024) return FrameFault.TooManyHeaders;
            if (!found.TryAdd(name, (type, text ?? ""))) return FrameFault.DuplicateHeader;
        }
        return null;
    }

    private static FrameFault? FaultOfMessage(Dictionary<string, (int Type, string Value)> found, AwsMessageRule rule, out bool isLast)
    {
        bool hasType = found.TryGetValue(":message-type", out (int Type, string Value) type);
        bool hasEvent = found.TryGetValue(":event-type", out (int Type, string Value) name) && name.Type == 7;
        bool isException = hasType && type is (7, "exception" or "error");
        isLast = isException && rule != AwsMessageRule.Any;
        if (rule == AwsMessageRule.Any || isException) return null;
        if (!hasType) return hasEvent && rule == AwsMessageRule.EventTypeSuffices ? null : FrameFault.MessageType;
        if (type is not (7, "event")) return FrameFault.MessageType;
        return hasEvent ? null : FrameFault.EventType;
    }

    private static uint Number(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes);

    private static string? Text(ReadOnlySpan<byte> bytes)
    {
        // Throwing for every broken text would take most of a fuzz run.
        if (!System.Text.Unicode.Utf8.IsValid(bytes)) return null;
        return Strict.GetString(bytes);
    }
}
