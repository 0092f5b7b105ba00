using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Model;

public sealed class SealEnvelopeTests
{
    [Theory]
    [InlineData(SealKind.Thinking, "anthropic", "EqQ+/=é\"")]
    [InlineData(SealKind.Redacted, "anthropic", "data")]
    [InlineData(SealKind.Thought, "gemini", "c2ln")]
    public void Wrapped_ComesBackWithItsFamily(SealKind kind, string family, string value)
    {
        string envelope = SealEnvelope.Wrap(new Seal(kind, "", value), "thought \"text\"");
        Assert.StartsWith(SealEnvelope.Prefix, envelope, StringComparison.Ordinal);
        Convert.FromBase64String(envelope);
        (Seal seal, string? text) = SealEnvelope.Unwrap(envelope)!.Value;
        Assert.Equal(new Seal(kind, family, value), seal);
        Assert.Equal(kind == SealKind.Thinking ? "thought \"text\"" : null, text);
    }

    [Fact]
    public void EncryptedContent_KnowsItsUpstream()
    {
        Seal seal = SealEnvelope.Unwrap(SealEnvelope.Wrap(new Seal(SealKind.Encrypted, "my-upstream", "enc")))!.Value.Seal;
        Assert.True(SealEnvelope.IsIssuer(seal.Issuer, "my-upstream"));
        Assert.False(SealEnvelope.IsIssuer(seal.Issuer, "other"));
        Assert.Equal("enc", seal.Value);
    }

    [Fact]
    public void Envelope_IsNotWrappedTwice()
    {
        string envelope = SealEnvelope.Wrap(new Seal(SealKind.Encrypted, "u", "x"));
        Assert.Equal(envelope, SealEnvelope.Wrap(new Seal(SealKind.Thought, "", envelope)));
    }

    // Python's Gemini library decodes what the field holds, and encodes it anew when it sends it back.
    [Theory]
    [InlineData("")]
    [InlineData("=")]
    public void AlphabetOfUrls_IsReadToo(string padding)
    {
        string told = string.Concat(Enumerable.Range(0, 40).Select(static i => "~?>ÿ"[i % 4])), envelope = SealEnvelope.Wrap(new Seal(SealKind.Thinking, "", "EqQ+/="), told);
        Assert.Matches("[+].*/|/.*[+]", envelope);
        (Seal seal, string? text) = SealEnvelope.Unwrap(envelope.Replace('+', '-').Replace('/', '_').TrimEnd(padding.Length > 0 ? '\0' : '='))!.Value;
        Assert.Equal((new Seal(SealKind.Thinking, SealEnvelope.Anthropic, "EqQ+/="), told), (seal, text));
    }

    [Fact]
    public void Nothing_IsAConstantEnvelope() => Assert.Equal(SealKind.None, SealEnvelope.Unwrap(SealEnvelope.Nothing)!.Value.Seal.Kind);

    [Theory]
    [InlineData("")]
    [InlineData("EqQBCgIYAhIk")]
    [InlineData("YWlwM")]
    [InlineData("YWlwMWE=")]
    [InlineData("YWlwM!!!!")]
    [InlineData("YWlwMXpBQUFBQUFBQXBheWxvYWQ=")]
    public void AnythingElse_IsNoEnvelope(string value) => Assert.Null(SealEnvelope.Unwrap(value));
}
