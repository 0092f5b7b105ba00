using System.Text;
using Aiproxy.Upstreams;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Upstreams;

public sealed class RetryHintTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("30", 30.0)]
    [InlineData(" 1.5 ", 1.5)]
    [InlineData("Thu, 01 Jan 2026 00:01:00 GMT", 60.0)]
    [InlineData("Thursday, 01-Jan-26 00:01:00 GMT", 60.0)]
    [InlineData("Thu Jan  1 00:01:00 2026", 60.0)]
    [InlineData("2026-01-01T00:02:00Z", 120.0)]
    [InlineData("1767225690", 90.0)]
    [InlineData("2m", 120.0)]
    [InlineData("2592000", 604800.0)]
    [InlineData("99999999", null)]
    [InlineData("1e300", null)]
    [InlineData("0", null)]
    [InlineData("-5", null)]
    [InlineData("NaN", null)]
    [InlineData("Infinity", null)]
    [InlineData("soon", null)]
    [InlineData("", null)]
    [InlineData("Wed, 31 Dec 2025 23:59:00 GMT", null)]
    public void RetryAfterHeader_IsRead(string value, double? seconds) => AssertWait(seconds, [("Retry-After", value)]);

    [Fact]
    public void MillisecondsHeader_WinsOverSeconds() => AssertWait(0.25, [("retry-after", "7"), ("retry-after-ms", "250")]);

    [Fact]
    public void UnreadableMilliseconds_LeaveTheSeconds() => AssertWait(7, [("retry-after-ms", "x"), ("retry-after", "7")]);

    [Theory]
    [InlineData("6m0s", 360.0)]
    [InlineData("20ms", 0.02)]
    [InlineData("1s", 1.0)]
    [InlineData("1h2m3.5s", 3723.5)]
    [InlineData("30", 30.0)]
    [InlineData("1767225660", 60.0)]
    [InlineData("1767225660000", 60.0)]
    [InlineData("1767225600", null)]
    [InlineData("0s", null)]
    public void OpenAiWindow_IsRead(string reset, double? seconds) => AssertWait(seconds, [("x-ratelimit-reset-tokens", reset)]);

    [Fact]
    public void OpenAiWindowWithSomethingLeft_IsNoHint() => AssertWait(360,
    [
        ("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "20m"),
        ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s"),
    ]);

    [Fact]
    public void AnthropicWindows_LatestOfThoseUsedUpCounts() => AssertWait(90,
    [
        ("anthropic-ratelimit-requests-remaining", "10"), ("anthropic-ratelimit-requests-reset", "2026-01-01T02:00:00Z"),
        ("anthropic-ratelimit-tokens-remaining", "0"), ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:01:30Z"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"), ("anthropic-ratelimit-input-tokens-reset", "2026-01-01T00:00:30Z"),
    ]);

    [Fact]
    public void AnthropicWindowThatDoesNotSayWhatIsLeft_IsNoHint() =>
        AssertWait(null, [("anthropic-ratelimit-tokens-reset", "2026-01-01T00:01:30Z")]);

    [Fact]
    public void SubscriptionWindows_RejectedOnesCount() => AssertWait(3600,
    [
        ("anthropic-ratelimit-unified-5h-status", "rejected"), ("anthropic-ratelimit-unified-5h-reset", "1767229200"),
        ("anthropic-ratelimit-unified-7d-status", "allowed"), ("anthropic-ratelimit-unified-7d-reset", "1767600000"),
        ("anthropic-ratelimit-unified-overage-status", "rejected"), ("anthropic-ratelimit-unified-overage-reset", "1769000000"),
    ]);

    [Theory]
    [InlineData("""{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}}""", 34.07)]
    [InlineData("""[{"error":{"details":[{"retryDelay":"900ms"}]}}]""", 0.9)]
    [InlineData("""{"error":{"metadata":{"quotaResetTimeStamp":"2026-01-01T01:00:00Z"}}}""", 3600.0)]
    [InlineData("""{"error":{"type":"usage_limit_reached","resets_at":1767225900}}""", 300.0)]
    [InlineData("""{"error":{"resets_in_seconds":120}}""", 120.0)]
    [InlineData("""{"error":{"resets_in_seconds":"120"}}""", 120.0)]
    [InlineData("""{"error":{"resets_at":"1767225900"}}""", 300.0)]
    [InlineData("""{"error":{"retry_after":2.5}}""", 2.5)]
    [InlineData("""{"error":{"retry_after":"2026-01-01T00:01:00Z"}}""", 60.0)]
    [InlineData("""{"error":{"retry_after_ms":250}}""", 0.25)]
    [InlineData("""{"error":{"retry_after_ms":"soon"}}""", null)]
    [InlineData("""{"retryAfterSeconds":3}""", 3.0)]
    [InlineData("""{"error":{"details":[{"metadata":{"quotaResetDelay":"1h0m5s"}}]}}""", 3605.0)]
    [InlineData("""{"nextDateReset":1767225900}""", 300.0)]
    [InlineData("""{"nextDateReset":"2026-01-01T00:02:00Z"}""", 120.0)]
    [InlineData("""{"detail":"try again in 5s"}""", 5.0)]
    [InlineData("""{"error":{"resets_in_seconds":1e400}}""", null)]
    [InlineData("""{"error":{"resets_at":null}}""", null)]
    [InlineData("""{"error":{"resets_at":-3}}""", null)]
    [InlineData("""{"error":{"message":"Rate limit reached. Please try again in 1.5s. Visit us."}}""", 1.5)]
    [InlineData("""{"error":{"message":"Please try again in 20ms."}}""", 0.02)]
    [InlineData("""{"error":{"message":"Please try again in 2m59.56s."}}""", 179.56)]
    [InlineData("""{"error":{"message":"Please retry after 20 seconds."}}""", 20.0)]
    [InlineData("""{"error":"Your quota will reset after 1h2m3s"}""", 3723.0)]
    [InlineData("""{"error":{"message":"try again in a while"}}""", null)]
    [InlineData("""{"error":{"message":"cut off, "resets_in_seconds":5""", null)]
    [InlineData("""{"error":{"resets_in_seconds":5,"message":"cut o""", 5.0)]
    [InlineData("<html>try again in 5s</html>", null)]
    [InlineData("", null)]
    public void Body_IsRead(string body, double? seconds) => AssertWait(seconds, [], body);

    [Fact]
    public void MemberForMachines_WinsOverTheMessage() =>
        AssertWait(34, [], """{"error":{"message":"retry in 5s","details":[{"retryDelay":"34s"}]}}""");

    [Fact]
    public void Header_WinsOverTheBody() => AssertWait(3, [("retry-after", "3")], """{"error":{"resets_in_seconds":120}}""");

    [Fact]
    public void AnyInput_NeverThrowsAndNamesNoTimeBeyondAWeek()
    {
        string[] names = ["retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset", "ratelimit--reset"];
        Prop.ForAll<string, string, byte[]>((value, text, bytes) =>
        {
            foreach (string name in names)
            {
                foreach (byte[] body in new[] { bytes ?? [], Encoding.UTF8.GetBytes($"{{\"message\":\"try again in {text}\",\"resets_at\":{value}}}") })
                {
                    DateTimeOffset? hint = RetryHint.Read([KeyValuePair.Create(name, value ?? "")], body, Now);
                    Assert.True(hint is null || (hint > Now && hint <= Now + RetryHint.Longest));
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void AnyNumber_NeverThrowsAndNamesNoTimeBeyondAWeek() => Prop.ForAll<double>(number =>
    {
        string text = number.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        foreach (string name in new[] { "retry-after", "retry-after-ms", "x-ratelimit-reset" })
        {
            DateTimeOffset? hint = RetryHint.Read([KeyValuePair.Create(name, text)], Encoding.UTF8.GetBytes($"{{\"resets_at\":{text}}}"), Now);
            Assert.True(hint is null || (hint > Now && hint <= Now + RetryHint.Longest));
        }
    }).QuickCheckThrowOnFailure();

    private static void AssertWait(double? seconds, (string Name, string Value)[] headers, string body = "")
    {
        DateTimeOffset? hint = RetryHint.Read(headers.Select(header => KeyValuePair.Create(header.Name, header.Value)), Encoding.UTF8.GetBytes(body), Now);
        if (seconds is null) Assert.Null(hint);
        else Assert.Equal(seconds.Value, (hint!.Value - Now).TotalSeconds, 3);
    }
}
