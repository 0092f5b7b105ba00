using System.Text.Json;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

public sealed class TimeTextTests
{
    private static readonly DateTimeOffset Time = new DateTimeOffset(2026, 8, 1, 11, 0, 0, TimeSpan.Zero).AddTicks(1_234_567);

    [Theory]
    [InlineData("\"2026-08-01T11:00:00Z\"", "2026-08-01T11:00:00.0000000")]
    [InlineData("\"2026-08-01T11:00:00.000Z\"", "2026-08-01T11:00:00.0000000")]
    [InlineData("\"2026-08-01T11:00:00.123456789Z\"", "2026-08-01T11:00:00.1234567")]
    [InlineData("\"2026-08-01T13:00:00.123456789+02:00\"", "2026-08-01T11:00:00.1234567")]
    [InlineData("\"2026-08-01T03:30:00-07:30\"", "2026-08-01T11:00:00.0000000")]
    [InlineData("\"2026-08-01T11:00:00\"", "2026-08-01T11:00:00.0000000")]
    [InlineData("\"2026-08-01 11:00:00\"", "2026-08-01T11:00:00.0000000")]
    [InlineData("1785582000", "2026-08-01T11:00:00.0000000")]
    [InlineData("1785582000000", "2026-08-01T11:00:00.0000000")]
    [InlineData("1.785582e9", "2026-08-01T11:00:00.0000000")]
    [InlineData("\"1785582000000\"", "2026-08-01T11:00:00.0000000")]
    public void Form_IsRead(string json, string expected) => Assert.Equal(expected, Read(json)!.Value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff"));

    [Theory]
    [InlineData("\"0001-01-01T00:00:00Z\"")]
    [InlineData("\"\"")]
    [InlineData("\"12:30\"")]
    [InlineData("\"soon\"")]
    [InlineData("\"2026-13-01T00:00:00Z\"")]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("1e300")]
    [InlineData("1e999")]
    [InlineData("null")]
    [InlineData("{}")]
    public void NoTime_IsUnknown(string json) => Assert.Null(Read(json));

    [Theory]
    [InlineData("\"2020-01-01T00:00:00Z\"", "\"2026-08-01T11:00:00Z\"")]
    [InlineData("\"2020-01-01T00:00:00.000Z\"", "\"2026-08-01T11:00:00.123Z\"")]
    [InlineData("\"2020-01-01T00:00:00.123456Z\"", "\"2026-08-01T11:00:00.123456Z\"")]
    [InlineData("\"2020-01-01T00:00:00.123456789+02:00\"", "\"2026-08-01T13:00:00.123456700+02:00\"")]
    [InlineData("\"2020-01-01T00:00:00-07:30\"", "\"2026-08-01T03:30:00-07:30\"")]
    [InlineData("\"2020-01-01T00:00:00\"", "\"2026-08-01T11:00:00\"")]
    [InlineData("\"2020-01-01T00:00:00+99:00\"", "\"2026-08-01T11:00:00Z\"")]
    [InlineData("1577836800", "1785582000")]
    [InlineData("1577836800000", "1785582000123")]
    [InlineData("\"1577836800\"", "\"1785582000\"")]
    [InlineData("null", "\"2026-08-01T11:00:00Z\"")]
    [InlineData("\"\"", "\"2026-08-01T11:00:00Z\"")]
    public void Written_InTheFormThatStoodThere(string sample, string expected)
    {
        using JsonDocument document = JsonDocument.Parse(sample);
        Assert.Equal(expected, TimeText.Like(document.RootElement, ExpiryUnit.Rfc3339, Time));
    }

    [Fact]
    public void Written_NothingStoodThere_TheUsualForm()
    {
        Assert.Equal("1785582000123", TimeText.Like(null, ExpiryUnit.Milliseconds, Time));
        Assert.Equal("\"2026-08-01T11:00:00.123Z\"", TimeText.Like(null, ExpiryUnit.Rfc3339Milliseconds, Time));
    }

    private static DateTimeOffset? Read(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return TimeText.Read(document.RootElement);
    }
}
