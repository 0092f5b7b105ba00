using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>What the address of a Chat upstream tells about it.</summary>
public sealed class ProtocolTraitsTests
{
    private static string Written(string url, string? replay = null)
    {
        Dictionary<string, string> quirks = replay is null ? [] : new() { ["replay_reasoning"] = replay };
        var output = new ArrayBufferWriter<byte>();
        ProtocolTraits.OpenAIChat(TestExchange.Upstream("openai", url) with { Quirks = quirks }).WriteRequest(output, new ChatRequest
        {
            Model = "m",
            Stream = true,
            EndUserId = "u",
            Turns = [new Turn(TurnRole.Assistant, [new ThinkingPart("hm"), new ToolCallPart("c", "f", "{}"u8.ToArray())])],
        });
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    [Theory]
    [InlineData("https://api.deepseek.com", null, true)]
    [InlineData("https://api.moonshot.cn/v1", null, true)]
    [InlineData("https://api.kimi.com/coding/v1", null, true)]
    [InlineData("https://api.deepseek.com", "false", false)]
    [InlineData("https://notdeepseek.com", null, false)]
    [InlineData("https://host.invalid", "true", true)]
    public void ReasoningIsSentBack_WhereItIsDemanded(string url, string? told, bool isSent) =>
        Assert.Equal(isSent, Written(url, told).Contains("\"reasoning_content\":\"hm\""));

    [Theory]
    [InlineData("https://api.mistral.ai", false)]
    [InlineData("https://codestral.mistral.ai", false)]
    [InlineData("https://host.invalid", true)]
    public void MembersThatMistralRefuses_StayAway(string url, bool isSent)
    {
        Assert.Equal(isSent, Written(url).Contains("stream_options"));
        Assert.Equal(isSent, Written(url).Contains("\"user\":\"u\""));
    }
}
