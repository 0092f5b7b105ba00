using System.Buffers;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>The dialect of AWS's assistant behind a Kiro sign-in; upstream side only.</summary>
/// <remarks>Answers are AWS event-stream messages, one frame each; a JSON body is an error.</remarks>
public sealed class KiroProtocol(KiroTraits? traits = null) : IUpstreamProtocol
{
    private readonly KiroTraits _traits = traits ?? new KiroTraits();

    public string Name => "kiro";

    public void WriteRequest(IBufferWriter<byte> output, ChatRequest request) =>
        BrokenText.Guard(() => new KiroRequestWriter(request, _traits).Write(output));

    /// <summary>Without knowledge of the request: tool names stay as the service has them, and text that begins with thinking tags is thinking.</summary>
    public IResponseReader CreateReader(IResponseSink sink, bool clientArray = false) => Reader(Tagged(sink), new KiroQuestion { Window = _traits.Catalog.UsualWindow });

    /// <summary>A reader that takes back what the request needed to be said here: names, the form of the answer, one call at most, how thinking was asked
    /// for.</summary>
    /// <param name="request">As the client sent it, but for the model: the upstream's name.</param>
    public IResponseReader CreateReader(IResponseSink sink, ChatRequest request)
    {
        string id = _traits.Catalog.Id(request.Model);
        // The service has no word against parallel calls.
        if (request.ParallelTools == false) sink = new SingleCall(sink);
        if (request.Output is not null) sink = new WholeCharacters(new KiroCodeFence(sink));
        if (KiroThinkingRequest.Decide(request with { Model = id }, _traits).Way == KiroThinking.Tags) sink = Tagged(sink);
        return Reader(sink, new KiroQuestion
        {
            Request = request,
            Names = KiroNames.Of(request, _traits.Limits),
            Window = _traits.Catalog.WindowOf(request.Model, _traits.Models.Find(request.Model)),
            IsClaude = KiroModels.IsClaude(id) || id == "auto",
        });
    }

    public ProxyError ReadError(int status, ReadOnlySpan<byte> body) => KiroErrors.Read(status, body);

    private static IResponseSink Tagged(IResponseSink sink) => new WholeCharacters(new KiroThinkingTags(sink));

    private static KiroResponseReader Reader(IResponseSink sink, KiroQuestion question) => new(sink, question);
}
