using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Anthropic Messages, both sides.</summary>
/// <param name="traits">The upstream's deviations; the client side needs none.</param>
public sealed class AnthropicProtocol(AnthropicTraits? traits = null) : IClientProtocol, IUpstreamProtocol
{
    private readonly AnthropicTraits _traits = traits ?? new AnthropicTraits();

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Name => AnthropicNames.Protocol;

    public RequestTarget? Match(string path) => path switch
    {
        "/v1/messages" => new RequestTarget(Operation.Generate),
        "/v1/messages/count_tokens" => new RequestTarget(Operation.CountTokens),
        _ => null,
    };

    public RequestHead ReadHead(RequestTarget target, string query, ReadOnlySpan<byte> body) => AnthropicHeadReader.Read(target, body);

    public ChatRequest ReadRequest(JsonElement body, RequestHead head)
    {
        ChatRequest? request = null;
        BrokenText.Guard(() => request = new AnthropicRequestReader().Read(body, head));
        return request!;
    }

    public IResponseWriter CreateWriter(IBufferWriter<byte> output, WriterOptions options) =>
        options.Stream ? new AnthropicResponseWriter(output, options) : new AnthropicAnswerWriter(output, options);

    public IAnswerFold CreateFold() => new AnthropicFold();

    public int WriteError(IBufferWriter<byte> output, ProxyError error, string requestId) => AnthropicErrors.Write(output, error, requestId);

    public void WriteModels(IBufferWriter<byte> output, IReadOnlyList<ModelEntry> models, bool single)
    {
        using var writer = new Utf8JsonWriter(output, Relaxed);
        if (single && models.Count > 0)
        {
            WriteModel(writer, models[0]);
            return;
        }
        writer.WriteStartObject();
        writer.WriteStartArray("data"u8);
        foreach (ModelEntry model in models) WriteModel(writer, model);
        writer.WriteEndArray();
        writer.WriteBoolean("has_more"u8, false);
        writer.WriteString("first_id"u8, models.Count > 0 ? models[0].Id : null);
        writer.WriteString("last_id"u8, models.Count > 0 ? models[^1].Id : null);
        writer.WriteEndObject();
    }

    public void WriteTokenCount(IBufferWriter<byte> output, long tokens)
    {
        output.Write("{\"input_tokens\":"u8);
        output.WriteNumber(tokens);
        output.Write("}"u8);
    }

    public void WriteRequest(IBufferWriter<byte> output, ChatRequest request) =>
        BrokenText.Guard(() => new AnthropicRequestWriter(request, _traits).Write(output));

    public IResponseReader CreateReader(IResponseSink sink, bool clientArray = false) => new AnthropicResponseReader(sink);

    public ProxyError ReadError(int status, ReadOnlySpan<byte> body) => AnthropicErrors.Read(status, body);

    private static void WriteModel(Utf8JsonWriter writer, ModelEntry model)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "model"u8);
        writer.WriteString("id"u8, model.Id);
        writer.WriteString("display_name"u8, model.Id);
        // The member is required, and nobody knows the day.
        writer.WriteString("created_at"u8, "1970-01-01T00:00:00Z"u8);
        WriteLimit(writer, "max_input_tokens"u8, model.ContextWindow);
        WriteLimit(writer, "max_tokens"u8, model.MaxOutputTokens);
        writer.WriteEndObject();
    }

    private static void WriteLimit(Utf8JsonWriter writer, ReadOnlySpan<byte> name, int? limit)
    {
        if (limit is { } known) writer.WriteNumber(name, known);
        else writer.WriteNull(name);
    }
}
