using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json;

namespace Aiproxy.Protocols;

/// <summary>Finds where JSON values end. Offsets count bytes of the text; an end is the offset behind the last byte.</summary>
/// <remarks>Strings are looked at sixteen bytes at a time: most of an answer is inside them. UTF-8 is not checked. Source: RFC 8259.</remarks>
public static class JsonBorders
{
    /// <summary>Containers inside each other, the outermost included.</summary>
    public const int MaxLevels = 256;

    /// <summary>The end of the value that begins at <paramref name="at"/>; every byte of it is checked.</summary>
    /// <param name="level">How many containers it stands in.</param>
    /// <exception cref="JsonException">No JSON, or too deep.</exception>
    public static int Check(ReadOnlySpan<byte> json, int at, int level) => At(json, at) switch
    {
        (byte)'"' => String(json, at),
        (byte)'{' => Object(json, at, level + 1),
        (byte)'[' => Array(json, at, level + 1),
        (byte)'t' => Word(json, at, "true"u8),
        (byte)'f' => Word(json, at, "false"u8),
        (byte)'n' => Word(json, at, "null"u8),
        _ => Number(json, at),
    };

    /// <summary>The same where the value was checked before: only its borders are looked for.</summary>
    /// <exception cref="JsonException">The text ends before the value does.</exception>
    public static int Skip(ReadOnlySpan<byte> json, int at)
    {
        byte first = At(json, at);
        if (first == (byte)'"') return String(json, at);
        if (first is not ((byte)'{' or (byte)'[')) return Scalar(json, at);
        for (int depth = 0; ;)
        {
            at = NextBracket(json, at);
            byte found = At(json, at);
            if (found == (byte)'"')
            {
                at = String(json, at);
                continue;
            }
            if (found == 0) throw Fault();
            at++;
            if (found is (byte)'{' or (byte)'[') depth++;
            else if (--depth == 0) return at;
        }
    }

    /// <summary>The first offset from <paramref name="at"/> on that holds no white space; the text's length where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Blanks(ReadOnlySpan<byte> json, int at)
    {
        // Most answers have none between their tokens.
        return At(json, at) > (byte)' ' ? at : MoreBlanks(json, at);
    }

