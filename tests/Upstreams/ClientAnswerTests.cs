using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.StreamInvariants;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

public sealed class ClientAnswerTests
{
    private const string Ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    private const string Comment = ": keepalive\n\n";
    private const string EmptyText = "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"\"}]},\"index\":0}]}\r\n\r\n";

    private static readonly ProxyError Down = new(ErrorKind.BadGateway, "no upstream answered");

    private static void Pass(TestExchange test, double seconds) => test.Clock.Advance(TimeSpan.FromSeconds(seconds));

    private static ValueTask Begin(TestExchange test, Action<IBufferWriter<byte>>? filler = null) =>
        test.Answer.BeginAsync(200, "text/event-stream", null, [], filler ?? (output => output.Write(": x\n\n"u8)));

    [Theory]
    [InlineData("anthropic", false, Ping)]
    [InlineData("openai", false, Comment)]
    [InlineData("responses", false, Comment)]
    [InlineData("gemini", false, EmptyText)]
    [InlineData("gemini", true, " ")]
    public async Task EarlyCommit_SendsStatusAndFiller_ThenOneAnInterval(string protocol, bool array, string filler)
    {
        using var test = new TestExchange(protocol, array: array);
        test.Answer.RouteHeaders = [new("x-aiproxy-upstream", "one")];
        Pass(test, 89);
        Assert.Equal(0, test.Client.Starts);

        Pass(test, 2);
        Assert.Equal(200, test.Client.Status);
        Assert.True(test.Answer.IsEarly);
        Assert.False(test.Answer.HasBegun);
        Assert.Equal(filler, test.Client.Text);
        Assert.Equal("req_test", test.Client.Headers["x-aiproxy-request-id"]);
        Assert.False(test.Client.Headers.ContainsKey("x-aiproxy-upstream"));

        Pass(test, 31);
        Assert.Equal(filler + filler + filler, test.Client.Text);

        await test.Answer.FailAsync(Down, "req_test", null);
        await test.Answer.EndAsync();
        Assert.Equal(StreamEnd.Failed, test.Check());
        Assert.Equal(1, test.Client.Starts);
    }

    [Theory]
    [InlineData("anthropic", false)]
    [InlineData("openai", false)]
    [InlineData("responses", false)]
    [InlineData("gemini", false)]
    [InlineData("gemini", true)]
    public async Task FailedBeforeEarlyCommit_IsAStatusAndAnEnvelope(string protocol, bool array)
    {
        using var test = new TestExchange(protocol, array: array);
        test.Answer.RouteHeaders = [new("x-aiproxy-upstream", "one")];
        await test.Answer.FailAsync(new ProxyError(ErrorKind.RateLimit, "slow down") { RetryAfter = TimeSpan.FromSeconds(7) }, "req_test", null);
        Pass(test, 1000);

        Assert.Equal(429, test.Client.Status);
        Assert.Equal("7", test.Client.Headers["retry-after"]);
        Assert.Equal("one", test.Client.Headers["x-aiproxy-upstream"]);
        Assert.Contains("slow down", test.Client.Text);
        Assert.Equal(Encoding.UTF8.GetByteCount(test.Client.Text), test.Client.Length);
        Assert.Single(test.Client.Flushes);
    }

    [Fact]
    public async Task RawAnswer_IsRelayedAsItIs()
    {
        using var test = new TestExchange();
        var raw = new RawAnswer(529, "application/json", "{\"type\":\"error\"}"u8.ToArray(), [new("request-id", "req_up")]);
        await test.Answer.FailAsync(Down, "req_test", raw);

        Assert.Equal(529, test.Client.Status);
        Assert.Equal("{\"type\":\"error\"}", test.Client.Text);
        Assert.Equal("req_up", test.Client.Headers["request-id"]);
    }

    [Fact]
    public void NoStream_NeverCommitsEarly()
    {
        using var test = new TestExchange(stream: false);
        Pass(test, 10_000);
        Assert.Equal(0, test.Client.Starts);
    }

    [Fact]
    public void EarlyCommitOff_NeverCommitsEarly()
    {
        using var test = new TestExchange(earlySeconds: 0);
        Pass(test, 10_000);
        Assert.Equal(0, test.Client.Starts);
    }

