using System.Buffers;
using System.Runtime.InteropServices;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>An exchange whose client and upstream speak different protocols: the request in the upstream's words, and what the answer passes on its way back.</summary>
/// <param name="drops">Told what is left out; null: nobody asks.</param>
public sealed class Translation(ProofCache proofs, DropLog? drops = null)
{
    private const int MoreBytes = 4096;

    /// <summary>What upstreams refused of the reasoning that was asked for.</summary>
    public RefusedEfforts Efforts { get; } = new();

    /// <summary>The request's body in the words of <paramref name="target"/>.</summary>
    /// <param name="dropsProofs">Without any signature or encrypted reasoning: the upstream took none of ours.</param>
    /// <exception cref="ProtocolException">The target cannot say it; with the JSON path.</exception>
    public ReadOnlyMemory<byte> Body(Exchange exchange, UpstreamTarget target, bool dropsProofs)
    {
        ChatRequest request = exchange.ReadRequest();
        drops?.Note(exchange.Json, request.Protocol, target.Protocol.Name);
        if (KeepsNoProofs(exchange)) request = ProofReplay.WithProofs(request, key => proofs.Find(exchange.Client, key));
        if (dropsProofs) request = ProofStrip.Apply(request);
        request = Efforts.Without(request, target);
        // What is written is about as long as what was read; a buffer that must grow for a few bytes more would be held thrice.
        var output = new ArrayBufferWriter<byte>(exchange.Body.Length + exchange.Body.Length / 16 + MoreBytes);
        try
        {
            target.Protocol.WriteRequest(output, request with { Model = target.Model, Stream = target.HeadOf(exchange).Stream });
        }
        catch (ProtocolException refusal) when (refusal.Target is not null)
        {
            throw RequestRefusal.NamingBoth(refusal, request.Protocol);
        }
        return BrokenText.Mend(MemoryMarshal.AsMemory(output.WrittenMemory));
    }

    /// <summary>What the upstream's reader pushes into, so that <paramref name="client"/> gets what its protocol and the request ask for.</summary>
    public IResponseSink Before(IResponseSink client, Exchange exchange, UpstreamTarget target)
    {
        ChatRequest request = exchange.ReadRequest();
        IResponseSink sink = new SealIssuer(client, target.Config.Name);
        if (KeepsNoProofs(exchange))
            sink = new ProofRecorder(sink, proofs, exchange.Client, target.Config.Name, exchange.WriterOptions.IdSeed);
        // Gemini has no word against parallel calls.
        if (request.ParallelTools == false && target.Protocol.Name == "gemini") sink = new SingleCall(sink);
        // Stops that the upstream was told are found by it first; the others are found here.
        if (request.Stop.Count > 0) sink = new StopScanner(sink, request.Stop);
        // Some models give an answer of a demanded form as a call of a tool that was made for it.
        if (request.Output?.Schema is not null && target.Protocol.Name == "anthropic") sink = new JsonResponse(sink, request);
        return new WholeCharacters(sink);
    }

    // Chat has no place for proofs; a Responses client may send back references instead of items.
    private static bool KeepsNoProofs(Exchange exchange) => exchange.Protocol.Name is "openai" or "responses";
}
