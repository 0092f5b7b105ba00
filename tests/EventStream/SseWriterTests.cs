using System.Buffers;
using System.Text;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

public sealed class SseWriterTests
{
    private readonly ArrayBufferWriter<byte> _output = new();

    private string Written => Encoding.UTF8.GetString(_output.WrittenSpan);

    [Fact]
    public void Event_HasNameDataAndBlankLine()
    {
        SseWriter.WriteEvent(_output, "ping"u8, """{"type":"ping"}"""u8);
        Assert.Equal("event: ping\ndata: {\"type\":\"ping\"}\n\n", Written);
    }

    [Fact]
    public void Data_HasNoEventLine()
    {
        SseWriter.WriteData(_output, "[DONE]"u8);
        Assert.Equal("data: [DONE]\n\n", Written);
    }

    [Fact]
    public void Comment_StandsAtAnEventBorder()
    {
        SseWriter.WriteComment(_output, "keepalive"u8);
        Assert.Equal(": keepalive\n\n", Written);
    }

    [Theory]
    [InlineData("{\n  \"a\": 1\r\n}\r", "data: {   \"a\": 1  } \n\n")]
    [InlineData("\n", "data:  \n\n")]
    public void LineEndsInData_CannotBreakTheFrame(string data, string expected)
    {
        SseWriter.WriteData(_output, Encoding.UTF8.GetBytes(data));
        Assert.Equal(expected, Written);
    }
}
