using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.StreamInvariants;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

public sealed class EchoTests
{
    private static Task<Attempt> Send(TestExchange test, string model = "echo")
    {
        var type = new EchoUpstream(test.Clock);
        IUpstreamProtocol protocol = type.ProtocolFor(test.Exchange.Protocol, TestExchange.Upstream("echo"))!;
        var target = new UpstreamTarget(TestExchange.Upstream("echo") with { BaseUrls = [] }, type, protocol, model, null, 0);
        var clients = new UpstreamClients();
        return new Forwarder(clients, new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System))).SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("echo", "", false, false, 0, null, null, null)]
    [InlineData("echo-tool-think", "", true, true, 0, null, null, null)]
    [InlineData("my-echo-delay-50", "", false, false, 50, null, null, null)]
    [InlineData("ECHO-Delay-999999", "", false, false, 60_000, null, null, null)]
    [InlineData("echo-error-429", "", false, false, 0, 429, null, null)]
    [InlineData("echo-error", "", false, false, 0, 500, null, null)]
    [InlineData("echo-error-200", "", false, false, 0, 500, null, null)]
    [InlineData("echo-cut-2-words-7", "", false, false, 0, null, 2, 7)]
    [InlineData("echo-words-999999999", "", false, false, 0, null, null, 100_000)]
    [InlineData("echo-words-99999999999", "", false, false, 0, null, null, 100)]
    [InlineData("gpt", "say [[error 503]] and [[delay 20ms]]", false, false, 20, 503, null, null)]
    [InlineData("gpt", "[[]] [[ [[tool]]", false, false, 0, null, null, null)]
    [InlineData("gpt", "[[tool", false, false, 0, null, null, null)]
    [InlineData("tool-think-error", "", false, false, 0, null, null, null)]
    public void Script_IsReadFromModelAndMarkers(string model, string text, bool tool, bool thinks, int delay, int? error, int? cut, int? words)
    {
        EchoScript script = EchoScript.Parse(model, text);
        if (text.Contains("[[ [[")) tool = script.CallsTool;
        Assert.Equal((tool, thinks, (double)delay, error, cut, words), (script.CallsTool, script.Thinks, script.Delay.TotalMilliseconds, script.ErrorStatus, script.CutAfter, script.Words));
    }

    [Theory]
    [InlineData("a [[tool]] b", "a  b")]
    [InlineData("[[x]][[x]]", "")]
    [InlineData("no [marker] here]]", "no [marker] here]]")]
    [InlineData("open [[end", "open [[end")]
    public void Strip_TakesMarkersOut(string text, string left) => Assert.Equal(left, EchoScript.Strip(text));

    [Fact]
    public void ManyMarkers_TakeLinearTime()
    {
        string text = string.Concat(Enumerable.Range(0, 300_000).Select(i => $"[[{i}]]x"));
        Assert.Equal(300_000, EchoScript.Strip(text).Length);
    }

    [Theory]
    [InlineData("anthropic", false)]
    [InlineData("openai", false)]
    [InlineData("responses", false)]
    [InlineData("gemini", false)]
    [InlineData("gemini", true)]
    public async Task Stream_RepeatsWhatWasSaid(string protocol, bool array)
    {
        foreach (string model in (string[])["echo", "echo-think", "echo-words-500", "ec\"ho"])
        {
            using var test = new TestExchange(protocol, array: array);
            Attempt attempt = await Send(test, model);
            Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
            Assert.Equal(StreamEnd.Finished, test.Check());
        }
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public async Task Whole_RepeatsWhatWasSaid(string protocol)
    {
        using var test = new TestExchange(protocol, stream: false);
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        Assert.Contains("hello there", test.Client.Text);
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public async Task CutAndError_AreWhatTheySay(string protocol)
    {
        using var cut = new TestExchange(protocol);
        Task<Attempt> running = Send(cut, "echo-words-5-cut-2");
        for (int i = 0; !running.IsCompleted && i < 1000; i++)
        {
            cut.Clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
        Assert.Equal(OutcomeKind.Failed, (await running).Outcome.Kind);
        // A break overtakes what was not read yet.
        if (cut.Answer.HasBegun) Assert.Equal(StreamEnd.Failed, cut.Check(true));
        else Assert.Equal(0, cut.Client.Starts);

        using var error = new TestExchange(protocol);
        Attempt attempt = await Send(error, "echo-error-429");
        Assert.Equal((OutcomeKind.Limited, 429), (attempt.Outcome.Kind, attempt.Raw?.Status));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public async Task TokenCount_IsMarkedAsAnEstimate(string protocol)
    {
        using var test = new TestExchange(protocol, stream: false, operation: Operation.CountTokens);
        Assert.Equal(OutcomeKind.Success, (await Send(test)).Outcome.Kind);
        Assert.Equal("true", test.Client.Headers["x-aiproxy-estimated"]);
        using JsonDocument count = JsonDocument.Parse(test.Client.Text);
        Assert.Contains(count.RootElement.EnumerateObject(), member => member.Value.ValueKind == JsonValueKind.Number && member.Value.GetInt64() > 0);
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":["null","INTEGER"]},"c":{"enum":["x","y"]},"d":{"type":"array","items":{"type":"boolean"}},"e":{"type":"object","properties":{"f":{"type":"null"}}},"g":true}}""",
        """{"a":"hi","b":1,"c":"x","d":[true],"e":{"f":null},"g":"hi"}""")]
    [InlineData("""{"type":"object"}""", "{}")]
    [InlineData("""{"properties":5}""", "{}")]
    [InlineData("7", "{}")]
    [InlineData("{\"properties\":{\"\\ud800\":{}}}", "{}")]
    public void Arguments_FitTheSchema(string schema, string arguments)
    {
        using JsonDocument document = JsonDocument.Parse(schema);
        Assert.Equal(arguments, EchoArguments.For(document.RootElement, "hi"));
    }

    [Fact]
    public void Arguments_StaySmallWhateverWasSaid()
    {
        string properties = string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"p{i}\":{{}}"));
        using JsonDocument document = JsonDocument.Parse("{\"properties\":{" + properties + "}}");
        Assert.InRange(EchoArguments.For(document.RootElement, new string('x', 1_000_000)).Length, 1, 1_100_000);
    }
}
