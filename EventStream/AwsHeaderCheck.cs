using System.Runtime.CompilerServices;

namespace Aiproxy.EventStream;

/// <summary>Checks a whole header block in one walk and keeps what the message says of itself. Allocates only to say what is wrong.</summary>
public static class AwsHeaderCheck
{
    /// <summary>Amazon's own C library allows as many.</summary>
    public const int MaxHeaders = 1024;

    // The services send three to five headers; up to here each name is compared with all before it.
    private const int Few = 16;

    /// <returns>Null: all is sound.</returns>
    public static FrameException? Check(ReadOnlySpan<byte> block, out AwsMessage message)
    {
        message = default;
        var walk = new AwsHeaderWalk(block);
        Span<int> offsets = stackalloc int[Few];
        int count = 0;
        while (walk.MoveNext())
        {
            if (count == Few) return CheckMany(block, out message);
            ReadOnlySpan<byte> name = walk.Current.Name;
            foreach (int earlier in offsets[..count])
            {
                if (NameAt(block, earlier).SequenceEqual(name)) return Duplicate(earlier, walk.Offset);
            }
            offsets[count++] = walk.Offset;
            message.Take(walk.Current);
        }
        return walk.Broken;
    }

    // From the start again. A fingerprint of each name keeps the search for earlier ones short; names made to share one cost a comparison each,
    // which the number of headers bounds.
    [SkipLocalsInit]
    private static FrameException? CheckMany(ReadOnlySpan<byte> block, out AwsMessage message)
    {
        message = default;
        var walk = new AwsHeaderWalk(block);
        Span<int> offsets = stackalloc int[MaxHeaders];
        Span<uint> prints = stackalloc uint[MaxHeaders];
        int count = 0;
        while (walk.MoveNext())
        {
            if (count == MaxHeaders)
                return new FrameException(FrameFault.TooManyHeaders, $"expected at most {MaxHeaders} headers, got more", MaxHeaders, MaxHeaders + 1);
            ReadOnlySpan<byte> name = walk.Current.Name;
            uint print = Crc32.Of(name);
            for (int at = 0, hit; (hit = prints[at..count].IndexOf(print)) >= 0; at++)
            {
                at += hit;
                if (NameAt(block, offsets[at]).SequenceEqual(name)) return Duplicate(offsets[at], walk.Offset);
            }
            prints[count] = print;
            offsets[count++] = walk.Offset;
            message.Take(walk.Current);
        }
        return walk.Broken;
    }

    private static ReadOnlySpan<byte> NameAt(ReadOnlySpan<byte> block, int offset) => block.Slice(offset + 1, block[offset]);

    private static FrameException Duplicate(int first, int second) =>
        new(FrameFault.DuplicateHeader, $"expected each header once, the name at offset {second} of the block is that at offset {first}");
}
