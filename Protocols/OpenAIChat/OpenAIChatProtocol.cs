using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>OpenAI Chat Completions, towards clients and towards upstreams.</summary>
/// <param name="traits">Of the upstream; towards clients they do not matter. null: the defaults.</param>
public sealed class OpenAIChatProtocol(OpenAIChatTraits? traits = null) : IClientProtocol, IUpstreamProtocol
{
    private readonly OpenAIChatTraits _traits = traits ?? new OpenAIChatTraits();

    public string Name => "openai";

    public RequestTarget? Match(string path) => path == "/v1/chat/completions" ? new RequestTarget(Operation.Generate) : null;

    public RequestHead ReadHead(RequestTarget target, string query, ReadOnlySpan<byte> body) => OpenAIHead.Read(target, body);

    public ChatRequest ReadRequest(JsonElement body, RequestHead head)
    {
        ChatRequest? request = null;
        BrokenText.Guard(() => request = OpenAIChatRequestReader.Read(body, head));
        return request!;
    }

    public IResponseWriter CreateWriter(IBufferWriter<byte> output, WriterOptions options) =>
        options.Stream ? new OpenAIChatResponseWriter(output, options) : new OpenAIChatWholeWriter(output, options);

    public IAnswerFold CreateFold() => new OpenAIChatFold();

    public int WriteError(IBufferWriter<byte> output, ProxyError error, string requestId) => OpenAIErrors.Write(output, error);

    public void WriteModels(IBufferWriter<byte> output, IReadOnlyList<ModelEntry> models, bool single) => OpenAIModels.Write(output, models, single);

    public void WriteTokenCount(IBufferWriter<byte> output, long tokens) => OpenAIModels.WriteTokenCount(output, tokens);

    public void WriteRequest(IBufferWriter<byte> output, ChatRequest request) =>
        BrokenText.Guard(() => OpenAIChatRequestWriter.Write(output, request, _traits));

    public IResponseReader CreateReader(IResponseSink sink, bool clientArray = false) => new OpenAIChatResponseReader(sink);

    public ProxyError ReadError(int status, ReadOnlySpan<byte> body) => OpenAIErrorReader.Read(status, body);
}
