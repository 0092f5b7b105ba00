using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Ends an answer at a stop sequence that the upstream was not told of. One per response; stands between a reader and a writer.</summary>
/// <remarks>Looks at text only: not at thinking, refusals or tool arguments. Deltas are compared decoded and passed on raw; what may be the beginning of a
/// stop is held until it is known, or the block ends. The earliest start wins, at one place the stop listed first, however the text was split.
/// After a match nothing goes further: cancel the upstream when <see cref="HasMatched"/> turns true.</remarks>
public sealed class StopScanner : IResponseSink
{
    private readonly IResponseSink _next;
    private readonly string[] _stops;
    private readonly SearchValues<byte> _firstBytes;
    private readonly List<Block> _open = [];

    /// <param name="stops">Empty ones are ignored.</param>
    public StopScanner(IResponseSink next, IReadOnlyList<string> stops)
    {
        _next = next;
        _stops = [.. stops.Where(static stop => stop.Length > 0)];

        // An escape may stand for any character.
        _firstBytes = SearchValues.Create([(byte)'\\', .. _stops.Select(static stop => Encoding.UTF8.GetBytes(stop)[0])]);
    }

    /// <summary>A stop was found, and the answer was finished for it.</summary>
    public bool HasMatched { get; private set; }

    /// <summary>A started block. Text that is held: <c>Units</c> decoded, <c>Starts</c> where each begins in <c>Raw</c>, the inside of a JSON string.</summary>
    private sealed class Block(int key, BlockKind kind)
    {
        public readonly int Key = key;
        public readonly BlockKind Kind = kind;
        public readonly List<byte> Raw = [];
        public readonly List<char> Units = [];
        public readonly List<int> Starts = [];
    }

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        if (!HasMatched) _next.Start(id, model);
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        if (HasMatched) return;
        _open.Add(new Block(block, kind));
        _next.BlockStart(block, kind, toolId, toolName);
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        if (HasMatched) return;
        Block? text = Find(block);
        if (text is not { Kind: BlockKind.Text } || (text.Raw.Count == 0 && !jsonString.ContainsAny(_firstBytes)))
        {
            _next.BlockDelta(block, jsonString);
            return;
        }
        Take(text, jsonString[1..^1]);
        Scan(text, isEnd: false);
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        if (!HasMatched) _next.BlockSeal(block, kind, jsonString);
    }

    public void BlockCite(int block, Citation citation)
    {
        if (!HasMatched) _next.BlockCite(block, citation);
    }

    public void BlockEnd(int block)
    {
        if (HasMatched) return;
        if (Find(block) is { } ended)
        {
            Scan(ended, isEnd: true);
            if (HasMatched) return;
            _open.Remove(ended);
        }
        _next.BlockEnd(block);
    }

    public void Usage(in TokenUsage total)
    {
        if (!HasMatched) _next.Usage(total);
    }

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        if (!Release()) _next.Finish(reason, stopSequence);
    }

    public void Fail(ProxyError error)
    {
        if (!Release()) _next.Fail(error);
    }

    private Block? Find(int key)
    {
        foreach (Block block in _open)
        {
            if (block.Key == key) return block;
        }
        return null;
    }

    /// <summary>Lets go of all that is held; true: nothing more is to be told.</summary>
    private bool Release()
    {
        for (int i = 0; i < _open.Count && !HasMatched; i++) Scan(_open[i], isEnd: true);
        return HasMatched;
    }

    private void Scan(Block block, bool isEnd)
    {
        for (int start = 0; start < block.Units.Count; start++)
        {
            foreach (string stop in _stops)
            {
                int length = Common(block.Units, start, stop);
                if (length == stop.Length)
                {
                    Pass(block, start);
                    Match(stop);
                    return;
                }
                if (isEnd || start + length < block.Units.Count) continue;
                Pass(block, start);
                return;
            }
        }
        Pass(block, block.Units.Count);
    }

    /// <summary>How many characters of <paramref name="stop"/> stand at <paramref name="start"/>.</summary>
    private static int Common(List<char> units, int start, string stop)
    {
        int length = 0;
        while (length < stop.Length && start + length < units.Count && units[start + length] == stop[length]) length++;
        return length;
    }

    /// <summary>Sends the first <paramref name="count"/> characters on their way; the others stay held.</summary>
    private void Pass(Block block, int count)
    {
        // A character of two units begins where its first unit does: a place between them is no border.
        while (count > 0 && count < block.Units.Count && block.Starts[count] == block.Starts[count - 1]) count--;
        if (count == 0) return;
        int length = count < block.Units.Count ? block.Starts[count] : block.Raw.Count;
        byte[] token = new byte[length + 2];
        token[0] = token[^1] = (byte)'"';
        block.Raw.CopyTo(0, token, 1, length);
        block.Raw.RemoveRange(0, length);
        block.Units.RemoveRange(0, count);
        block.Starts.RemoveRange(0, count);
        for (int i = 0; i < block.Starts.Count; i++) block.Starts[i] -= length;
        _next.BlockDelta(block.Key, token);
    }

    private void Match(string stop)
    {
        HasMatched = true;
        foreach (Block open in _open) _next.BlockEnd(open.Key);
        _next.Finish(FinishReason.StopSequence, RawJson.Encode(stop));
    }

    private static void Take(Block block, ReadOnlySpan<byte> inner)
    {
        while (!inner.IsEmpty)
        {
            int used = inner[0] == (byte)'\\' ? TakeEscape(block, inner) : TakeRune(block, inner);
            block.Raw.AddRange(inner[..used]);
            inner = inner[used..];
        }
    }

    private static int TakeRune(Block block, ReadOnlySpan<byte> inner)
    {
        // Bytes that are no UTF-8 count as U+FFFD and pass as they are.
        Rune.DecodeFromUtf8(inner, out Rune rune, out int used);
        Span<char> units = stackalloc char[2];
        int count = rune.EncodeToUtf16(units);
        for (int i = 0; i < count; i++) Add(block, units[i]);
        return used;
    }

    private static int TakeEscape(Block block, ReadOnlySpan<byte> inner)
    {
        if (inner.Length >= 6 && inner[1] == (byte)'u')
        {
            bool isHex = ushort.TryParse(inner.Slice(2, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out ushort unit);
            Add(block, isHex ? (char)unit : '\uFFFD');
            return 6;
        }
        char kind = inner.Length > 1 ? (char)inner[1] : '\\';
        Add(block, kind switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'f' => '\f', _ => kind });
        return Math.Min(2, inner.Length);
    }

    private static void Add(Block block, char unit)
    {
        block.Units.Add(unit);
        block.Starts.Add(block.Raw.Count);
    }
}
