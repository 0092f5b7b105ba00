using System.Text.Json;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class LoginPollingTests
{
    private static readonly LoginPolling Usual = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60), "time is up");

    private readonly FakeClock _clock = new();

    [Fact]
    public async Task Questions_ComeAtTheInterval()
    {
        (LoginStep<LoginReply> result, string times) = await RunAsync(Usual, "wait", "wait", "done");
        Assert.NotNull(result.Value);
        Assert.Equal("5 10 15", times);
    }

    [Fact]
    public async Task SlowDown_AddsFiveSecondsForGood()
    {
        (LoginStep<LoginReply> result, string times) = await RunAsync(Usual, "slow", "wait", "slow", "done");
        Assert.NotNull(result.Value);
        Assert.Equal("5 15 25 40", times);
    }

    [Fact]
    public async Task PassingFaults_AreWaitedOut()
    {
        (LoginStep<LoginReply> result, string times) = await RunAsync(Usual, "0", "503", "429", "wait", "done");
        Assert.NotNull(result.Value);
        Assert.Equal("5 10 15 25 35", times);
    }

    [Fact]
    public async Task Refusal_EndsIt()
    {
        (LoginStep<LoginReply> result, string times) = await RunAsync(Usual, "wait", "failed", "done");
        Assert.Equal("no", result.Problem!.Line);
        Assert.Equal("5 10", times);
    }

    [Fact]
    public async Task Limit_IsHeldWithOneLastQuestion()
    {
        (LoginStep<LoginReply> result, string times) = await RunAsync(Usual with { Limit = TimeSpan.FromSeconds(12) });
        Assert.Equal("time is up", result.Problem!.Line);
        Assert.Equal("5 10 12", times);
    }

    [Fact]
    public async Task Cancellation_EndsItAtOnce()
    {
        using var cancel = new CancellationTokenSource();
        Task<LoginStep<LoginReply>> running = Usual.RunAsync(_ => throw new InvalidOperationException("never asked"), _ => LoginPoll.Wait, _clock, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Theory]
    [InlineData(null, 5)]
    [InlineData(0L, 1)]
    [InlineData(-7L, 1)]
    [InlineData(7L, 7)]
    [InlineData(100_000L, 60)]
    public void ToldInterval_IsKeptWithinReason(long? told, int seconds) => Assert.Equal(seconds, LoginTime.Interval(told).TotalSeconds);

    /// <summary>Answers in the order of the script, then "wait" for ever; the times of the questions in seconds.</summary>
    private async Task<(LoginStep<LoginReply> Result, string Times)> RunAsync(LoginPolling polling, params string[] script)
    {
        DateTimeOffset start = _clock.Now;
        var times = new List<double>();
        Task<LoginStep<LoginReply>> running = polling.RunAsync(
            _ =>
            {
                times.Add((_clock.Now - start).TotalSeconds);
                string word = times.Count <= script.Length ? script[times.Count - 1] : "wait";
                using JsonDocument body = JsonDocument.Parse($"{{\"word\":\"{word}\"}}");
                return Task.FromResult(new LoginReply { Host = "h", Status = int.TryParse(word, out int status) ? status : 200, Body = body.RootElement.Clone() });
            },
            reply => reply.Text("word") switch
            {
                "done" => LoginPoll.Done,
                "slow" => LoginPoll.SlowDown,
                "failed" => LoginPoll.Failed(new LoginProblem("no")),
                _ => LoginPoll.Wait,
            },
            _clock,
            CancellationToken.None);
        while (!running.IsCompleted)
        {
            if (_clock.PendingTimers > 0) _clock.Advance(TimeSpan.FromSeconds(1));
            else await Task.Yield();
        }
        return (await running, string.Join(' ', times));
    }
}
