using System.Buffers;

namespace Aiproxy.EventStream;

/// <summary>Writes server-sent events. Line ends are LF; <c>data: </c> has its space, which one client's parser demands.</summary>
/// <remarks>A line end inside a text is written as a space: the field stays on one line whatever it holds, and JSON has raw line ends only
/// between tokens, where a space means the same.</remarks>
public static class SseWriter
{
    public static void WriteEvent(IBufferWriter<byte> output, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> oneLineData)
    {
        WriteLine(output, "event: "u8, eventName);
        WriteData(output, oneLineData);
    }

    /// <summary>An event without a name.</summary>
    public static void WriteData(IBufferWriter<byte> output, ReadOnlySpan<byte> oneLineData)
    {
        WriteLine(output, "data: "u8, oneLineData);
        output.Write("\n"u8);
    }

    /// <summary>A comment and its blank line, so that it stands at an event border.</summary>
    public static void WriteComment(IBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        WriteLine(output, ": "u8, text);
        output.Write("\n"u8);
    }

    private static void WriteLine(IBufferWriter<byte> output, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> text)
    {
        output.Write(prefix);
        int end;
        while ((end = text.IndexOfAny((byte)'\r', (byte)'\n')) >= 0)
        {
            output.Write(text[..end]);
            output.Write(" "u8);
            text = text[(end + 1)..];
        }
        output.Write(text);
        output.Write("\n"u8);
    }
}
