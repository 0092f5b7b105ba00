using System.Text.Json;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>What both types do alike around a body: read it, have it written, remember what its answer must be given back.</summary>
public static class SentBody
{
    /// <param name="write">Writes the envelope's members.</param>
    /// <exception cref="Protocols.Model.ProtocolException">The body holds text that is no text.</exception>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Of(
        WireRequest request, IReadOnlyList<ReadOnlyMemory<byte>> body, GoogleModel model, ClaudeSignatures? signatures, Action<Utf8JsonWriter, RequestRewrite> write)
    {
        ReadOnlyMemory<byte> whole = WireBody.Whole(body);
        using JsonDocument document = JsonDocument.Parse(whole, new JsonDocumentOptions { MaxDepth = BodyScan.MaxLevels });
        ReadOnlyMemory<byte> sent = default;
        BrokenText.Guard(() =>
        {
            var rewrite = new RequestRewrite(document.RootElement, model, request.Mend is { DropsProofs: true }, request.Forwards ? null : signatures);
            sent = RequestRewrite.Envelope(whole.Length, writer => write(writer, rewrite));
            request.ClientNames = rewrite.ClientNames;
            request.ArgumentCuts = rewrite.Cuts;
        });
        return [sent];
    }
}
