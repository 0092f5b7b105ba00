using Aiproxy.Balancer;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.StreamInvariants;
using Aiproxy.Tests.Upstreams;
using Aiproxy.Upstreams;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Aiproxy.Tests.Balancer;

/// <summary>Whole requests through the loop, each upstream a script of answers.</summary>
public sealed class AttemptLoopTests : ILogEventSink
{
    private const string Good = """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}""";

    private readonly FakeClock _clock = new();
    private readonly UpstreamStateTable _states;
    private readonly List<UpstreamConfig> _upstreams = [];
    private readonly Dictionary<string, ScriptedHandler> _scripts = [];
    private readonly Dictionary<string, string> _fallbacks = [];
    private readonly List<string> _log = [];
    private AttemptLoop? _loop;

    public AttemptLoopTests() => _states = new UpstreamStateTable(_clock);

    void ILogEventSink.Emit(LogEvent logEvent) => _log.Add(logEvent.RenderMessage(null));

    private ScriptedHandler Add(string name, int priority = 0, Func<UpstreamConfig, UpstreamConfig>? change = null, params string[] tokens)
    {
        // A type of its own for each, since that carries the script, and a way of its own to connect, since clients are shared.
        UpstreamConfig config = TestExchange.Upstream(name, name: name, tokens: tokens) with { Priority = priority, ConnectTimeout = TimeSpan.FromSeconds(10 + _upstreams.Count) };
        _upstreams.Add(change is null ? config : change(config));
        return _scripts[name] = new ScriptedHandler();
    }

