using System.Text;
using Aiproxy.Upstreams.Google;

namespace Aiproxy.Tests.Upstreams.Google;

public sealed class ClaudeSignaturesTests
{
    private const string Inner = "EqQBCkgIBxABGAIqQFake+/signature==";
    private static readonly string Doubled = Convert.ToBase64String(Encoding.ASCII.GetBytes(Inner));

    private readonly ClaudeSignatures _signatures = new(new FakeClock());

    [Fact]
    public void Doubled_IsGivenInAnthropicsForm_AndGoesBackDoubled()
    {
        Assert.StartsWith("R", Doubled);
        Assert.Equal(Inner, _signatures.ToAnthropic(Doubled));
        Assert.Equal(Doubled, _signatures.ToProvider(Inner));
    }

    [Theory]
    [InlineData(Inner)]
    [InlineData("Ro, not base64")]
    [InlineData("RmFrZQ==")]
    [InlineData("R")]
    [InlineData("")]
    public void Anything_Else_StaysAsItIs(string signature)
    {
        Assert.Equal(signature, _signatures.ToAnthropic(signature));
        Assert.Equal(signature, _signatures.ToProvider(signature));
    }
}
