using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols;

public sealed class SealIssuerTests
{
    [Theory]
    [InlineData("anthropic")]
    [InlineData("gemini")]
    public void EncryptedContent_ComesHomeWithItsIssuer(string protocol)
    {
        IClientProtocol client = protocol == "anthropic" ? new AnthropicProtocol() : new GeminiProtocol();
        string written = Wire.Write(client, Wire.Options(stream: false), writer =>
        {
            var sink = new SealIssuer(writer, "upstream-1");
            sink.Start("up"u8, "m"u8);
            sink.BlockStart(0, BlockKind.Thinking);
            sink.BlockDelta(0, "\"summary\""u8);
            sink.BlockSeal(0, SealKind.Encrypted, "\"Z0FBQUFB\""u8);
            sink.BlockEnd(0);
            sink.Finish(FinishReason.EndTurn);
        });
        int at = written.IndexOf(SealEnvelope.Prefix, StringComparison.Ordinal);
        (Seal seal, _) = SealEnvelope.Unwrap(written[at..written.IndexOf('"', at)])!.Value;
        Assert.Equal("Z0FBQUFB", seal.Value);
        Assert.True(SealEnvelope.IsIssuer(seal.Issuer, "upstream-1"));
        Assert.False(SealEnvelope.IsIssuer(seal.Issuer, "upstream-2"));
    }

    [Fact]
    public void OtherProofs_PassAsTheyAre()
    {
        SinkRecorder recorder = new();
        var sink = new SealIssuer(recorder, "upstream-1");
        sink.Start(default, default);
        sink.BlockStart(0, BlockKind.Thinking);
        foreach (SealKind kind in (SealKind[])[SealKind.Thinking, SealKind.Redacted, SealKind.Thought, SealKind.None]) sink.BlockSeal(0, kind, "\"eA==\""u8);
        sink.BlockEnd(0);
        sink.Finish(FinishReason.EndTurn);
        Assert.Equal(["seal 0 Thinking eA==", "seal 0 Redacted eA==", "seal 0 Thought eA==", "seal 0 None eA=="], recorder.Lines.Where(line => line.StartsWith("seal", StringComparison.Ordinal)));
    }
}
