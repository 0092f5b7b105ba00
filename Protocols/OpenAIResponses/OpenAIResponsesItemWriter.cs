using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>Turns as input items. Expects a repaired history.</summary>
/// <remarks>No item gets an <c>id</c>: the upstream keeps nothing, and refuses ids that it does not know.</remarks>
/// <param name="output">What <paramref name="json"/> writes to.</param>
public sealed class OpenAIResponsesItemWriter(Utf8JsonWriter json, IBufferWriter<byte> output, OpenAIResponsesTraits traits)
{
    private const string Target = OpenAIResponsesRequestWriter.Target;

    public void Developer(string text)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "developer"u8);
        json.WriteString("content"u8, text);
        json.WriteEndObject();
    }

    public void Write(IReadOnlyList<Turn> turns)
    {
        foreach (Turn turn in turns)
        {
            switch (turn.Role)
            {
                case TurnRole.Assistant:
                    Assistant(turn);
                    break;
                case TurnRole.System:
                    Developer(OpenAIRequestWords.Join(turn.Parts));
                    break;
                default:
                    User(turn);
                    break;
            }
        }
    }

    private void User(Turn turn)
    {
        foreach (ToolResultPart result in turn.Parts.OfType<ToolResultPart>()) Result(result);
        foreach (ForeignPart foreign in turn.Parts.OfType<ForeignPart>()) Foreign(foreign);
        IEnumerable<Part> said = turn.Parts.Where(static part => part is not (ToolResultPart or ForeignPart));
        List<Part> rest = [.. said.SelectMany(static part => OpenAIMedia.Flatten(part, Target))];
        if (rest.Count == 0) return;
        json.WriteStartObject();
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "user"u8);
        json.WriteStartArray("content"u8);
        foreach (Part part in rest) Input(part);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Result(ToolResultPart result)
    {
        List<Part> parts = [.. result.Content.SelectMany(static part => OpenAIMedia.Flatten(part, Target))];
        json.WriteStartObject();
        json.WriteString("type"u8, result.IsCustom ? "custom_tool_call_output"u8 : "function_call_output"u8);
        json.WriteString("call_id"u8, result.CallId);
        if (parts.TrueForAll(static part => part is TextPart))
        {
            string text = string.Join("\n", parts.Select(static part => ((TextPart)part).Text.ToString()));
            json.WriteString("output"u8, OpenAIRequestWords.ResultText(result, text));
        }
        else
        {
            json.WriteStartArray("output"u8);
            if (result.IsError) Input(new TextPart(new JsonText("Error: ")));
            foreach (Part part in parts) Input(part);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <summary>Items of this protocol's own go back as they came.</summary>
    private void Foreign(ForeignPart foreign)
    {
        if (foreign.Type != "item_reference") foreign.Raw.WriteTo(json);
    }

    /// <summary>A reasoning item must be followed by the item that it led to: it waits, and is left out where nothing comes after it.</summary>
    private void Assistant(Turn turn)
    {
        var waiting = new List<ThinkingPart>();
        bool isMessage = false;
        foreach (Part part in turn.Parts)
        {
            bool isText = part is TextPart or RefusalPart or MediaPart;
            if (isMessage && !isText) EndMessage(ref isMessage);
            switch (part)
            {
                case ThinkingPart thinking:
                    if (Encrypted(thinking) is not null) waiting.Add(thinking);
                    break;
                case ToolCallPart call:
                    Reasoning(waiting);
                    Call(call);
                    break;
                case ForeignPart foreign:
                    Foreign(foreign);
                    break;
                default:
                    if (!isText) break;
                    if (!isMessage) BeginMessage(waiting, ref isMessage);
                    Said(part);
                    break;
            }
        }
        if (isMessage) EndMessage(ref isMessage);
    }

    private void BeginMessage(List<ThinkingPart> waiting, ref bool isMessage)
    {
        Reasoning(waiting);
        isMessage = true;
        json.WriteStartObject();
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteStartArray("content"u8);
    }

    private void EndMessage(ref bool isMessage)
    {
        isMessage = false;
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Said(Part part)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, part is RefusalPart ? "refusal"u8 : "output_text"u8);
        json.WritePropertyName(part is RefusalPart ? "refusal"u8 : "text"u8);
        switch (part)
        {
            case TextPart text:
                text.Text.WriteTo(json);
                break;
            case RefusalPart refusal:
                refusal.Text.WriteTo(json);
                break;
            default:
                json.WriteStringValue("[image omitted]"u8);
                break;
        }
        if (part is not RefusalPart)
        {
            json.WriteStartArray("annotations"u8);
            if (part is TextPart cited) Annotations(cited);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <summary>Sources that an earlier answer told. Only pages: files are known to the provider that issued their ids.</summary>
    private void Annotations(TextPart text)
    {
        var measure = new TextMeasure();
        if (text.Citations.Count > 0) measure.Add(RawJson.Encode(text.Text.ToString()));
        foreach (Citation citation in text.Citations)
        {
            if (citation.Url is null) continue;
            var entry = new ArrayBufferWriter<byte>();
            OpenAIAnnotations.Write(entry, citation, Math.Min(citation.Start ?? 0, measure.Characters), Math.Min(citation.End ?? measure.Characters, measure.Characters), isNested: false);
            json.WriteRawValue(entry.WrittenSpan, skipInputValidation: true);
        }
    }

    private void Reasoning(List<ThinkingPart> waiting)
    {
        foreach (ThinkingPart thinking in waiting)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "reasoning"u8);
            json.WriteStartArray("summary"u8);
            if (!thinking.Text.IsEmpty)
            {
                json.WriteStartObject();
                json.WriteString("type"u8, "summary_text"u8);
                json.WritePropertyName("text"u8);
                thinking.Text.WriteTo(json);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteString("encrypted_content"u8, Encrypted(thinking));
            json.WriteEndObject();
        }
        waiting.Clear();
    }

    /// <summary>The encrypted content, if it is this upstream's or came raw from a client of this protocol. The upstream would refuse any other.</summary>
    private string? Encrypted(ThinkingPart thinking)
    {
        if (thinking.Seal is not { Kind: SealKind.Encrypted } seal) return null;
        return seal.Issuer.Length == 0 || SealEnvelope.IsIssuer(seal.Issuer, traits.Issuer) ? seal.Value : null;
    }

    private void Call(ToolCallPart call)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, call.IsCustom ? "custom_tool_call"u8 : "function_call"u8);
        json.WriteString("call_id"u8, call.Id);
        json.WriteString("name"u8, call.Name);
        if (call.IsCustom)
        {
            json.WritePropertyName("input"u8);
            json.WriteRawValue(call.Arguments.Span, skipInputValidation: true);
        }
        else
        {
            json.WriteString("arguments"u8, call.Arguments.Span);
        }
        json.WriteEndObject();
    }

    private void Input(Part part)
    {
        json.WriteStartObject();
        switch (part)
        {
            case TextPart text:
                json.WriteString("type"u8, "input_text"u8);
                json.WritePropertyName("text"u8);
                text.Text.WriteTo(json);
                break;
            case MediaPart { Kind: MediaKind.Image, Source: Base64Source source } when OpenAIMedia.IsCommonImage(source):
                json.WriteString("type"u8, "input_image"u8);
                json.WritePropertyName("image_url"u8);
                OpenAIMedia.WriteDataUrl(json, output, source);
                break;
            case MediaPart { Kind: MediaKind.Image, Source: UrlSource source }:
                json.WriteString("type"u8, "input_image"u8);
                json.WritePropertyName("image_url"u8);
                source.Url.WriteTo(json);
                break;
            case MediaPart { Kind: MediaKind.Document, Source: Base64Source source } media:
                json.WriteString("type"u8, "input_file"u8);
                json.WritePropertyName("filename"u8);
                (media.Title is { IsEmpty: false } title ? title : new JsonText("document.pdf")).WriteTo(json);
                json.WritePropertyName("file_data"u8);
                OpenAIMedia.WriteDataUrl(json, output, source);
                break;
            case MediaPart { Kind: MediaKind.Document, Source: UrlSource source }:
                json.WriteString("type"u8, "input_file"u8);
                json.WritePropertyName("file_url"u8);
                source.Url.WriteTo(json);
                break;
            case MediaPart { Source: FileSource { Protocol: "responses", Raw: var raw } }:
                foreach (JsonProperty member in raw.EnumerateObject()) member.WriteTo(json);
                break;
            default:
                throw RequestRefusal.Of(part.Path, Target);
        }
        json.WriteEndObject();
    }
}
