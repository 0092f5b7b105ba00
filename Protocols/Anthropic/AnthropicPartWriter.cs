using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Writes content blocks of a repaired request: calls and results have ids, arguments are objects.</summary>
/// <param name="output">What <paramref name="writer"/> writes to.</param>
public sealed class AnthropicPartWriter(Utf8JsonWriter writer, IBufferWriter<byte> output)
{
    public void Write(Part part, bool isMarked)
    {
        if (part is ForeignPart foreign)
        {
            writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(foreign.Raw), skipInputValidation: true);
            return;
        }
        writer.WriteStartObject();
        switch (part)
        {
            case TextPart text: Text(text); break;
            case MediaPart media: Media(media); break;
            case ThinkingPart thinking: Thinking(thinking); break;
            case ToolCallPart call: Call(call); break;
            case ToolResultPart result: Result(result); break;
            default: throw RequestRefusal.Of(part.Path, AnthropicRequestWriter.Target);
        }
        if (isMarked) CacheMark(writer);
        writer.WriteEndObject();
    }

    public static void CacheMark(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("cache_control"u8);
        writer.WriteString("type"u8, "ephemeral"u8);
        writer.WriteEndObject();
    }

    private void Text(TextPart text)
    {
        writer.WriteString("type"u8, "text"u8);
        writer.WritePropertyName("text"u8);
        text.Text.WriteTo(writer);
        if (!text.Citations.Any(AnthropicCitations.CanTell)) return;
        writer.WriteStartArray("citations"u8);
        foreach (Citation citation in text.Citations.Where(AnthropicCitations.CanTell)) writer.WriteRawValue(citation.Raw.Span, skipInputValidation: true);
        writer.WriteEndArray();
    }

    private void Thinking(ThinkingPart thinking)
    {
        if (thinking.Seal!.Kind == SealKind.Redacted)
        {
            writer.WriteString("type"u8, "redacted_thinking"u8);
            writer.WriteString("data"u8, thinking.Seal.Value);
            return;
        }
        writer.WriteString("type"u8, "thinking"u8);
        writer.WritePropertyName("thinking"u8);
        thinking.Text.WriteTo(writer);
        writer.WriteString("signature"u8, thinking.Seal.Value);
    }

    private void Call(ToolCallPart call)
    {
        writer.WriteString("type"u8, "tool_use"u8);
        writer.WriteString("id"u8, call.Id!);
        writer.WriteString("name"u8, call.Name);
        writer.WritePropertyName("input"u8);
        writer.WriteRawValue(call.Arguments.Span, skipInputValidation: true);
    }

    private void Result(ToolResultPart result)
    {
        writer.WriteString("type"u8, "tool_result"u8);
        writer.WriteString("tool_use_id"u8, result.CallId!);
        List<Part> content = [.. result.Content.Where(part => part is not (TextPart { Text.IsBlank: true } or ThinkingPart))];
        // "content cannot be empty if `is_error` is true"
        if (result.IsError && content.Count == 0) content.Add(new TextPart("error"));
        if (content is [TextPart only])
        {
            writer.WritePropertyName("content"u8);
            only.Text.WriteTo(writer);
        }
        else if (content.Count > 0)
        {
            writer.WriteStartArray("content"u8);
            foreach (Part part in content) Write(part, false);
            writer.WriteEndArray();
        }
        if (result.IsError) writer.WriteBoolean("is_error"u8, true);
    }

    private void Media(MediaPart media)
    {
        if (media.Kind is MediaKind.Audio or MediaKind.Video) throw RequestRefusal.Of(media.Path, AnthropicRequestWriter.Target);
        bool isImage = media.Kind == MediaKind.Image;
        switch (media.Source)
        {
            case Base64Source data: Data(media, data); break;
            case UrlSource url:
                Source(isImage ? "image" : "document", "url");
                writer.WritePropertyName("url"u8);
                url.Url.WriteTo(writer);
                writer.WriteEndObject();
                break;
            case TextSource text: PlainText(text.Text); break;
            case PartsSource parts:
                Source("document", "content");
                writer.WriteStartArray("content"u8);
                foreach (Part part in parts.Parts)
                {
                    if (part is TextPart { Text.IsBlank: false } or MediaPart { Kind: MediaKind.Image }) Write(part, false);
                }
                writer.WriteEndArray();
                writer.WriteEndObject();
                break;
            case FileSource { Protocol: AnthropicNames.Protocol } file:
                writer.WriteString("type"u8, isImage ? "image"u8 : "document"u8);
                writer.WritePropertyName("source"u8);
                writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(file.Raw), skipInputValidation: true);
                break;
            default: throw RequestRefusal.Of(media.Path, AnthropicRequestWriter.Target);
        }
        if (!isImage && media.Title is { IsEmpty: false } title)
        {
            writer.WritePropertyName("title"u8);
            title.WriteTo(writer);
        }
    }

    private void Data(MediaPart media, Base64Source source)
    {
        JsonText data = Base64Text.Normal(source.Data);
        string type = Base64Text.MediaType(source.MediaType, data);
        bool isImage = type is "image/jpeg" or "image/png" or "image/gif" or "image/webp";
        if (!isImage && type != "application/pdf")
        {
            // Text is the only other thing that a document may be.
            if (!IsText(type) || Base64Text.Decode(data) is not { } text) throw RequestRefusal.Of(media.Path, AnthropicRequestWriter.Target);
            PlainText(text);
            return;
        }
        Source(isImage ? "image" : "document", "base64");
        writer.WriteString("media_type"u8, type);
        writer.WritePropertyName("data"u8);
        data.WriteTo(writer, output);
        writer.WriteEndObject();
    }

    private static bool IsText(string type) => type.StartsWith("text/", StringComparison.Ordinal) || type is "application/json" or "application/xml";

    private void PlainText(JsonText text)
    {
        Source("document", "text");
        writer.WriteString("media_type"u8, "text/plain"u8);
        writer.WritePropertyName("data"u8);
        text.WriteTo(writer);
        writer.WriteEndObject();
    }

    private void Source(string block, string type)
    {
        writer.WriteString("type"u8, block);
        writer.WriteStartObject("source"u8);
        writer.WriteString("type"u8, type);
    }
}
