using System.IO.Pipelines;
using System.Net.Sockets;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

public sealed class ForwarderTests
{
    private const string Good = """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}""";
    private const string BadRequest = """{"type":"error","error":{"type":"invalid_request_error","message":"no such thing"}}""";

    private readonly ScriptedHandler _upstream = new();

    private Task<Attempt> Send(TestExchange test, Func<UpstreamConfig, UpstreamConfig>? change = null, string type = "anthropic", string? credential = null)
    {
        UpstreamConfig config = TestExchange.Upstream(type);
        if (change is not null) config = change(config);
        var protocol = (IUpstreamProtocol)TestExchange.Protocols[type];
        var target = new UpstreamTarget(config, new ScriptedType(type, protocol, _upstream), protocol, "up-model", credential is null ? null : new UpstreamCredential(new Secret(credential)), 0);
        return new Forwarder(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System))).SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Answered_IsASuccessAndDelivered()
    {
        using var test = new TestExchange(stream: false);
        _upstream.Answers(200, Good, "application/json", ("anthropic-ratelimit-requests-remaining", "5"));
        Attempt attempt = await Send(test);

        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        Assert.Equal(Good, test.Client.Text);
        Assert.Equal("5", test.Client.Headers["anthropic-ratelimit-requests-remaining"]);
        Assert.Contains(attempt.Headers!, header => header.Key == "anthropic-ratelimit-requests-remaining");
        Assert.Equal(3, test.Exchange.Usage.TotalInput);
    }

    [Theory]
    [InlineData(400, BadRequest, true, OutcomeKind.Refused)]
    [InlineData(404, BadRequest, true, OutcomeKind.Failed)]
    [InlineData(429, BadRequest, true, OutcomeKind.Limited)]
    [InlineData(500, BadRequest, true, OutcomeKind.Failed)]
    [InlineData(529, BadRequest, true, OutcomeKind.Failed)]
    [InlineData(401, BadRequest, false, OutcomeKind.CredentialRefused)]
    [InlineData(403, BadRequest, false, OutcomeKind.CredentialRefused)]
    [InlineData(302, BadRequest, false, OutcomeKind.Failed)]
    [InlineData(502, "<html>bad gateway</html>", false, OutcomeKind.Failed)]
    [InlineData(500, "", false, OutcomeKind.Failed)]
    [InlineData(400, "{\"error\":\"see https://h/x?key=AIzaFake\"}", false, OutcomeKind.Refused)]
    [InlineData(400, "{\"error\":\"you sent sk-fake-credential\"}", false, OutcomeKind.Refused)]
    public async Task ErrorStatus_IsJudged_AndRelayedOnlyWhereItHelps(int status, string body, bool relayed, OutcomeKind kind)
    {
        using var test = new TestExchange();
        _upstream.Answers(status, body, "text/html", ("request-id", "req_up"), ("set-cookie", "a=b"));
        Attempt attempt = await Send(test, credential: "sk-fake-credential");

        Assert.Equal(kind, attempt.Outcome.Kind);
        Assert.Equal(relayed, attempt.Raw is not null);
        Assert.Equal(0, test.Client.Starts);
        if (attempt.Raw is not { } raw) return;
        Assert.Equal((status, body, "application/json"), (raw.Status, System.Text.Encoding.UTF8.GetString(raw.Body.Span), raw.ContentType));
        Assert.Equal(["request-id"], raw.Headers.Select(header => header.Key));
    }

    [Theory]
    [InlineData("gemini", true, """{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.Help","links":[{"url":"https://example.com/quota"}]}]}}""", 429)]
    [InlineData("gemini", false, """{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED","details":[]}}""", 429)]
    [InlineData("anthropic", true, """{"type":"error","error":{"type":"overloaded_error","message":"Overloaded","x":1}}""", 529)]
    [InlineData("openai", true, """{"error":{"message":"busy","type":"server_error","code":"overloaded","x":1}}""", 503)]
    public async Task ErrorToldInsideA200BeforeOutput_IsRelayedAsTheErrorBodyThatItIs(string protocol, bool stream, string error, int status)
    {
        using var test = new TestExchange(protocol, stream);
        _upstream.Answers(200, !stream ? error : (protocol == "anthropic" ? "event: error\n" : "") + $"data: {error}\n\n", stream ? "text/event-stream" : "application/json");
        Attempt attempt = await Send(test, type: protocol);
        Assert.Equal((status, error), (attempt.Raw?.Status, System.Text.Encoding.UTF8.GetString((attempt.Raw?.Body ?? default).Span)));
    }

    [Theory]
    [InlineData("anthropic", "openai", true)]
    [InlineData("gemini", "openai", true)]
    [InlineData("openai", "openai", true)]
    [InlineData("responses", "openai", false)]
    public async Task StreamHasBegun_TheRequestIsLetGo_UnlessTheAnswerRepeatsIt(string client, string upstream, bool isLetGo)
    {
        var answer = new Pipe();
        var room = new Room();
        _upstream.AnswersWith(200, answer.Reader.AsStream(), "text/event-stream");
        using var test = new TestExchange(client, room: room.TakeAsync);
        Task<Attempt> sending = Send(test, type: upstream);
        await WriteAsync("""{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"one"},"finish_reason":null}]}""");
        while (!test.Client.Text.Contains("one") && !sending.IsCompleted) await Task.Yield();
        Assert.Equal((isLetGo, isLetGo || client == upstream ? 0 : 1), (test.Exchange.Body.IsEmpty, room.Taken));

        await WriteAsync("""{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"two"},"finish_reason":"stop"}]}""");
        await WriteAsync("[DONE]");
        await answer.Writer.CompleteAsync();
        Assert.Equal((OutcomeKind.Success, 0), ((await sending).Outcome.Kind, room.Taken));
        test.Check(forwarded: client == upstream);

        async Task WriteAsync(string data) => await answer.Writer.WriteAsync(System.Text.Encoding.UTF8.GetBytes($"data: {data}\n\n"));
    }

    [Fact]
    public async Task AnswerBeginsWhileTheRequestIsStillSent_ItsMemoryIsNeitherLetGoNorUsedAgain()
    {
        var slow = new SlowStream();
        Task? sent = null;
        _upstream.Answers(200, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", "text/event-stream");
        _upstream.OnRequest = request => sent = request.Content!.CopyToAsync(slow);
        using var test = new TestExchange("openai");
        Assert.Equal(OutcomeKind.Success, (await Send(test, type: "openai")).Outcome.Kind);
        Assert.Equal((false, 1, false), (test.Exchange.Body.IsEmpty, test.Lent, sent!.IsCompleted));

        slow.Gate.SetResult();
        await sent;
        Assert.Contains("client-model", System.Text.Encoding.UTF8.GetString(slow.ToArray()).Replace("up-model", "client-model", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RequestThatWasSent_IsNotLent()
    {
        _upstream.Answers(200, Good);
        using var test = new TestExchange("anthropic", stream: false);
        await Send(test);
        Assert.Equal(0, test.Lent);
    }

    [Fact]
    public async Task NoRoomForATranslation_IsToldAtOnce_AndBlamesNobody()
    {
        using var test = new TestExchange("anthropic", room: (_, _) => ValueTask.FromResult<IDisposable?>(null));
        Outcome outcome = (await Send(test, type: "openai")).Outcome;
        Assert.Equal((ErrorKind.Unavailable, true, false, false), (outcome.Error!.Kind, outcome.IsFinal, outcome.Counts, outcome.CountsIfAnotherAccepts));
        Assert.Empty(_upstream.Bodies);
        Assert.Equal(OutcomeKind.Success, (await Forwarded()).Outcome.Kind);

        async Task<Attempt> Forwarded()
        {
            using var same = new TestExchange("anthropic", stream: false, room: (_, _) => ValueTask.FromResult<IDisposable?>(null));
            _upstream.Answers(200, Good);
            return await Send(same);
        }
    }

    [Fact]
    public async Task FailedVisit_GivesItsRoomBack()
    {
        var room = new Room();
        using var test = new TestExchange("anthropic", room: room.TakeAsync);
        _upstream.Answers(500, "{}");
        await Send(test, type: "openai");
        Assert.Equal((1, 0), (room.Asked, room.Taken));
    }

    private sealed class Room
    {
        public int Asked { get; private set; }

        public int Taken { get; private set; }

        public ValueTask<IDisposable?> TakeAsync(long bytes, CancellationToken cancellationToken)
        {
            Asked++;
            Taken++;
            return ValueTask.FromResult<IDisposable?>(new Lease(this));
        }

        private sealed class Lease(Room room) : IDisposable
        {
            private bool _isGiven;

            public void Dispose()
            {
                if (!_isGiven) room.Taken--;
                _isGiven = true;
            }
        }
    }

    [Fact]
    public async Task EventThatTellsAFailureAndMore_IsNoErrorBody()
    {
        using var test = new TestExchange("responses");
        _upstream.Answers(200, """
            event: response.failed
            data: {"type":"response.failed","sequence_number":1,"response":{"id":"resp_1","object":"response","status":"failed","error":{"code":"server_error","message":"no"},"output":[]}}


            """, "text/event-stream");
        Attempt attempt = await Send(test, type: "responses");
        Assert.Equal((OutcomeKind.Failed, null), (attempt.Outcome.Kind, attempt.Raw));
    }

    [Fact]
    public async Task ErrorOfAnotherProtocol_IsNotRelayed()
    {
        using var test = new TestExchange("anthropic");
        _upstream.Answers(400, """{"error":{"message":"no","type":"invalid_request_error"}}""");
        Attempt attempt = await Send(test, type: "openai");
        Assert.Null(attempt.Raw);
        Assert.Equal(OutcomeKind.Refused, attempt.Outcome.Kind);
    }

    [Fact]
    public async Task ErrorBodyBreaks_StatusStillCounts()
    {
        using var test = new TestExchange();
        _upstream.AnswersWith(429, new BrokenStream());
        Attempt attempt = await Send(test);
        Assert.Equal((OutcomeKind.Limited, ErrorKind.RateLimit), (attempt.Outcome.Kind, attempt.Outcome.Error!.Kind));
    }

    [Fact]
    public async Task ErrorBodyHangs_StatusCountsAfterSeconds()
    {
        using var test = new TestExchange();
        _upstream.AnswersWith(503, new HangingStream());
        Task<Attempt> sending = Send(test);
        test.Clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(ErrorKind.Overloaded, (await sending).Outcome.Error!.Kind);
    }

    [Fact]
    public async Task ErrorBodyOfManyMegabytes_IsNoErrorBody()
    {
        using var test = new TestExchange();
        _upstream.Answers(500, "{\"error\":\"" + new string('x', 2 * 1024 * 1024) + "\"}");
        Assert.Null((await Send(test)).Raw);
    }

    public static TheoryData<Exception, ErrorKind, string> TransportFaults() => new()
    {
        { new HttpRequestException(HttpRequestError.ConnectionError, "x", new SocketException((int)SocketError.ConnectionRefused)), ErrorKind.BadGateway, "connection refused" },
        { new HttpRequestException(HttpRequestError.NameResolutionError), ErrorKind.BadGateway, "does not resolve" },
        { new HttpRequestException(HttpRequestError.SecureConnectionError), ErrorKind.BadGateway, "TLS" },
        { new HttpRequestException(HttpRequestError.ResponseEnded), ErrorKind.BadGateway, "before its answer was whole" },
        { new HttpRequestException(HttpRequestError.InvalidResponse), ErrorKind.BadGateway, "not HTTP" },
        { new HttpRequestException(HttpRequestError.ConnectionError, "x", new PrivateAddressException()), ErrorKind.BadGateway, "allow_private" },
        { new TaskCanceledException("x", new TimeoutException()), ErrorKind.BadGateway, "connect_timeout" },
        { new IOException("secret address"), ErrorKind.BadGateway, "broke the connection" },
    };

    [Theory]
    [MemberData(nameof(TransportFaults))]
    public async Task TransportFault_IsTheUpstreams_InOurWords(Exception fault, ErrorKind kind, string words)
    {
        using var test = new TestExchange();
        _upstream.Fails(fault);
        Attempt attempt = await Send(test);
        Assert.Equal((OutcomeKind.Failed, kind, true), (attempt.Outcome.Kind, attempt.Outcome.Error!.Kind, attempt.Outcome.Counts));
        Assert.Contains(words, attempt.Outcome.Error.Message);
        Assert.DoesNotContain("secret", attempt.Outcome.Error.Message);
    }

    [Fact]
    public async Task PackedAnswerIsCorrupt_FailsOver()
    {
        using var test = new TestExchange(stream: false);
        _upstream.AnswersWith(200, new BrokenStream(new InvalidDataException("bad block")));
        Attempt attempt = await Send(test);
        Assert.Equal(OutcomeKind.Failed, attempt.Outcome.Kind);
        Assert.Contains("Content-Encoding", attempt.Outcome.Error!.Message);
    }

    [Fact]
    public async Task BugOfOurs_IsNotBlamedOnTheUpstream()
    {
        using var test = new TestExchange();
        _upstream.Fails(new NullReferenceException());
        await Assert.ThrowsAsync<NullReferenceException>(() => Send(test));
    }

    [Theory]
    [InlineData(true, 61)]
    [InlineData(false, 601)]
    public async Task NoHeadersInTime_IsATimeout(bool stream, int seconds)
    {
        using var test = new TestExchange(stream: stream, earlySeconds: 0);
        _upstream.Hangs();
        Task<Attempt> sending = Send(test);
        test.Clock.Advance(TimeSpan.FromSeconds(seconds - 2));
        Assert.False(sending.IsCompleted);
        test.Clock.Advance(TimeSpan.FromSeconds(2));
        Outcome outcome = (await sending).Outcome;
        Assert.Equal((OutcomeKind.Failed, ErrorKind.Timeout), (outcome.Kind, outcome.Error!.Kind));
        Assert.Contains("headers", outcome.Error.Message);
    }

    [Fact]
    public async Task TotalTimeOver_IsATimeout()
    {
        using var test = new TestExchange(totalSeconds: 30);
        _upstream.Hangs();
        Task<Attempt> sending = Send(test);
        test.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Contains("all attempts", (await sending).Outcome.Error!.Message);
    }

    [Fact]
    public async Task ClientLeavesBeforeTheHeaders_NobodyIsBlamed()
    {
        using var test = new TestExchange();
        _upstream.Hangs();
        Task<Attempt> sending = Send(test);
        test.Client.Leave();
        Assert.Same(Outcome.ClientGone, (await sending).Outcome);
    }

    [Fact]
    public async Task ClientTakesNothingOfAWholeAnswer_NobodyIsBlamed()
    {
        using var test = new TestExchange(stream: false);
        test.Client.IsStuck = true;
        _upstream.Answers(200, Good);
        Task<Attempt> sending = Send(test);
        test.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(OutcomeKind.ClientGone, (await sending).Outcome.Kind);
        Assert.True(test.Client.IsAborted);
    }

    [Fact]
    public async Task WholeAnswer_TellsOfItsOutputBeforeASlowClientHasIt()
    {
        using var test = new TestExchange(stream: false);
        bool told = false;
        test.Exchange.OnOutput = () => told = true;
        test.Client.IsStuck = true;
        _upstream.Answers(200, Good);
        Task<Attempt> sending = Send(test);
        Assert.True(told);
        test.Client.Read();
        Assert.Equal(OutcomeKind.Success, (await sending).Outcome.Kind);
    }

    [Fact]
    public async Task SeveralHosts_NextIsTriedOnlyWhereTheHostIsToBlame()
    {
        Func<UpstreamConfig, UpstreamConfig> two = config => config with { BaseUrls = [new("http://a.invalid"), new("http://b.invalid")] };
        using var test = new TestExchange(stream: false);
        _upstream.Fails(new HttpRequestException(HttpRequestError.ConnectionError)).Answers(200, Good);
        Assert.Equal(OutcomeKind.Success, (await Send(test, two)).Outcome.Kind);
        Assert.Equal(["a.invalid", "b.invalid"], _upstream.Addresses.Select(address => address.Host));

        using var other = new TestExchange(stream: false);
        _upstream.Answers(400, BadRequest);
        Assert.Equal(OutcomeKind.Refused, (await Send(other, two)).Outcome.Kind);
        Assert.Equal(3, _upstream.Addresses.Count);
    }

    [Fact]
    public async Task ErrorRule_DecidesBeforeTheBuiltInJudgement_AlsoInsideA200()
    {
        ErrorRule rule = new() { BodyContains = "quota exhausted", Action = ErrorAction.Rest, RestFor = TimeSpan.FromHours(1) };
        foreach (int status in (int[])[200, 418])
        {
            using var test = new TestExchange(stream: false);
            _upstream.Answers(status, """{"type":"error","error":{"type":"api_error","message":"daily Quota exhausted"}}""");
            Outcome outcome = (await Send(test, config => config with { ErrorRules = [rule] })).Outcome;
            Assert.Equal((OutcomeKind.Limited, Scope.Credential, ErrorAction.Rest), (outcome.Kind, outcome.Scope, outcome.Rule));
            Assert.Equal(test.Clock.Now + TimeSpan.FromHours(1), outcome.RetryAt);
        }
    }

    [Fact]
    public async Task CannotBeSaid_EndsWithoutARequest()
    {
        using var test = new TestExchange("anthropic", body: """{"model":"m","max_tokens":5,"messages":[{"role":"nobody","content":"x"}]}""");
        Attempt attempt = await Send(test, type: "openai");
        Assert.Equal(OutcomeKind.CannotSay, attempt.Outcome.Kind);
        Assert.Empty(_upstream.Bodies);
    }

    private sealed class BrokenStream(Exception? fault = null) : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw fault ?? new IOException("reset");
    }

    private sealed class HangingStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
