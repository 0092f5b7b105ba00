using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols;

/// <summary>Edits within a JSON text that leave every byte that they do not mean as it was.</summary>
public static class JsonEdit
{
    /// <summary>What becomes of a value.</summary>
    public delegate Change Rewrite(ReadOnlySpan<byte> value);

    /// <param name="name">Unescaped.</param>
    public delegate Change RewriteNamed(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value);

    /// <summary>What becomes of a value; the default keeps it.</summary>
    public readonly record struct Change(bool IsRemoved, byte[]? Text)
    {
        public static Change Removed => new(true, null);

        public bool IsNone => !IsRemoved && Text is null;

        public static Change To(ReadOnlySpan<byte> text) => new(false, text.ToArray());

        /// <summary>The text after the change, where <paramref name="before"/> is what it was about.</summary>
        public byte[] Over(ReadOnlySpan<byte> before) => Text ?? before.ToArray();
    }

    /// <summary>The object with this member: each of that name gets the value; without one it is put in front.</summary>
    public static byte[] With(ReadOnlySpan<byte> json, string name, ReadOnlySpan<byte> value)
    {
        byte[] text = value.ToArray();
        if (Member(json, name, _ => new Change(false, text)).Text is { } replaced) return replaced;
        int open = json.IndexOf((byte)'{') + 1;
        bool isEmpty = json[open..].TrimStart(" \t\r\n"u8)[0] == (byte)'}';
        return [.. json[..open], .. RawJson.Encode(name), (byte)':', .. text, .. isEmpty ? ""u8 : ","u8, .. json[open..]];
    }

    /// <summary>An array with its elements rewritten; anything but an array stays.</summary>
    public static Change Items(ReadOnlySpan<byte> array, Rewrite element)
    {
        var scan = new JsonScan(array);
        if (scan.Root != JsonTokenType.StartArray) return default;
        ArrayBufferWriter<byte>? output = null;
        int copied = 0, kept = 0;
        while (scan.Next())
        {
            Change change = scan.Kind == JsonTokenType.StartObject ? element(scan.Value) : default;
            if (change.IsNone)
            {
                kept++;
                continue;
            }
            output ??= new ArrayBufferWriter<byte>(array.Length);
            int end = scan.Start + scan.Value.Length;
            output.Write(array[copied..scan.Start]);
            if (change.Text is { } text) output.Write(text);
            copied = end;
            if (change.Text is not null) kept++;
            else copied = SkipComma(array, end, output, kept > 0);
        }
        if (output is null) return default;
        output.Write(array[copied..]);
        return kept == 0 ? new Change(false, "[]"u8.ToArray()) : new Change(false, output.WrittenSpan.ToArray());
    }

    /// <summary>An object with a member rewritten or taken out; anything but an object stays.</summary>
    public static Change Member(ReadOnlySpan<byte> json, string name, Rewrite value)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(name);
        return Members(json, (found, text) => found.SequenceEqual(wanted) ? value(text) : default);
    }

    /// <summary>An object with any of its members rewritten or taken out; anything but an object stays.</summary>
    public static Change Members(ReadOnlySpan<byte> json, RewriteNamed value)
    {
        var scan = new JsonScan(json);
        if (scan.Root != JsonTokenType.StartObject) return default;
        ArrayBufferWriter<byte>? output = null;
        int copied = 0, previousEnd = json.IndexOf((byte)'{') + 1;
        bool hasPrevious = false;
        while (scan.Next())
        {
            int end = scan.Start + scan.Value.Length;
            Change change = value(scan.Name, scan.Value);
            if (!change.IsNone)
            {
                output ??= new ArrayBufferWriter<byte>(json.Length);
                output.Write(json[copied..Math.Max(copied, change.Text is null ? previousEnd : scan.Start)]);
                if (change.Text is { } text) output.Write(text);
                copied = end;

                // The first member has its comma behind it, every other one in front.
                if (change.Text is null && !hasPrevious) copied = SkipComma(json, end, output, false);
            }
            hasPrevious |= change.IsNone || change.Text is not null;
            previousEnd = end;
        }
        if (output is null) return default;
        output.Write(json[copied..]);
        return new Change(false, output.WrittenSpan.ToArray());
    }

    /// <summary>Where to go on behind an element that was left out: behind its comma, or, where it was the last one, without the comma in front of it.</summary>
    private static int SkipComma(ReadOnlySpan<byte> json, int at, ArrayBufferWriter<byte> output, bool hasPrevious)
    {
        int next = at;
        while (json[next] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') next++;
        if (json[next] == (byte)',') return next + 1;
        if (hasPrevious) TakeBackComma(output);
        return at;
    }

    private static void TakeBackComma(ArrayBufferWriter<byte> output)
    {
        byte[] written = output.WrittenSpan.ToArray();
        int length = written.AsSpan().LastIndexOf((byte)',');
        output.ResetWrittenCount();
        output.Write(written.AsSpan(0, length));
    }
}
