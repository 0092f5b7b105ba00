using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>OpenAI Responses, towards clients and towards upstreams.</summary>
/// <param name="traits">Of the upstream; towards clients they do not matter. null: the defaults.</param>
public sealed class OpenAIResponsesProtocol(OpenAIResponsesTraits? traits = null) : IClientProtocol, IUpstreamProtocol
{
    private readonly OpenAIResponsesTraits _traits = traits ?? new OpenAIResponsesTraits();

    public string Name => "responses";

    public RequestTarget? Match(string path) => path switch
    {
        "/v1/responses" => new RequestTarget(Operation.Generate),
        "/v1/responses/input_tokens" => new RequestTarget(Operation.CountTokens),
        "/v1/responses/compact" => new RequestTarget(Operation.Compact),
        _ => IsStored(path) ? new RequestTarget(Operation.Retrieve) : null,
    };

    private static bool IsStored(string path)
    {
        const string Prefix = "/v1/responses/";
        return path.StartsWith(Prefix, StringComparison.Ordinal) && path.Length > Prefix.Length && path.IndexOf('/', Prefix.Length) < 0;
    }

    public RequestHead ReadHead(RequestTarget target, string query, ReadOnlySpan<byte> body) => OpenAIHead.Read(target, body);

    public ChatRequest ReadRequest(JsonElement body, RequestHead head)
    {
        ChatRequest? request = null;
        BrokenText.Guard(() => request = OpenAIResponsesRequestReader.Read(body, head));
        return request!;
    }

    public IResponseWriter CreateWriter(IBufferWriter<byte> output, WriterOptions options) => new OpenAIResponsesResponseWriter(output, options);

    public IAnswerFold CreateFold() => new OpenAIResponsesFold();

    public int WriteError(IBufferWriter<byte> output, ProxyError error, string requestId) => OpenAIErrors.Write(output, error);

    public void WriteModels(IBufferWriter<byte> output, IReadOnlyList<ModelEntry> models, bool single) => OpenAIModels.Write(output, models, single);

    public void WriteTokenCount(IBufferWriter<byte> output, long tokens) => OpenAIModels.WriteTokenCount(output, tokens);

    public void WriteRequest(IBufferWriter<byte> output, ChatRequest request) =>
        BrokenText.Guard(() => OpenAIResponsesRequestWriter.Write(output, request, _traits));

    public IResponseReader CreateReader(IResponseSink sink, bool clientArray = false) => new OpenAIResponsesResponseReader(sink);

    public ProxyError ReadError(int status, ReadOnlySpan<byte> body) => OpenAIErrorReader.Read(status, body);
}
