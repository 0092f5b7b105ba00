using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>Upstreams whose models do not reason, and clients that ask for it all the same.</summary>
public sealed class RefusedEffortsTests
{
    private const string Body = """{"model":"m","max_tokens":9,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"},"messages":[{"role":"user","content":"q"}]}""";

    private readonly ScriptedHandler _upstream = new();
    private readonly Forwarder _forwarder = new(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System)));

    private async Task<Attempt> Send(string model = "up-1", string body = Body)
    {
        using var test = new TestExchange("anthropic", stream: false, body: body);
        var protocol = (IUpstreamProtocol)TestExchange.Protocols["openai"];
        var target = new UpstreamTarget(TestExchange.Upstream("openai"), new ScriptedType("openai", protocol, _upstream), protocol, model, null, 0);
        return await _forwarder.SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20));
    }

    private bool Asks(int request) => JsonDocument.Parse(_upstream.Bodies[request]).RootElement.TryGetProperty("reasoning_effort", out _);

    private ScriptedHandler Good() => _upstream.Answers(200, """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}""");

    [Theory]
    [InlineData("""{"error":{"message":"\"llama3.2\" does not support thinking","type":"invalid_request_error"}}""")]
    [InlineData("""{"error":{"message":"`reasoning_effort` is not supported with this model","type":"invalid_request_error"}}""")]
    [InlineData("""{"error":{"message":"Unsupported value","param":"reasoning_effort","type":"invalid_request_error"}}""")]
    [InlineData("""{"code":"Client specified an invalid argument","error":"Model grok-4 does not support parameter reasoningEffort."}""")]
    public async Task RefusedEffort_IsLeftOutOnce_AndRemembered(string refusal)
    {
        _upstream.Answers(400, refusal);
        Good();
        Assert.Equal(OutcomeKind.Success, (await Send()).Outcome.Kind);
        Assert.True(Asks(0));
        Assert.False(Asks(1));

        Good();
        await Send();
        Assert.False(Asks(2));

        Good();
        await Send(model: "up-2");
        Assert.True(Asks(3));

        Good();
        await Send(body: Body.Replace("high", "low"));
        Assert.True(Asks(4));
    }

    [Fact]
    public async Task OtherRefusals_StayOne()
    {
        _upstream.Answers(400, """{"error":{"message":"no such field"}}""");
        Assert.Equal(OutcomeKind.Refused, (await Send()).Outcome.Kind);
        Assert.Single(_upstream.Bodies);
    }

    [Fact]
    public async Task RefusedAgain_IsTold()
    {
        const string Refusal = """{"error":{"message":"reasoning_effort is not supported"}}""";
        _upstream.Answers(400, Refusal).Answers(400, Refusal);
        Assert.Equal(OutcomeKind.Refused, (await Send()).Outcome.Kind);
        Assert.Equal(2, _upstream.Bodies.Count);
    }
}
