using System.Diagnostics;
using System.Net;
using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>The harness itself: what it records and how it misbehaves.</summary>
public sealed class FakeUpstreamTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Request_IsRecordedAsSent()
    {
        await using var upstream = new FakeUpstream(FakeAnswer.Json("{}"));
        using var client = NewClient();
        using var message = new HttpRequestMessage(HttpMethod.Post, upstream.Url + "/v1/x%2Fy?a=b%20c") { Content = new ByteArrayContent("{ \"a\":1 }"u8.ToArray()) };
        message.Headers.Add("X-One", "1");
        using var answer = await client.SendAsync(message);
        Assert.Equal("{}", await answer.Content.ReadAsStringAsync());
        Assert.Equal("POST", upstream.Last.Method);
        Assert.Equal("/v1/x%2Fy?a=b%20c", upstream.Last.Target);
        Assert.Equal("1", upstream.Last.Header("x-one"));
        Assert.Equal("{ \"a\":1 }", upstream.Last.Text);
        Assert.False(await upstream.Last.WasCut.InTimeAsync(Patience, "the answer did not end"));
    }

    [Fact]
    public async Task ChunkedRequest_IsDecoded()
    {
        await using var upstream = new FakeUpstream(FakeAnswer.Json("{}"));
        using var client = NewClient();
        var body = new byte[300_000];
        new Random(1).NextBytes(body);
        using var message = new HttpRequestMessage(HttpMethod.Post, upstream.Url) { Content = new StreamContent(new MemoryStream(body)) };
        message.Headers.TransferEncodingChunked = true;
        using var answer = await client.SendAsync(message);
        Assert.Equal(body, upstream.Last.Body);
    }

    [Fact]
    public async Task KeepAlive_ServesSeveralRequestsOnOneConnection()
    {
        await using var upstream = new FakeUpstream(FakeAnswer.Json("{}"));
        using var client = NewClient();
        for (var i = 0; i < 5; i++) await client.GetStringAsync(upstream.Url);
        Assert.Equal([1, 1, 1, 1, 1], upstream.Requests.Select(request => request.Connection));
    }

    [Fact]
    public async Task Gate_HoldsTheSecondChunk()
    {
        var gate = new TaskCompletionSource();
        await using var upstream = new FakeUpstream(FakeAnswer.Script(async answer =>
        {
            await answer.StreamHeadAsync();
            await answer.ChunkAsync("one");
            await answer.GateAsync(gate.Task);
            await answer.ChunkAsync("two");
            await answer.EndAsync();
        }));
        using var client = NewClient();
        using var answer = await client.GetAsync(upstream.Url, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[100];
        Assert.Equal(3, await body.ReadAsync(buffer));
        Assert.False(upstream.Last.WasCut.IsCompleted);
        gate.SetResult();
        Assert.Equal(3, await body.ReadAsync(buffer));
        Assert.Equal("two", Encoding.ASCII.GetString(buffer, 0, 3));
    }

    [Fact]
    public async Task PeerGone_IsSeenAtOnce()
    {
        await using var upstream = new FakeUpstream(FakeAnswer.Silence());
        using var client = NewClient();
        using var cancel = new CancellationTokenSource();
        var call = client.GetAsync(upstream.Url, cancel.Token);
        var request = await upstream.WaitForRequestAsync(1, Patience);
        var before = Stopwatch.GetTimestamp();
        await cancel.CancelAsync();
        Assert.True(await request.WasCut.InTimeAsync(Patience, "no cut seen"));
        Assert.InRange(Stopwatch.GetElapsedTime(before, request.CutAt).TotalSeconds, 0, 1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task Faults_ReachTheClient()
    {
        await using var upstream = new FakeUpstream(FakeAnswer.ResetAtOnce());
        using var client = NewClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(upstream.Url));
        upstream.Answer(FakeAnswer.CutSse("data: 1\n\n"));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(upstream.Url));
        upstream.Answer(FakeAnswer.BreakingSse(Task.CompletedTask, "reset", "", "data: 1\n\n"));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(upstream.Url));
        upstream.Answer(FakeAnswer.Garbage("no http at all\r\n\r\n"));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(upstream.Url));
        upstream.Answer(FakeAnswer.Json(HttpStatusCode.OK.GetHashCode(), "{}"));
        Assert.Equal("{}", await client.GetStringAsync(upstream.Url));
        Assert.Empty(upstream.Faults);
    }

    [Fact]
    public async Task RefusingPort_Refuses()
    {
        using var refusing = new RefusingPort();
        using var client = NewClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(refusing.Url));
    }

    private static HttpClient NewClient() => new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
}
