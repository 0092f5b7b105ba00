using Aiproxy.Config;

namespace Aiproxy.Tests.Config;

public sealed class ScalarFormsTests
{
    [Theory]
    [InlineData("true", true)]
    [InlineData("Yes", true)]
    [InlineData("ON", true)]
    [InlineData("y", true)]
    [InlineData(" True ", true)]
    [InlineData("false", false)]
    [InlineData("no", false)]
    [InlineData("Off", false)]
    [InlineData("N", false)]
    public void Boolean_OfYaml11_IsRead(string text, bool expected)
    {
        Assert.True(ScalarForms.TryBoolean(text, out bool value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("0")]
    [InlineData("truee")]
    public void OtherWord_IsNoBoolean(string text) => Assert.False(ScalarForms.TryBoolean(text, out _));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("30", 30_000)]
    [InlineData("2.5", 2_500)]
    [InlineData(".5", 500)]
    [InlineData("250ms", 250)]
    [InlineData("30s", 30_000)]
    [InlineData("10m", 600_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("2d", 172_800_000)]
    [InlineData("1d2h3m4s5ms", 93_784_005)]
    [InlineData(" 5s ", 5_000)]
    public void Duration_InEachForm_IsRead(string text, long milliseconds)
    {
        Assert.True(ScalarForms.TryDuration(text, out TimeSpan value));
        Assert.Equal(milliseconds, value.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("-1s")]
    [InlineData("+1")]
    [InlineData("s")]
    [InlineData("1x")]
    [InlineData("1M")]
    [InlineData("1h30")]
    [InlineData("1 h")]
    [InlineData("1.2.3")]
    [InlineData(".")]
    [InlineData("1e3")]
    [InlineData("NaN")]
    [InlineData("99999999999999999999")]
    [InlineData("999999999999999999d")]
    [InlineData("１s")]
    public void OtherText_IsNoDuration(string text) => Assert.False(ScalarForms.TryDuration(text, out _));

    [Fact]
    public void TinyDuration_IsNotZero()
    {
        Assert.True(ScalarForms.TryDuration("0.000000001", out TimeSpan value));
        Assert.True(value > TimeSpan.Zero);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1048576", 1L << 20)]
    [InlineData("512KB", 512L << 10)]
    [InlineData("512kib", 512L << 10)]
    [InlineData("64MB", 64L << 20)]
    [InlineData("64 MB", 64L << 20)]
    [InlineData("64m", 64L << 20)]
    [InlineData("1.5GB", 3L << 29)]
    [InlineData("2GiB", 2L << 30)]
    [InlineData("1TB", 1L << 40)]
    [InlineData("7B", 7)]
    public void Size_InEachForm_IsRead(string text, long expected)
    {
        Assert.True(ScalarForms.TrySize(text, out long bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MB")]
    [InlineData("-1")]
    [InlineData("1XB")]
    [InlineData("1.5")]
    [InlineData("1MB2KB")]
    [InlineData("99999999999TB")]
    [InlineData("999999999999999999999")]
    public void OtherText_IsNoSize(string text) => Assert.False(ScalarForms.TrySize(text, out _));

    [Theory]
    [InlineData("1_000")]
    [InlineData("1.0")]
    [InlineData("0x10")]
    [InlineData("")]
    [InlineData("9999999999999999999999")]
    public void OtherText_IsNoWholeNumber(string text) => Assert.False(ScalarForms.TryWhole(text, out _));
}
