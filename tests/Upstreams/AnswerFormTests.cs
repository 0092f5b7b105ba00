using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Tests.Protocols;
using Aiproxy.Tests.Protocols.Edges;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>An answer of a demanded form from a Messages model that is told so by a tool: the client sees the answer, not the call.</summary>
public sealed class AnswerFormTests
{
    private const string Body = """
        {"model":"client-model","stream":STREAM,"stop":["}"],"messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"type":"string"}}}}}}
        """;

    private readonly ScriptedHandler _upstream = new();

    private async Task Send(TestExchange test, string model)
    {
        var protocol = new AnthropicProtocol();
        var target = new UpstreamTarget(TestExchange.Upstream("anthropic"), new ScriptedType("anthropic", protocol, _upstream), protocol, model, null, 0);
        var forwarder = new Forwarder(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System)));
        Assert.Equal(OutcomeKind.Success, (await forwarder.SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20))).Outcome.Kind);
        await test.Answer.EndAsync();
    }

    [Fact]
    public async Task StreamedCall_IsText()
    {
        using var test = new TestExchange("openai", body: Body.Replace("STREAM", "true").Replace(",\"stop\":[\"}\"]", ""));
        _upstream.Answers(200, Sse.Messages("tool_use", Sse.ToolBlock(0, "toolu_1", "json_response", "{\"a\": \"é\"}")), "text/event-stream");
        await Send(test, "claude-sonnet-4-20250514");
        test.Check();
        Assert.Equal(("{\"a\": \"é\"}", "stop"), (Sse.ChatText(test.Client.Text), Sse.FinishReason(test.Client.Text)));
        Assert.DoesNotContain("tool_calls", test.Client.Text);
        Assert.Equal("json_response", RequestTexts.Json(_upstream.Bodies[0]).Text("tool_choice.name"));
    }

    [Fact]
    public async Task WholeCall_IsText()
    {
        using var test = new TestExchange("openai", stream: false, body: Body.Replace("STREAM", "false").Replace(",\"stop\":[\"}\"]", ""));
        _upstream.Answers(200, """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"toolu_1","name":"json_response","input":{"a": "x"}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":2}}""");
        await Send(test, "claude-sonnet-4-20250514");
        JsonElement choice = RequestTexts.Json(test.Client.Text).At("choices.0");
        Assert.Equal(("{\"a\": \"x\"}", "stop"), (choice.Text("message.content"), choice.Text("finish_reason")));
        Assert.False(choice.At("message").Has("tool_calls"));
    }

    [Fact]
    public async Task ModelThatKnowsTheWord_AnswersInText_AndStopsAreStillFound()
    {
        using var test = new TestExchange("openai", body: Body.Replace("STREAM", "true"));
        _upstream.Answers(200, Sse.Messages("end_turn", Sse.TextBlock(0, "{}x")), "text/event-stream");
        await Send(test, "claude-opus-4-8");
        Assert.Equal(("{", "stop"), (Sse.ChatText(test.Client.Text), Sse.FinishReason(test.Client.Text)));
        Assert.False(RequestTexts.Json(_upstream.Bodies[0]).Has("tool_choice"));
    }
}
