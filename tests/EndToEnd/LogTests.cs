using System.Text.RegularExpressions;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>One line a request with what an operator needs, and one for what went wrong.</summary>
public sealed class LogTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static TheoryData<string, bool> NamesAndModes => Dialects.NamesAndModes;

    [Theory, MemberData(nameof(NamesAndModes))]
    public async Task RequestLine_HasKeyProtocolRouteStatusTokensAndBytes(string name, bool stream)
    {
        var dialect = Dialects.Of(name);
        var answer = stream ? FakeAnswer.Sse(dialect.Text("Hello").Frames) : FakeAnswer.Json(dialect.Whole("Hello"));
        await using var rig = await Rig.StartAsync(dialect, answer, "api_keys: [{name: laptop, key: sk-fake-laptop}]\n", "model_mappings: {m-1: up-1}");
        (await rig.SendAsync(stream, ("x-api-key", "sk-fake-laptop"), ("x-request-id", "trace-77"))).AssertStatus(200);
        var line = await rig.Proxy.WaitForLogAsync(text => text.Contains("trace-77", StringComparison.Ordinal), Patience, "the request's line");
        Assert.All<string>(["laptop", name, "m-1", "u1/up-1", "200"], word => Assert.Contains(word, line));
        // Input (cached ones included), output and cached tokens of the fake upstream.
        Assert.Matches(name == "gemini" ? @"\b11\D+5\b" : @"\b1[14]\D+5\D+3\b", line);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", line);
    }

    [Fact]
    public async Task Failover_HasALineOfItsOwn()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(
            dialect, "circuit_breaker: {failures: 1, recovery: 1m, first_probe: 1m}\n", (FakeAnswer.Json(500, dialect.ErrorBody(500, "Internal")), ""), (FakeAnswer.Json(dialect.Whole("a")), "priority: 1"));
        (await rig.SendAsync(false, ("x-request-id", "trace-78"))).AssertStatus(200);
        await rig.Proxy.WaitForLogAsync(text => text.Contains("trace-78", StringComparison.Ordinal) && text.Contains("u1", StringComparison.Ordinal) && text.Contains("500", StringComparison.Ordinal), Patience, "the failed attempt");
        await rig.Proxy.WaitForLogAsync(text => Regex.IsMatch(text, "(?i)circuit.*u1.*m-1|u1/m-1.*circuit.*open"), Patience, "the circuit's opening");
    }

    [Fact]
    public async Task RequestsFalse_WritesNoRequestLines()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")), "log: {requests: false}\n");
        (await rig.SendAsync(false, ("x-request-id", "trace-79"))).AssertStatus(200);
        rig.Proxy.Signal(Signals.Terminate);
        await rig.Proxy.WaitForExitAsync(Patience);
        Assert.DoesNotContain(rig.Proxy.Log.Lines, line => line.Contains("trace-79", StringComparison.Ordinal));
    }

    [Fact]
    public async Task LineBreaksInWhatAClientSends_MakeNoLinesOfTheirOwn()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")), "log: {level: debug}\n", "available_models: m-1");
        (await rig.Proxy.PostAsync("/v1/messages", """{"model":"evil\n2026-11-20T00:00:00.000Z INFO forged \u001b[31m","messages":[],"max_tokens":1}""")).AssertStatus(404);
        (await rig.SendAsync(false)).AssertStatus(200);
        rig.Proxy.Signal(Signals.Terminate);
        await rig.Proxy.WaitForExitAsync(Patience);
        Assert.DoesNotContain(rig.Proxy.Log.Lines, line => line.StartsWith("2026-11-20T00:00:00.000Z INFO forged", StringComparison.Ordinal) || line.Contains('\u001b'));
    }

    [Fact]
    public async Task ClientThatWentAway_Is499()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Silence());
        using var client = await RawConnection.OpenAsync(rig.Proxy.Port);
        await client.SendAsync(RawConnection.Post("/v1/messages", dialect.Body(Rig.Model, "hi", false), ("x-request-id", "trace-80")));
        await rig.Upstream.WaitForRequestAsync(1, Patience);
        client.Close();
        var line = await rig.Proxy.WaitForLogAsync(text => text.Contains("trace-80", StringComparison.Ordinal), Patience, "the request's line");
        Assert.Contains("499", line);
    }

    [Fact]
    public async Task KeyLimits_Are429WithRetryAfter()
    {
        var dialect = Dialects.Anthropic;
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json(dialect.Whole("a")), "api_keys: [{name: k, key: sk-fake-k, requests_per_minute: 3}]\n");
        for (var i = 0; i < 3; i++) (await rig.SendAsync(false, ("x-api-key", "sk-fake-k"))).AssertStatus(200);
        var refused = (await rig.SendAsync(false, ("x-api-key", "sk-fake-k"))).AssertStatus(429);
        dialect.Envelope(429, refused.Text);
        Assert.InRange(int.Parse(refused.Header("retry-after")!), 1, 60);
        Assert.Equal(3, rig.Upstream.Count);
    }
}
