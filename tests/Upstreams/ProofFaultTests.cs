using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols;
using Aiproxy.Tests.Protocols.Edges;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>A translated history whose proofs an Anthropic upstream does not take.</summary>
public sealed class ProofFaultTests
{
    private const string Good = """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}""";

    [Theory]
    [InlineData("messages.1.content.0: Invalid `signature` in `thinking` block", 2)]
    [InlineData("messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.", 2)]
    [InlineData("messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.", 2)]
    [InlineData("thinking.budget_tokens: Input should be greater than or equal to 1024", 1)]
    public async Task RefusedProof_IsRetriedOnceWithoutThinking(string message, int requests)
    {
        string proof = SealEnvelope.Wrap(new Seal(SealKind.Thinking, "", "FAKE"), "hm");
        string body = $$"""
            {"model":"client-model","stream":false,"reasoning":{"effort":"high"},"tools":[{"type":"function","name":"f"}],"input":["q",{"type":"reasoning","summary":[],"encrypted_content":"{{proof}}"},
            {"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"r"}]}
            """;
        using var test = new TestExchange("responses", stream: false, body: body);
        var upstream = new ScriptedHandler();
        upstream.Answers(400, JsonSerializer.Serialize(new Dictionary<string, object> { ["type"] = "error", ["error"] = new Dictionary<string, string> { ["type"] = "invalid_request_error", ["message"] = message } }));
        if (requests > 1) upstream.Answers(200, Good);
        var protocol = new AnthropicProtocol();
        var target = new UpstreamTarget(TestExchange.Upstream("anthropic"), new ScriptedType("anthropic", protocol, upstream), protocol, "claude-sonnet-4-5", null, 0);
        var forwarder = new Forwarder(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System)));
        Attempt attempt = await forwarder.SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20));
        await test.Answer.EndAsync();

        Assert.Equal(requests > 1 ? OutcomeKind.Success : OutcomeKind.Refused, attempt.Outcome.Kind);
        Assert.Equal(requests, upstream.Bodies.Count);
        Assert.True(RequestTexts.Json(upstream.Bodies[0]).Has("thinking"));
        if (requests > 1) Assert.DoesNotContain("thinking", upstream.Bodies[1]);
    }
}