    private async Task<TestExchange> Run(TestExchange? given = null)
    {
        TestExchange test = given ?? new TestExchange("anthropic", stream: false, clock: _clock);
        var protocol = (IUpstreamProtocol)TestExchange.Protocols["anthropic"];
        var types = new UpstreamTable(_scripts.Select(script => new ScriptedType(script.Key, protocol, script.Value)));
        ProxyConfig config = TestUpstreams.Config([.. _upstreams]) with { ModelFallback = _fallbacks };
        _states.Retain(config.Upstreams, config.Circuit);
        Logger log = new LoggerConfiguration().WriteTo.Sink(this).CreateLogger();
        _loop ??= new AttemptLoop(new Forwarder(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System))), types, new CredentialSource(new TokenCache(_clock, _ => { }), new UpstreamClients(), types), _states, log, _clock);
        await _loop.RunAsync(test.Exchange, new Router(config, [.. _scripts.Keys])).WaitAsync(TimeSpan.FromSeconds(20));
        await test.Answer.EndAsync();
        return test;
    }

    private static string Invalid(string message) => """{"type":"error","error":{"type":"invalid_request_error","message":"?"}}""".Replace("?", message);

    private UpstreamState State(string name) => _states.For(_upstreams.Single(upstream => upstream.Name == name));

    private CircuitBreaker Circuit(string name, string model = "client-model") => State(name).Circuit(model);

    private Task<TestExchange> RunTurn(string user) => Run(new TestExchange("anthropic", stream: false, clock: _clock,
        body: """{"model":"client-model","max_tokens":9,"metadata":{"user_id":"USER"},"messages":[{"role":"user","content":"hi"}]}""".Replace("USER", user)));

    [Fact]
    public async Task Conversation_StaysWithUpstreamAndCredential_AndMovesWhenTheyFail()
    {
        Func<UpstreamConfig, UpstreamConfig> affine = static config => config with { SessionAffinity = true };
        ScriptedHandler a = Add("a", 0, affine, "sk-fake-1", "sk-fake-2"), b = Add("b", 0, affine);
        for (int i = 0; i < 8; i++) a.Answers(200, Good);
        for (int i = 0; i < 8; i++) b.Answers(200, Good);

        string first = (await RunTurn("u1")).Client.Headers["x-aiproxy-upstream"];
        for (int turn = 0; turn < 3; turn++)
        {
            await RunTurn("other" + turn);
            Assert.Equal(first, (await RunTurn("u1")).Client.Headers["x-aiproxy-upstream"]);
        }
        string? key = a.Headers.Select(static headers => headers.GetValueOrDefault("x-credential")).First();
        Assert.All(first == "a" ? a.Headers.Where((_, at) => at == 0) : [], headers => Assert.Equal(key, headers["x-credential"]));

        Circuit(first).Limited(Enter(first), _clock.Now.AddMinutes(5));
        string moved = (await RunTurn("u1")).Client.Headers["x-aiproxy-upstream"];
        Assert.NotEqual(first, moved);
        _clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(moved, (await RunTurn("u1")).Client.Headers["x-aiproxy-upstream"]);
    }

    private CircuitPass Enter(string name)
    {
        Assert.True(Circuit(name).TryEnter(out CircuitPass pass));
        return pass;
    }

    [Fact]
    public async Task FailedUpstream_NextByPriorityAnswers_AndHeadersTell()
    {
        ScriptedHandler first = Add("a").Answers(500, "{}"), second = Add("b", priority: 1).Answers(200, Good);
        TestExchange test = await Run();

        Assert.Equal((200, Good), (test.Client.Status, test.Client.Text));
        Assert.Equal(("b", "2"), (test.Client.Headers["x-aiproxy-upstream"], test.Client.Headers["x-aiproxy-attempts"]));
        Assert.Equal((1, 1), (first.Bodies.Count, second.Bodies.Count));
        Assert.Equal((0, 0), (State("a").InFlight, State("b").InFlight));
    }

    [Fact]
    public async Task Refused_ThenAccepted_CountsAgainstTheOneThatRefused()
    {
        ScriptedHandler a = Add("a"), b = Add("b", 1);
        for (int i = 0; i < 3; i++)
        {
            a.Answers(400, Invalid("odd"));
            b.Answers(200, Good);
            Assert.Equal(200, (await Run()).Client.Status);
        }
        Assert.Equal(CircuitState.Open, Circuit("a").State);
    }

    [Fact]
    public async Task RefusedByAll_IsTheFirstBody_AndNobodyIsBlamed()
    {
        ScriptedHandler a = Add("a"), b = Add("b", 1);
        for (int i = 0; i < 5; i++)
        {
            a.Answers(400, Invalid("first"));
            b.Answers(400, Invalid("second"));
            TestExchange test = await Run();
            Assert.Equal((400, Invalid("first")), (test.Client.Status, test.Client.Text));
        }
        Assert.Equal((CircuitState.Closed, CircuitState.Closed), (Circuit("a").State, Circuit("b").State));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task RefusedCredential_IsToldAlikeWhileItRests(int status)
    {
        ScriptedHandler only = Add("a", tokens: "sk-fake-1").Answers(status, """{"type":"error","error":{"type":"permission_error","message":"no"}}""");
        TestExchange first = await Run(), later = await Run();
        Assert.Equal((500, "false"), (first.Client.Status, first.Client.Headers["x-should-retry"]));
        Assert.Equal((500, "false", first.Client.Text.Replace($" (HTTP {status})", "")), (later.Client.Status, later.Client.Headers["x-should-retry"], later.Client.Text));
        Assert.False(later.Client.Headers.ContainsKey("retry-after"));
        Assert.Single(only.Bodies);
    }

    [Fact]
    public async Task LimitWithoutATime_TellsTheTimeOfTheRestFromTheFirst()
    {
        ScriptedHandler only = Add("a", tokens: "sk-fake-1").Answers(429, """{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}""");
        TestExchange first = await Run();
        _clock.Advance(TimeSpan.FromSeconds(10));
        TestExchange later = await Run();
        Assert.Equal((429, "30"), (first.Client.Status, first.Client.Headers["retry-after"]));
        Assert.Equal((429, "20"), (later.Client.Status, later.Client.Headers["retry-after"]));
        Assert.Single(only.Bodies);
    }

    [Fact]
    public async Task QuotaWithoutATime_NamesNone()
    {
        Add("a", tokens: "sk-fake-1").Answers(402, """{"type":"error","error":{"type":"billing_error","message":"pay"}}""");
        foreach (TestExchange test in new[] { await Run(), await Run() })
        {
            Assert.Equal((402, "false"), (test.Client.Status, test.Client.Headers["x-should-retry"]));
            Assert.False(test.Client.Headers.ContainsKey("retry-after"));
        }
    }

    [Fact]
    public async Task RefusedCredentialBesideALimitedUpstream_IsToldAsTheLimit()
    {
        Add("limited").Answers(429, "{}", "application/json", ("retry-after", "20"));
        Add("a", 1, tokens: "sk-fake-1").Answers(200, Good).Answers(402, """{"type":"error","error":{"type":"billing_error","message":"pay"}}""");
        await Run();
        TestExchange test = await Run();
        Assert.Equal((429, "20"), (test.Client.Status, test.Client.Headers["retry-after"]));
        Assert.DoesNotContain("pay", test.Client.Text);
    }

    [Fact]
    public async Task OpenCircuitBesideARestingCredential_IsProbedAllTheSame()
    {
        Add("a", tokens: "sk-fake-1").Answers(403, "{}");
        ScriptedHandler b = Add("b", 1).Answers(500, "{}").Answers(500, "{}").Answers(500, "{}").Answers(200, Good);
        for (int i = 0; i < 3; i++) await Run();
        Assert.Equal(CircuitState.Open, Circuit("b").State);
        Assert.Equal((200, 4), ((await Run()).Client.Status, b.Bodies.Count));
    }

    [Fact]
    public async Task MostTellingFailure_IsTold()
    {
        Add("a").Fails(new HttpRequestException(HttpRequestError.ConnectionError));
        Add("b", 1).Answers(429, """{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}""", "application/json", ("retry-after", "20"));
        Add("c", 2).Answers(500, "oops", "text/html");
        TestExchange test = await Run();
        Assert.Equal((429, "20"), (test.Client.Status, test.Client.Headers["retry-after"]));
        Assert.Contains("slow", test.Client.Text);
    }

    [Fact]
    public async Task CredentialRefused_TheNextOneIsTried_AndTheClientNeverBlamed()
    {
        ScriptedHandler a = Add("a", 0, null, "sk-fake-1", "sk-fake-2").Answers(401, "{}").Answers(200, Good);
        TestExchange test = await Run();
        Assert.Equal(200, test.Client.Status);
        Assert.Equal(["sk-fake-1", "sk-fake-2"], a.Headers.Select(headers => headers["x-credential"]));
        Assert.Equal(CircuitState.Closed, Circuit("a").State);

        a.Answers(403, "{}");
        TestExchange other = await Run();
        Assert.Equal((500, "false"), (other.Client.Status, other.Client.Headers["x-should-retry"]));
        Assert.DoesNotContain("sk-fake", other.Client.Text);
    }

    [Fact]
    public async Task EveryCredentialLimited_Is429WithTheSoonestTime_WithoutARequest()
    {
        ScriptedHandler a = Add("a", 0, null, "sk-fake-1", "sk-fake-2");
        a.Answers(429, "{}", "application/json", ("retry-after", "30")).Answers(429, "{}", "application/json", ("retry-after", "10"));
        await Run();
        TestExchange test = await Run();
        Assert.Equal((429, "10"), (test.Client.Status, test.Client.Headers["retry-after"]));
        Assert.Equal(2, a.Bodies.Count);
        _clock.Advance(TimeSpan.FromSeconds(11));
        a.Answers(200, Good);
        Assert.Equal(200, (await Run()).Client.Status);
    }

    [Fact]
    public async Task OpenCircuit_IsPassedOver_AndProbedOnceASecond()
    {
        ScriptedHandler a = Add("a");
        for (int i = 0; i < 3; i++)
        {
            a.Answers(500, "{}");
            await Run();
        }
        Assert.Equal(CircuitState.Open, Circuit("a").State);
        a.Answers(500, "{}");
        Assert.Equal(500, (await Run()).Client.Status);
        TestExchange blocked = await Run();
        Assert.Equal(503, blocked.Client.Status);
        Assert.True(blocked.Client.Headers.ContainsKey("retry-after"));
        _clock.Advance(TimeSpan.FromSeconds(2));
        a.Answers(200, Good);
        Assert.Equal(200, (await Run()).Client.Status);
        Assert.Equal(CircuitState.Closed, Circuit("a").State);
    }

    [Fact]
    public async Task ProbeWhoseClientLeaves_FreesItsPlace()
    {
        ScriptedHandler a = Add("a");
        for (int i = 0; i < 3; i++)
        {
            a.Answers(500, "{}");
            await Run();
        }
        _clock.Advance(TimeSpan.FromMinutes(2));
        using var test = new TestExchange("anthropic", stream: false, clock: _clock);
        a.Does(_ =>
        {
            test.Client.Leave();
            return Task.FromException<HttpResponseMessage>(new OperationCanceledException());
        });
        await Run(test);
        Assert.False(Circuit("a").IsProbeOut);
        Assert.Equal(0, State("a").InFlight);
        a.Answers(200, Good);
        Assert.Equal(200, (await Run()).Client.Status);
    }

    [Fact]
    public async Task BugInTheMiddle_GivesPlacesAndCredentialsBack()
    {
        ScriptedHandler a = Add("a", 0, null, "sk-fake-1");
        a.Fails(new NullReferenceException());
        await Assert.ThrowsAsync<NullReferenceException>(() => Run());
        Assert.Equal(0, State("a").InFlight);
        a.Answers(200, Good);
        Assert.Equal(200, (await Run()).Client.Status);
    }

    [Fact]
    public async Task ProbeOfAStream_MakesRoomAtTheFirstOutput()
    {
        ScriptedHandler a = Add("a");
        for (int i = 0; i < 3; i++)
        {
            a.Answers(500, "{}");
            await Run();
        }
        _clock.Advance(TimeSpan.FromMinutes(2));
        using var test = new TestExchange("anthropic", clock: _clock);
        var pipe = new System.IO.Pipelines.Pipe();
        a.AnswersWith(200, pipe.Reader.AsStream(), "text/event-stream");
        Task<TestExchange> running = Run(test);
        Assert.True(Circuit("a").IsProbeOut);
        await pipe.Writer.WriteAsync(System.Text.Encoding.UTF8.GetBytes(string.Concat(Delivery.Events("anthropic.sse")[..2])));
        for (int i = 0; !test.Answer.HasBegun || Circuit("a").IsProbeOut; i++)
        {
            Assert.True(i < 10_000_000);
            await Task.Yield();
        }
        Assert.Equal(CircuitState.Closed, Circuit("a").State);
        // The answer breaks all the same: that one failure opens it again.
        pipe.Writer.Complete(new IOException("reset"));
        await running;
        Assert.Equal(StreamEnd.Failed, test.Check(true));
        Assert.Equal(CircuitState.Open, Circuit("a").State);
    }

    [Fact]
    public async Task BrokenAfterOutput_NoSecondAttempt()
    {
        Add("a").Answers(200, string.Concat(Delivery.Events("anthropic.sse")[..4]), "text/event-stream");
        ScriptedHandler b = Add("b", 1);
        using var test = new TestExchange("anthropic", clock: _clock);
        await Run(test);
        Assert.Equal(StreamEnd.Failed, test.Check(true));
        Assert.Empty(b.Bodies);
    }

    [Fact]
    public async Task BrokenBeforeOutput_SecondAttempt_OneStart()
    {
        Add("a").Answers(200, string.Concat(Delivery.Events("anthropic.sse")[..1]), "text/event-stream");
        Add("b", 1).Answers(200, Delivery.Fixture("anthropic.sse"), "text/event-stream");
        using var test = new TestExchange("anthropic", clock: _clock);
        await Run(test);
        Assert.Equal(Delivery.Fixture("anthropic.sse"), test.Client.Text);
    }

    [Fact]
    public async Task Fallback_StartsOverUnderItsOwnName()
    {
        _fallbacks["client-model"] = "second";
        Add("a", 0, config => config with { AvailableModels = ["client-model"] }).Answers(500, "{}");
        ScriptedHandler b = Add("b", 0, config => config with { AvailableModels = ["second"] }).Answers(200, Good);
        Assert.Equal(200, (await Run()).Client.Status);
        Assert.Contains("\"model\":\"second\"", b.Bodies[0]);
    }

    [Fact]
    public async Task NobodyServesIt_Is404()
    {
        Add("a", 0, config => config with { AvailableModels = ["other"] });
        TestExchange test = await Run();
        Assert.Equal((404, "false"), (test.Client.Status, test.Client.Headers["x-should-retry"]));
    }

    [Fact]
    public async Task RuleSaysFail_NobodyElseIsAsked()
    {
        Add("a", 0, config => config with { ErrorRules = [new ErrorRule { Statuses = [500], Action = ErrorAction.Fail }] }).Answers(500, """{"type":"error","error":{"type":"api_error","message":"mine"}}""");
        ScriptedHandler b = Add("b", 1);
        TestExchange test = await Run();
        Assert.Equal(500, test.Client.Status);
        Assert.Contains("mine", test.Client.Text);
        Assert.Empty(b.Bodies);
    }

    [Fact]
    public async Task FullUpstream_IsPassedOver_AndNeverBlamed()
    {
        ScriptedHandler a = Add("a", 0, config => config with { MaxConcurrent = 1 });
        Add("b", 1).Answers(200, Good);
        Assert.True(State("a").TryEnter(1));
        Assert.Equal("b", (await Run()).Client.Headers["x-aiproxy-upstream"]);
        State("a").Leave();
        a.Answers(200, Good);
        Assert.Equal("a", (await Run()).Client.Headers["x-aiproxy-upstream"]);
        Assert.Equal(CircuitState.Closed, Circuit("a").State);
    }

    [Fact]
    public async Task TotalTimeOver_EndsTheSearch()
    {
        ScriptedHandler a = Add("a").Hangs(), b = Add("b", 1);
        using var test = new TestExchange("anthropic", clock: _clock, totalSeconds: 20);
        Task<TestExchange> running = Run(test);
        _clock.Advance(TimeSpan.FromSeconds(21));
        await running;
        Assert.Equal(504, test.Client.Status);
        Assert.Equal((1, 0), (a.Bodies.Count, b.Bodies.Count));
    }

    [Fact]
    public async Task TotalTimeOver_IsNotTheFaultOfWhoWasAskedLast()
    {
        // Alone it had all the time.
        Add("a").Hangs();
        using var first = new TestExchange("anthropic", clock: _clock, totalSeconds: 20);
        Task<TestExchange> running = Run(first);
        _clock.Advance(TimeSpan.FromSeconds(21));
        await running;
        _scripts["a"].Hangs();
        Add("b", 1).Hangs();
        for (int i = 0; i < 5; i++)
        {
            _loop = null;
            using var test = new TestExchange("anthropic", clock: _clock, totalSeconds: 70);
            running = Run(test);
            _clock.Advance(TimeSpan.FromSeconds(61));
            _clock.Advance(TimeSpan.FromSeconds(10));
            await running;
            Assert.Equal(504, test.Client.Status);
            if (i < 4) _scripts["a"].Hangs();
            if (i < 4) _scripts["b"].Hangs();
            if (Circuit("a").State == CircuitState.Open) break;
        }
        Assert.Equal((CircuitState.Open, CircuitState.Closed), (Circuit("a").State, Circuit("b").State));
    }

    [Fact]
    public async Task LimitToldInTheMiddleOfAStream_RestsTheCredential()
    {
        ScriptedHandler a = Add("a", 0, null, "sk-fake-1", "sk-fake-2");
        string stream = Aiproxy.Tests.Protocols.Edges.Sse.Messages("end_turn", Aiproxy.Tests.Protocols.Edges.Sse.TextBlock(0, new string('x', 9000)));
        string cut = stream[..stream.IndexOf("event: content_block_stop")] + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"try again in 40s\"}}\n\n";
        a.Answers(200, cut, "text/event-stream").Answers(200, Good).Answers(200, Good);
        using var test = new TestExchange("anthropic", clock: _clock);
        Task<TestExchange> running = Run(test);
        for (int i = 0; i < 10; i++) _clock.Advance(TimeSpan.FromMilliseconds(50));
        await running;
        Assert.Contains("rate_limit_error", test.Client.Text);
        for (int i = 0; i < 2; i++) Assert.Equal(200, (await Run()).Client.Status);
        Assert.Equal(["sk-fake-1", "sk-fake-2", "sk-fake-2"], a.Headers.Select(headers => headers["x-credential"]));
    }

    [Fact]
    public async Task CallThatNoUpstreamHas_Is404WithoutARequest()
    {
        ScriptedHandler a = Add("a");
        using var test = new TestExchange("anthropic", stream: false, clock: _clock, operation: Operation.Compact);
        await Run(test);
        Assert.Equal(404, test.Client.Status);
        Assert.Empty(a.Bodies);
    }

    [Fact]
    public async Task Log_HoldsNoPromptNoKeyAndNoUpstreamWords()
    {
        Add("a", 0, null, "sk-fake-1").Answers(400, """{"type":"error","error":{"type":"invalid_request_error","message":"you said hello there"}}""");
        Add("b", 1, null, "sk-fake-2").Fails(new HttpRequestException(HttpRequestError.ConnectionError, "sk-fake-2 at secret.host"));
        await Run();
        Assert.NotEmpty(_log);
        foreach (string secret in (string[])["hello", "sk-fake", "secret"]) Assert.DoesNotContain(_log, line => line.Contains(secret));
    }
}
