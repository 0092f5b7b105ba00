using System.Buffers.Binary;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

/// <summary>Bodies of one to three messages, sound or broken in one of the ways in which a wire or an enemy breaks them.</summary>
public static class AwsMutation
{
    private static readonly string[] Names = ["a", "b", "name", ":event-type", ":message-type", ":exception-type", ":error-code", ":error-message", ":content-type", "ü", "x-amzn-kind"];
    private static readonly string[] Values = ["event", "event", "exception", "error", "chunk", "", "application/json", "é€", "Event", "throttlingException"];
    private static readonly uint[] Lengths = [0, 1, 11, 12, 15, 16, 17, 28, 100, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF, 131071, 131072, 131073, 25165824, 25165840, 25165841, 25296912, 25296913];

    public static byte[] Body(ref SeededRandom random)
    {
        byte[][] frames = new byte[1 + random.Next(3)][];
        for (int index = 0; index < frames.Length; index++) frames[index] = Message(ref random);
        int broken = random.Next(frames.Length);
        frames[broken] = Mutate(frames[broken], ref random);
        return [.. frames.SelectMany(frame => frame)];
    }

    private static byte[] Message(ref SeededRandom random)
    {
        // One in a hundred is larger than a segment, and larger than what the copy buffer keeps.
        var payload = new byte[random.Next(100) == 0 ? random.Next(100_000) : random.Next(300)];
        random.Fill(payload.AsSpan(0, Math.Min(payload.Length, 64)));
        if (random.Next(4) > 0) return AwsFrameWriter.Event("chunk", payload);
        var headers = new AwsHeaderBlock();
        if (random.Next(200) == 0)
        {
            int count = random.Next(1100);
            for (int index = 0; index < count; index++) headers.Boolean(random.Next(2000) == 0 ? "h0" : $"h{index}", true);
        }
        int first = random.Next(Names.Length);
        for (int index = random.Next(6); index > 0; index--) Add(headers, Names[(first + index) % Names.Length], ref random);
        return AwsFrameWriter.Message(headers, payload);
    }

    private static void Add(AwsHeaderBlock headers, string name, ref SeededRandom random)
    {
        var type = (AwsHeaderType)random.Next(10);
        string text = Values[random.Next(Values.Length)];
        // The protocol's own headers are strings mostly.
        if (type == AwsHeaderType.String || (name[0] == ':' && random.Next(8) > 0)) headers.String(name, text);
        else if (type == AwsHeaderType.Bytes) headers.Bytes(name, [1, 2, 3]);
        else if (type == AwsHeaderType.Uuid) headers.Uuid(name, Guid.Empty);
        else if (type == AwsHeaderType.Long) headers.Long(name, (long)random.Next());
        else if (type == AwsHeaderType.Timestamp) headers.Timestamp(name, (long)random.Next());
        else if (type == AwsHeaderType.Integer) headers.Integer(name, (int)random.Next());
        else if (type == AwsHeaderType.Short) headers.Short(name, (short)random.Next());
        else if (type == AwsHeaderType.Byte) headers.Byte(name, (sbyte)random.Next());
        else headers.Boolean(name, type == AwsHeaderType.True);
    }

    private static byte[] Mutate(byte[] frame, ref SeededRandom random)
    {
        int headers = BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(4));
        switch (random.Next(12))
        {
            case 0:
                return frame;
            case 1:
                for (int count = 1 + random.Next(4); count > 0; count--) frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
                return frame;
            case 2:
                random.Fill(frame.AsSpan(random.Next(frame.Length))[..1]);
                return frame;
            case 3:
                return frame[..random.Next(frame.Length)];
            case 4:
                int at = random.Next(frame.Length);
                return [.. frame[..at], .. frame[Math.Min(at + 1 + random.Next(20), frame.Length)..]];
            case 5:
                int behind = random.Next(frame.Length);
                return [.. frame[..behind], .. new byte[1 + random.Next(20)], .. frame[behind..]];
            case 6:
                return WithLengths(frame, ref random);
            case 7:
                // Anything with a prelude that holds, of a length that is there or not.
                random.Fill(frame);
                BinaryPrimitives.WriteUInt32BigEndian(frame, random.Next(2) == 0 ? (uint)frame.Length : (uint)random.Next(2 * frame.Length));
                BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), random.Next(frame.Length));
                AwsFrameWriter.SealPrelude(frame);
                return frame;
            case 8:
                random.Fill(frame.AsSpan(0, 1 + random.Next(frame.Length)));
                return frame;
            case 9:
                // A headers length that cuts a header or reaches into the payload.
                BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), Math.Clamp(headers - 4 + random.Next(9), 0, frame.Length - AwsFrameReader.LeastFrameBytes));
                AwsFrameWriter.Seal(frame, (uint)frame.Length);
                return frame;
            default:
                for (int count = 1 + random.Next(3); count > 0 && headers > 0; count--)
                {
                    ref byte place = ref frame[AwsFrameReader.PreludeBytes + random.Next(headers)];
                    place = random.Next(3) switch { 0 => (byte)random.Next(12), 1 => (byte)(place ^ (1 << random.Next(8))), _ => (byte)random.Next(256) };
                }
                AwsFrameWriter.Seal(frame, (uint)frame.Length);
                return frame;
        }
    }

    private static byte[] WithLengths(byte[] frame, ref SeededRandom random)
    {
        int which = random.Next(3);
        if (which != 1) BinaryPrimitives.WriteUInt32BigEndian(frame, Lengths[random.Next(Lengths.Length)]);
        if (which != 0) BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), Lengths[random.Next(Lengths.Length)]);
        AwsFrameWriter.SealPrelude(frame);
        return frame;
    }
}
