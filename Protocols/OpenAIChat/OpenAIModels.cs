using System.Buffers;
using System.Text.Json;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>The small answers that both OpenAI protocols share: model list, model entry, token count.</summary>
public static class OpenAIModels
{
    /// <param name="single">The one entry of <paramref name="models"/> by itself.</param>
    public static void Write(IBufferWriter<byte> output, IReadOnlyList<ModelEntry> models, bool single)
    {
        using var json = new Utf8JsonWriter(output, OpenAIErrors.Json);
        if (single)
        {
            WriteEntry(json, models[0]);
            return;
        }
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        foreach (ModelEntry model in models) WriteEntry(json, model);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void WriteTokenCount(IBufferWriter<byte> output, long tokens)
    {
        using var json = new Utf8JsonWriter(output, OpenAIErrors.Json);
        json.WriteStartObject();
        json.WriteString("object"u8, "response.input_tokens"u8);
        json.WriteNumber("input_tokens"u8, tokens);
        json.WriteEndObject();
    }

    private static void WriteEntry(Utf8JsonWriter json, ModelEntry model)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, model.Id);
        json.WriteString("object"u8, "model"u8);
        json.WriteNumber("created"u8, 0);
        json.WriteString("owned_by"u8, "aiproxy"u8);
        json.WriteEndObject();
    }
}
