using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Gemini generateContent, both sides.</summary>
/// <param name="traits">The upstream's deviations; the client side needs none.</param>
public sealed class GeminiProtocol(GeminiTraits? traits = null) : IClientProtocol, IUpstreamProtocol
{
    private readonly GeminiTraits _traits = traits ?? new GeminiTraits();

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Name => GeminiNames.Protocol;

    public RequestTarget? Match(string path) => GeminiPath.Match(path);

    public RequestHead ReadHead(RequestTarget target, string query, ReadOnlySpan<byte> body) => GeminiHeadReader.Read(target, query, body);

    public ChatRequest ReadRequest(JsonElement body, RequestHead head)
    {
        ChatRequest? request = null;
        BrokenText.Guard(() => request = new GeminiRequestReader().Read(body, head));
        return request!;
    }

    public IResponseWriter CreateWriter(IBufferWriter<byte> output, WriterOptions options) =>
        options.Stream ? new GeminiResponseWriter(output, options) : new GeminiAnswerWriter(output, options);

    public IAnswerFold CreateFold() => new GeminiFold();

    public int WriteError(IBufferWriter<byte> output, ProxyError error, string requestId) => GeminiErrors.Write(output, error);

    public void WriteModels(IBufferWriter<byte> output, IReadOnlyList<ModelEntry> models, bool single)
    {
        using var writer = new Utf8JsonWriter(output, Relaxed);
        if (single && models.Count > 0)
        {
            WriteModel(writer, models[0]);
            return;
        }
        writer.WriteStartObject();
        writer.WriteStartArray("models"u8);
        foreach (ModelEntry model in models) WriteModel(writer, model);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public void WriteTokenCount(IBufferWriter<byte> output, long tokens)
    {
        output.Write("{\"totalTokens\":"u8);
        output.WriteNumber(tokens);
        output.Write("}"u8);
    }

    public void WriteRequest(IBufferWriter<byte> output, ChatRequest request) =>
        BrokenText.Guard(() => new GeminiRequestWriter(request, _traits).Write(output));

    public IResponseReader CreateReader(IResponseSink sink, bool clientArray = false) => new GeminiResponseReader(sink) { ClientArray = clientArray };

    public ProxyError ReadError(int status, ReadOnlySpan<byte> body) => GeminiErrors.Read(status, body);

    private static void WriteModel(Utf8JsonWriter writer, ModelEntry model)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, model.Id.StartsWith("tunedModels/", StringComparison.Ordinal) ? model.Id : $"models/{model.Id}");
        writer.WriteString("version"u8, "001"u8);
        writer.WriteString("displayName"u8, model.Id);
        if (model.ContextWindow is { } window) writer.WriteNumber("inputTokenLimit"u8, window);
        if (model.MaxOutputTokens is { } output) writer.WriteNumber("outputTokenLimit"u8, output);
        writer.WriteStartArray("supportedGenerationMethods"u8);
        writer.WriteStringValue("generateContent"u8);
        writer.WriteStringValue("streamGenerateContent"u8);
        writer.WriteStringValue("countTokens"u8);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
