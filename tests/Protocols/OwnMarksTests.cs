using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols;

public sealed class OwnMarksTests
{
    private const string Seed = "b30u4KN2POu2JvR18fwTZzth";

    private static string? Without(string protocol, string body)
    {
        string marked = body.Replace("@n", SealEnvelope.Nothing).Replace("@g", SealEnvelope.Wrap(new Seal(SealKind.Thought, "", "sig"))).Replace("@seed", Seed);
        return OwnMarks.Without(protocol, Encoding.UTF8.GetBytes(marked)) is { } edited ? Encoding.UTF8.GetString(edited) : null;
    }

    [Theory]
    [InlineData("""{"x": 1, "messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"@n"}, {"type":"text","text":"a"}]} ],"y":2}""",
        """{"x": 1, "messages":[{"role":"assistant","content":[{"type":"text","text":"a"}]}],"y":2}""")]
    [InlineData("""{"messages":[{"content":"a"},{"content":[{"type":"redacted_thinking","data":"@g"}]},{"content":"b"}]}""", """{"messages":[{"content":"a"},{"content":"b"}]}""")]
    [InlineData("""{"messages":[{"content":[{"type":"thinking","thinking":"YWlwM","signature":"EqQB"}]}]}""", null)]
    [InlineData("""{"messages":[{"content":[{"type":"text","text":"@n"}]}]}""", null)]
    [InlineData("""{"messages":[{"content":[{"type":"thinking","thinking":"t","signature":"@n"}]}]}""", null)]
    public void E33_WrappedThinking_LeavesAMessagesRequest(string body, string? expected) => Assert.Equal(expected, Without("anthropic", body));

    [Theory]
    [InlineData("""{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"@g"},{"text":"a","thoughtSignature":"@n"},{"text":"","thoughtSignature":"@n"}]}]}""",
        """{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"},{"text":"a"}]}]}""")]
    [InlineData("""{"contents":[{"role":"model","parts":[{"thought_signature":"@n","function_call":{"name":"f"}}]}]}""",
        """{"contents":[{"role":"model","parts":[{"function_call":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"}]}]}""")]
    [InlineData("""{"contents":[{"parts":[{"text":"a"}]},{"parts":[{"text":"","thoughtSignature":"@n"}]}]}""", """{"contents":[{"parts":[{"text":"a"}]}]}""")]
    [InlineData("""{"contents":[{"parts":[{"functionCall":{"name":"f","args":{"x":"@n"}},"thoughtSignature":"c2ln"}]}]}""", null)]
    [InlineData("""{"contents":{"parts":{"text":"@n"}}}""", null)]
    public void WrappedSignature_LeavesAGeminiRequest(string body, string? expected) => Assert.Equal(expected, Without("gemini", body));

    [Theory]
    [InlineData("""{"input":[{"role":"user","content":"a"},{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"@g"},{"id":"msg_@seed1","type":"message","role":"assistant","content":[]}]}""",
        """{"input":[{"role":"user","content":"a"},{"type":"message","role":"assistant","content":[]}]}""")]
    [InlineData("""{"input":[{"id":"rs_@seed0","type":"reasoning","summary":[],"encrypted_content":null},{"type":"function_call","id":"fc_@seed12","name":"f","arguments":"{\"n\":1.0}"}]}""",
        """{"input":[{"type":"function_call","name":"f","arguments":"{\"n\":1.0}"}]}""")]
    [InlineData("""{"input":[{"type":"item_reference","id":"rs_@seed0"},{"role":"user","content":"a"}]}""", """{"input":[{"role":"user","content":"a"}]}""")]
    [InlineData("""{"input":[{"type":"item_reference","id":"msg_@seed0"}]}""", null)]
    [InlineData("""{"input":[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAA"},{"id":"msg_68e1f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5","type":"message","role":"assistant","content":[]}]}""", null)]
    [InlineData("""{"input":"@n"}""", null)]
    public void E35_MadeIdsAndWrappedReasoning_LeaveAResponsesRequest(string body, string? expected) => Assert.Equal(expected, Without("responses", body));

    [Fact]
    public void ChatRequest_StaysAsItIs() => Assert.Null(Without("openai", """{"messages":[{"content":"@n"}]}"""));
}
