using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Lets nothing out but whole characters: many clients' libraries refuse half a surrogate pair, and bytes that are no UTF-8.</summary>
/// <remarks>Stands right behind a reader. Some upstreams part a pair of escapes, or the bytes of a character, between two deltas: the first part waits for the next delta of its block. What
/// stays broken becomes U+FFFD. Deltas without such things pass as they are.</remarks>
public sealed class WholeCharacters(IResponseSink next) : IResponseSink
{
    // Blocks with a first part that waits, as the upstream wrote it: six bytes of an escape, or one to three of a character.
    private readonly Dictionary<int, byte[]> _held = [];

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => next.Start(Inner(id), Inner(model));

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default) =>
        next.BlockStart(block, kind, Inner(toolId), Inner(toolName));

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        byte[]? held = null;
        bool isHeld = _held.Count > 0 && _held.Remove(block, out held);
        if (!isHeld && !HasSurrogate(jsonString) && Utf8.IsValid(jsonString))
        {
            next.BlockDelta(block, jsonString);
            return;
        }
        ReadOnlySpan<byte> inner = [.. held ?? [], .. jsonString[1..^1]];
        if (Rune.DecodeLastFromUtf8(inner, out _, out int cut) == OperationStatus.NeedMoreData)
        {
            _held[block] = inner[^cut..].ToArray();
            inner = inner[..^cut];
        }
        byte[] token = [(byte)'"', .. inner, (byte)'"'];
        int length = Mend(token, out byte[]? waiting);
        if (waiting is not null) _held[block] = waiting;
        if (length > 2) next.BlockDelta(block, Whole(token.AsSpan(0, length)));
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => next.BlockSeal(block, kind, Whole(jsonString));

    public void BlockCite(int block, Citation citation)
    {
        byte[] raw = Utf8.IsValid(citation.Raw.Span) ? citation.Raw.ToArray() : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(citation.Raw.Span));
        // No string ends at the end of an object: nothing can wait.
        Mend(raw, out _);
        next.BlockCite(block, citation with { Raw = raw });
    }

    public void BlockEnd(int block)
    {
        if (_held.Remove(block)) next.BlockDelta(block, "\"\\ufffd\""u8);
        next.BlockEnd(block);
    }

    public void Usage(in TokenUsage total) => next.Usage(total);

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) => next.Finish(reason, Whole(stopSequence));

    public void Fail(ProxyError error) => next.Fail(error);

    private static ReadOnlySpan<byte> Whole(ReadOnlySpan<byte> token) => Utf8.IsValid(token) ? token : RawJson.Encode(RawJson.Decode(token));

    private static ReadOnlySpan<byte> Inner(ReadOnlySpan<byte> inner) =>
        Utf8.IsValid(inner) ? inner : RawJson.Encode(RawJson.Decode([(byte)'"', .. inner, (byte)'"'])).AsSpan(1..^1);

    private static bool HasSurrogate(ReadOnlySpan<byte> token)
    {
        for (int at; (at = token.IndexOf((byte)'\\')) >= 0; token = token[(at + 2)..])
        {
            if (SurrogateAt(token, at) != 0) return true;
        }
        return false;
    }

    /// <summary>Replaces halves without their other half. Returns the length without a first half at the end, which comes out in <paramref name="waiting"/>.</summary>
    private static int Mend(byte[] token, out byte[]? waiting)
    {
        waiting = null;
        for (int at = 1; at < token.Length - 1; at++)
        {
            if (token[at] != (byte)'\\') continue;
            int half = SurrogateAt(token, at);
            if (half == 1 && at + 6 == token.Length - 1)
            {
                waiting = token[at..(at + 6)];
                token[at] = (byte)'"';
                return at + 1;
            }
            if (half == 1 && SurrogateAt(token, at + 6) == 2) at += 11;
            else if (half != 0) "\\ufffd"u8.CopyTo(token.AsSpan(at));
            else at++;
        }
        return token.Length;
    }

    /// <summary>1: the escape of a first half stands there; 2: of a second; 0: neither.</summary>
    private static int SurrogateAt(ReadOnlySpan<byte> token, int at)
    {
        if (at + 6 >= token.Length || token[at] != (byte)'\\' || token[at + 1] != (byte)'u' || (token[at + 2] | 0x20) != 'd') return 0;
        return (char)(token[at + 3] | 0x20) switch { '8' or '9' or 'a' or 'b' => 1, 'c' or 'd' or 'e' or 'f' => 2, _ => 0 };
    }
}