    private static int MoreBlanks(ReadOnlySpan<byte> json, int at)
    {
        while (At(json, at) is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') at++;
        return at;
    }

    /// <summary>The byte at an offset; 0, which JSON has nowhere, behind the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte At(ReadOnlySpan<byte> json, int at) => (uint)at < (uint)json.Length ? json[at] : (byte)0;

    /// <summary>The end of a string whose opening quote stands at <paramref name="at"/>.</summary>
    /// <exception cref="JsonException">A control character, an unknown escape, or no end.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int String(ReadOnlySpan<byte> json, int at)
    {
        at = NextInString(json, at + 1);
        return At(json, at) == (byte)'"' ? at + 1 : StringWithEscapes(json, at);
    }

    /// <summary>The same for a string without escapes; 0: it has some, or is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PlainString(ReadOnlySpan<byte> json, int at)
    {
        at = NextInString(json, at + 1);
        return At(json, at) == (byte)'"' ? at + 1 : 0;
    }

    /// <summary>The bytes that <see cref="ShortString"/> reads.</summary>
    public const int MostInShortString = 2 * 16;

    /// <summary>Looks for the next quote, backslash or control character in so many bytes; returns how far it is, or <see cref="MostInShortString"/> less one
    /// where there is none before.</summary>
    /// <param name="first">The first of the bytes; they are read without looking where the text ends.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShortString(ref byte first)
    {
        uint hits = InString(Vector128.LoadUnsafe(ref first));
        if (hits == 0) hits = InString(Vector128.LoadUnsafe(ref first, (nuint)Vector128<byte>.Count)) << Vector128<byte>.Count;
        return BitOperations.TrailingZeroCount(hits | 0x8000_0000);
    }

    public static JsonException Fault() => new("no JSON");

    private static int StringWithEscapes(ReadOnlySpan<byte> json, int at)
    {
        while (true)
        {
            switch (At(json, at))
            {
                case (byte)'"': return at + 1;
                case (byte)'\\': at = NextInString(json, Escape(json, at)); break;
                default: throw Fault();
            }
        }
    }

    private static int Object(ReadOnlySpan<byte> json, int at, int level)
    {
        if (level > MaxLevels) throw Fault();
        at = Blanks(json, at + 1);
        if (At(json, at) == (byte)'}') return at + 1;
        while (true)
        {
            if (At(json, at) != (byte)'"') throw Fault();
            at = Blanks(json, String(json, at));
            if (At(json, at) != (byte)':') throw Fault();
            at = Blanks(json, Check(json, Blanks(json, at + 1), level));
            byte next = At(json, at);
            if (next == (byte)'}') return at + 1;
            if (next != (byte)',') throw Fault();
            at = Blanks(json, at + 1);
        }
    }

    private static int Array(ReadOnlySpan<byte> json, int at, int level)
    {
        if (level > MaxLevels) throw Fault();
        at = Blanks(json, at + 1);
        if (At(json, at) == (byte)']') return at + 1;
        while (true)
        {
            at = Blanks(json, Check(json, at, level));
            byte next = At(json, at);
            if (next == (byte)']') return at + 1;
            if (next != (byte)',') throw Fault();
            at = Blanks(json, at + 1);
        }
    }

    private static int Word(ReadOnlySpan<byte> json, int at, ReadOnlySpan<byte> word) =>
        json[at..].StartsWith(word) ? at + word.Length : throw Fault();

    // "number = [ minus ] int [ frac ] [ exp ]"
    private static int Number(ReadOnlySpan<byte> json, int at)
    {
        if (At(json, at) == (byte)'-') at++;
        at = At(json, at) == (byte)'0' ? at + 1 : Digits(json, at);
        if (At(json, at) == (byte)'.') at = Digits(json, at + 1);
        if (At(json, at) is not ((byte)'e' or (byte)'E')) return at;
        at++;
        if (At(json, at) is (byte)'+' or (byte)'-') at++;
        return Digits(json, at);
    }

    private static int Digits(ReadOnlySpan<byte> json, int at)
    {
        int start = at;
        while (At(json, at) is >= (byte)'0' and <= (byte)'9') at++;
        return at > start ? at : throw Fault();
    }

    private static int Escape(ReadOnlySpan<byte> json, int at)
    {
        switch (At(json, at + 1))
        {
            case (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                return at + 2;
            case (byte)'u':
                for (int i = at + 2; i < at + 6; i++)
                    if (!char.IsAsciiHexDigit((char)At(json, i))) throw Fault();
                return at + 6;
            default:
                throw Fault();
        }
    }

    private static int Scalar(ReadOnlySpan<byte> json, int at)
    {
        while (At(json, at) is not (0 or (byte)',' or (byte)'}' or (byte)']' or (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')) at++;
        return at;
    }

    /// <summary>The next quote, backslash or control character; the text's length where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int NextInString(ReadOnlySpan<byte> json, int at)
    {
        for (; at <= json.Length - Vector128<byte>.Count; at += Vector128<byte>.Count)
        {
            // The loop's own condition keeps the load inside the text.
            Vector128<byte> bytes = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(json), (nuint)at);
            uint hits = InString(bytes);
            if (hits != 0) return at + BitOperations.TrailingZeroCount(hits);
        }
        while (at < json.Length && json[at] is not ((byte)'"' or (byte)'\\' or < (byte)' ')) at++;
        return at;
    }

    /// <summary>A bit for each quote, backslash or control character.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint InString(Vector128<byte> bytes) =>
        (Vector128.Equals(bytes, Vector128.Create((byte)'"')) | Vector128.Equals(bytes, Vector128.Create((byte)'\\'))
            | Vector128.Equals(Vector128.Min(bytes, Vector128.Create((byte)0x1F)), bytes)).ExtractMostSignificantBits();

    /// <summary>The next quote or bracket, outside of strings; the text's length where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int NextBracket(ReadOnlySpan<byte> json, int at)
    {
        for (; at <= json.Length - Vector128<byte>.Count; at += Vector128<byte>.Count)
        {
            Vector128<byte> bytes = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(json), (nuint)at);
            // One bit lies between '[' and '{', and between ']' and '}'.
            Vector128<byte> raised = bytes | Vector128.Create((byte)0x20);
            uint hits = (Vector128.Equals(bytes, Vector128.Create((byte)'"')) | Vector128.Equals(raised, Vector128.Create((byte)'{'))
                | Vector128.Equals(raised, Vector128.Create((byte)'}'))).ExtractMostSignificantBits();
            if (hits != 0) return at + BitOperations.TrailingZeroCount(hits);
        }
        while (at < json.Length && json[at] is not ((byte)'"' or (byte)'{' or (byte)'}' or (byte)'[' or (byte)']')) at++;
        return at;
    }
}
