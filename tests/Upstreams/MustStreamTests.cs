using System.Text.Json.Nodes;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>An upstream that is asked for a stream although the client wants one answer.</summary>
public sealed class MustStreamTests
{
    private static readonly string[] All = ["anthropic", "openai", "responses", "gemini"];

    private readonly ScriptedHandler _upstream = new();

    public static TheoryData<string, string> Pairs()
    {
        var pairs = new TheoryData<string, string>();
        foreach (string upstream in All)
            foreach (string client in All) pairs.Add(upstream, client);
        return pairs;
    }

    private Task<Attempt> Send(TestExchange test, string type, bool? mustStream = true, bool always = false)
    {
        UpstreamConfig config = TestExchange.Upstream(type) with { MustStream = mustStream };
        var protocol = (IUpstreamProtocol)TestExchange.Protocols[type];
        var target = new UpstreamTarget(config, new ScriptedType(type, protocol, _upstream, alwaysStreams: always), protocol, "claude-up", null, 0);
        return new Forwarder(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System))).SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20));
    }

    private bool AsksForStream(string type) =>
        type == "gemini" ? _upstream.Addresses[^1].Query == "?alt=sse" : (bool?)JsonNode.Parse(_upstream.Bodies[^1])!["stream"] == true;

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task UpstreamStreams_ClientGetsOneAnswer(string upstream, string client)
    {
        using var test = new TestExchange(client, stream: false);
        _upstream.Answers(200, Delivery.Fixture(upstream + ".sse"), "text/event-stream");
        Attempt attempt = await Send(test, upstream);

        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Assert.True(AsksForStream(upstream), _upstream.Bodies[0]);
        Assert.Equal("text/event-stream, application/json", _upstream.Headers[0]["accept"]);
        Assert.StartsWith("application/json", test.Client.ContentType);
        JsonNode answer = JsonNode.Parse(test.Client.Text)!;
        JsonNode? text = client switch
        {
            "anthropic" => answer["content"]!.AsArray().First(block => (string?)block!["type"] == "text")!["text"],
            "openai" => answer["choices"]![0]!["message"]!["content"],
            "responses" => answer["output"]!.AsArray().First(item => (string?)item!["type"] == "message")!["content"]![0]!["text"],
            _ => answer["candidates"]![0]!["content"]!["parts"]!.AsArray().First(part => part!["text"] is not null && part["thought"] is null)!["text"],
        };
        Assert.Equal("Let me check Oslo.", (string?)text);
        Assert.True(test.Exchange.Usage is { TotalInput: 1241, Output: 58 });
        Assert.Equal(test.Client.Text.Length, test.Client.Length);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task UpstreamAnswersWholeAllTheSame_Passes(string upstream, string client)
    {
        using var test = new TestExchange(client, stream: false);
        IAnswerFold fold = TestExchange.Protocols[upstream].CreateFold();
        foreach (string line in Delivery.Fixture(upstream + ".sse").Split('\n').Where(line => line.StartsWith("data:")))
            fold.Take(new Aiproxy.EventStream.Frame { Data = System.Text.Encoding.UTF8.GetBytes(line[5..].Trim()) });
        var whole = new System.Buffers.ArrayBufferWriter<byte>();
        fold.Write(whole);
        string text = System.Text.Encoding.UTF8.GetString(whole.WrittenSpan);
        _upstream.Answers(200, text);
        Assert.Equal(OutcomeKind.Success, (await Send(test, upstream)).Outcome.Kind);
        Assert.Contains("Let me check Oslo.", test.Client.Text);
        if (upstream == client) Assert.Equal(text, test.Client.Text);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task StreamBreaksInItsMiddle_NothingWasSent_AnotherMayTry(string upstream, string client)
    {
        using var test = new TestExchange(client, stream: false);
        string[] events = Delivery.Events(upstream + ".sse");
        _upstream.Answers(200, string.Concat(events[..4]), "text/event-stream");
        Attempt attempt = await Send(test, upstream);
        Assert.Equal((OutcomeKind.Failed, ErrorKind.BadGateway), (attempt.Outcome.Kind, attempt.Outcome.Error!.Kind));
        Assert.Equal(0, test.Client.Starts);
        Assert.False(test.Answer.HasBegun);
    }

    [Theory]
    [InlineData(null, false, false)]
    [InlineData(false, false, false)]
    [InlineData(true, false, true)]
    [InlineData(null, true, true)]
    [InlineData(false, true, true)]
    public async Task ConfigurationOrTypeDecide(bool? mustStream, bool always, bool asks)
    {
        using var test = new TestExchange("openai", stream: false);
        _upstream.Answers(200, Delivery.Fixture("openai.sse"), "text/event-stream");
        await Send(test, "openai", mustStream, always);
        Assert.Equal(asks, AsksForStream("openai"));
    }

    [Fact]
    public async Task ForwardedBody_KeepsEveryOtherByte()
    {
        using var test = new TestExchange("openai", body: """{ "model" : "m", "stream": false, "x":[1,  2], "stream_options":null,"stream":false }""");
        _upstream.Answers(200, Delivery.Fixture("openai.sse"), "text/event-stream");
        await Send(test, "openai");
        Assert.Equal("""{ "model" : "claude-up", "stream": true, "x":[1,  2], "stream_options":{"include_usage":true},"stream":true }""", _upstream.Bodies[0]);
    }

    [Theory]
    [InlineData("anthropic", "\uFEFF {\"model\":\"m\",\"messages\":[]}", "\uFEFF {\"stream\":true,\"model\":\"claude-up\",\"messages\":[]}")]
    [InlineData("responses", """{"input":"x","model":"m"}""", """{"stream":true,"input":"x","model":"claude-up"}""")]
    [InlineData("openai", """{"messages":[],"model":"m"}""", """{"stream":true,"stream_options":{"include_usage":true},"messages":[],"model":"claude-up"}""")]
    [InlineData("gemini", """{"contents":[]}""", """{"contents":[]}""")]
    public async Task ForwardedBodyWithoutTheWord_IsGivenIt(string protocol, string body, string sent)
    {
        using var test = new TestExchange(protocol, stream: false, body: body);
        _upstream.Answers(200, Delivery.Fixture(protocol + ".sse"), "text/event-stream");
        await Send(test, protocol);
        // A byte order mark is lost where the test reads the body as text.
        Assert.Equal(sent.TrimStart('\uFEFF'), _upstream.Bodies[0].TrimStart('\uFEFF'));
    }

    [Theory]
    [InlineData("", "?alt=sse")]
    [InlineData("?alt=json", "?alt=sse")]
    [InlineData("?a=b&$alt=json&c", "?a=b&c&alt=sse")]
    public void GeminiQuery_AsksForEvents(string query, string asked) => Assert.Equal(asked, StreamSwitch.Query(query));

    [Theory]
    [InlineData(21_333, false)]
    [InlineData(21_334, true)]
    [InlineData(null, true)]
    public async Task TranslatedToAnthropic_LongAnswersAreStreamed(int? limit, bool asks)
    {
        string told = limit is null ? "" : $"\"max_tokens\":{limit},";
        using var test = new TestExchange("openai", body: $$"""{"model":"m",{{told}}"messages":[{"role":"user","content":"x"}]}""");
        _upstream.Answers(200, Delivery.Fixture("anthropic.sse"), "text/event-stream");
        Assert.Equal(OutcomeKind.Success, (await Send(test, "anthropic", null)).Outcome.Kind);
        Assert.Equal(asks, AsksForStream("anthropic"));
        Assert.Equal(limit ?? 32_000, (int?)JsonNode.Parse(_upstream.Bodies[0])!["max_tokens"]);
    }

    [Fact]
    public async Task ForwardedToAnthropic_IsAskedAsTheClientAsked()
    {
        const string Body = """{"model":"claude-up","max_tokens":64000,"messages":[{"role":"user","content":"x"}]}""";
        using var test = new TestExchange("anthropic", body: Body);
        _upstream.Answers(200, Delivery.Fixture("anthropic.sse"), "text/event-stream");
        await Send(test, "anthropic", null);
        Assert.Equal(Body, _upstream.Bodies[0]);
    }

    [Fact]
    public async Task Clocks_AreThoseOfAStream()
    {
        // Response headers.
        using var first = new TestExchange("openai", stream: false);
        _upstream.Hangs();
        Task<Attempt> sending = Send(first, "openai");
        first.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Contains("headers", (await sending).Outcome.Error!.Message);

        // The first output, which handshakes do not bring nearer.
        using var second = new TestExchange("openai", stream: false);
        using var delivery = new Delivery(second, "anthropic", collects: true);
        for (int i = 0; i < 12; i++)
        {
            delivery.Send(i == 0 ? Delivery.Events("anthropic.sse")[0] : "event: ping\ndata: {\"type\":\"ping\"}\n\n");
            second.Clock.Advance(TimeSpan.FromSeconds(10));
        }
        second.Clock.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(delivery.Done);
        Assert.Equal(ClockPhase.FirstToken, delivery.Clock.Expired);

        // Silence behind it; the time for all attempts has stopped.
        using var third = new TestExchange("openai", stream: false, totalSeconds: 200);
        using var slow = new Delivery(third, "openai", collects: true, idleSeconds: 300);
        foreach (string text in Delivery.Events("openai.sse")[..3])
        {
            slow.Send(text);
            third.Clock.Advance(TimeSpan.FromSeconds(90));
        }
        Assert.False(slow.Run.IsCompleted);
        third.Clock.Advance(TimeSpan.FromSeconds(211));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(slow.Done);
        Assert.Equal(ClockPhase.Idle, slow.Clock.Expired);
        Assert.Equal(0, third.Client.Starts);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task MoreThanAWholeAnswerMayHold_Fails(string client)
    {
        using var test = new TestExchange(client, stream: false);
        using var delivery = new Delivery(test, "anthropic", collects: true);
        string[] events = Delivery.Events("anthropic.sse");
        delivery.Send(events[0] + "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");
        string word = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"" + new string('x', 4 * 1024 * 1024) + "\"}}\n\n";
        for (int i = 0; i < 17 && !delivery.Run.IsCompleted; i++) delivery.Send(word);
        Assert.Contains("64 MB", (await delivery.Done())!.Message);
        Assert.Equal(0, test.Client.Starts);
    }
}