    [Fact]
    public async Task Begun_SilenceIsFilledByTheWay_UntilTheEnd()
    {
        using var test = new TestExchange();
        await Begin(test);
        test.Answer.Output.Write("data: 1\n\n"u8);
        Assert.True(await test.Answer.FlushAsync());
        test.Answer.Release();

        Pass(test, 14);
        Assert.Equal("data: 1\n\n", test.Client.Text);
        Pass(test, 2);
        Assert.Equal("data: 1\n\n: x\n\n", test.Client.Text);

        await test.Answer.TakeAsync();
        test.Answer.StopFillers();
        test.Answer.Release();
        Pass(test, 1000);
        await test.Answer.EndAsync();
        Pass(test, 1000);
        Assert.Equal("data: 1\n\n: x\n\n", test.Client.Text);
        Assert.Equal(0, test.Clock.PendingTimers);
    }

    [Fact]
    public async Task EventHalfWritten_NoFillerGoesBetween()
    {
        using var test = new TestExchange();
        await Begin(test);
        test.Answer.Output.Write("data: ha"u8);
        Pass(test, 100);
        test.Answer.Output.Write("lf\n\n"u8);
        await test.Answer.FlushAsync();
        test.Answer.Release();
        Assert.Equal("data: half\n\n", test.Client.Text);
    }

    [Fact]
    public async Task WriterIsSlow_TimerDoesNotSpin()
    {
        using var test = new TestExchange();
        await Begin(test);
        int before = test.Clock.Fired;
        Pass(test, 60);
        Assert.InRange(test.Clock.Fired - before, 1, 60);
        test.Answer.Release();
    }

    [Fact]
    public async Task SlowClientTakesTheLastBytes_NoFillerFollows()
    {
        using var test = new TestExchange();
        await Begin(test);
        test.Answer.Output.Write("data: last\n\n"u8);
        test.Answer.StopFillers();
        test.Client.IsStuck = true;
        ValueTask<bool> flush = test.Answer.FlushAsync();
        Pass(test, 50);
        test.Client.Read();
        Assert.True(await flush);
        test.Answer.Release();
        Pass(test, 50);
        Assert.Equal("data: last\n\n", test.Client.Text);
    }

    [Fact]
    public async Task SlowClientTookItsTime_SilenceCountsFromThen()
    {
        using var test = new TestExchange();
        await Begin(test);
        test.Answer.Output.Write("data: 1\n\n"u8);
        test.Client.IsStuck = true;
        ValueTask<bool> flush = test.Answer.FlushAsync();
        Pass(test, 50);
        test.Client.Read();
        await flush;
        test.Answer.Release();
        Pass(test, 5);
        Assert.Equal("data: 1\n\n", test.Client.Text);
    }

    [Fact]
    public async Task StuckClient_IsCutOff_AndWrittenToNoMore()
    {
        using var test = new TestExchange();
        await Begin(test);
        test.Client.IsStuck = true;
        test.Answer.Output.Write("data: 1\n\n"u8);
        ValueTask<bool> flush = test.Answer.FlushAsync();
        Pass(test, 61);

        Assert.False(await flush);
        Assert.True(test.Client.IsAborted);
        test.Answer.Release();
        Pass(test, 1000);
        Assert.False(await test.Answer.FlushAsync());
        await test.Answer.EndAsync();
        Assert.Equal("", test.Client.Text);
    }

    [Fact]
    public async Task ClientLeavesWhileStuck_FlushEndsAtOnce()
    {
        using var test = new TestExchange();
        await Begin(test);
        test.Client.IsStuck = true;
        test.Answer.Output.Write("data: 1\n\n"u8);
        ValueTask<bool> flush = test.Answer.FlushAsync();
        test.Client.Leave();
        Assert.False(await flush);
    }

    [Fact]
    public async Task BeginFails_PipeIsGivenBack()
    {
        using var test = new TestExchange();
        test.Client.StartFault = new InvalidOperationException("a header");
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Begin(test));
        await test.Answer.EndAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task BeginAfterEarlyCommit_MakesNoSecondStart()
    {
        using var test = new TestExchange();
        Pass(test, 91);
        await Begin(test);
        test.Answer.Output.Write("data: 1\n\n"u8);
        await test.Answer.FlushAsync();
        test.Answer.Release();
        Assert.Equal(1, test.Client.Starts);
        Assert.Equal(Ping + "data: 1\n\n", test.Client.Text);
    }

    [Fact]
    public async Task FailureAfterTheBeginning_IsNotToldHere()
    {
        using var test = new TestExchange();
        await Begin(test);
        test.Answer.Release();
        await test.Answer.FailAsync(Down, "req_test", null);
        Assert.Equal("", test.Client.Text);
    }

    [Fact]
    public void ClientGone_NothingIsWrittenAndTheTimerRests()
    {
        using var test = new TestExchange();
        test.Client.Leave();
        Pass(test, 1000);
        Assert.Equal(0, test.Client.Starts);
        Assert.Equal(0, test.Clock.PendingTimers);
    }
}
