using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>System prompt and turns as Chat messages. Expects a repaired history.</summary>
/// <param name="output">What <paramref name="json"/> writes to.</param>
/// <param name="isGemini">The model is one of Gemini's, whatever serves it.</param>
public sealed class OpenAIChatMessageWriter(Utf8JsonWriter json, IBufferWriter<byte> output, OpenAIChatTraits traits, bool isGemini)
{
    private const string Target = OpenAIChatRequestWriter.Target;

    public void Write(ChatRequest request)
    {
        if (OpenAIRequestWords.SystemText(request) is { } system) Plain(Instruction, system);
        foreach (Turn turn in request.Turns)
        {
            switch (turn.Role)
            {
                case TurnRole.Assistant:
                    Assistant(turn);
                    break;
                case TurnRole.System:
                    Plain(Instruction, OpenAIRequestWords.Join(turn.Parts));
                    break;
                default:
                    User(turn);
                    break;
            }
        }
    }

    private ReadOnlySpan<byte> Instruction => traits.DeveloperRole ? "developer"u8 : "system"u8;

    private void Plain(ReadOnlySpan<byte> role, string text)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        json.WriteString("content"u8, text);
        json.WriteEndObject();
    }

    /// <summary>One tool message a result, then one user message with the rest. Tool messages hold text only: media of results follow in the user message,
    /// labelled.</summary>
    private void User(Turn turn)
    {
        var rest = new List<Part>();
        foreach (ToolResultPart result in turn.Parts.OfType<ToolResultPart>()) Result(result, rest);
        rest.AddRange(turn.Parts.Where(static part => part is not ToolResultPart).SelectMany(static part => OpenAIMedia.Flatten(part, Target)));
        if (rest.Count == 0) return;
        json.WriteStartObject();
        json.WriteString("role"u8, "user"u8);
        json.WritePropertyName("content"u8);
        if (rest is [TextPart only])
        {
            only.Text.WriteTo(json);
        }
        else
        {
            json.WriteStartArray();
            foreach (Part part in rest) Content(part);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private void Result(ToolResultPart result, List<Part> media)
    {
        var text = new StringBuilder();
        int images = 0;
        foreach (Part part in result.Content.SelectMany(static part => OpenAIMedia.Flatten(part, Target)))
        {
            if (text.Length > 0) text.Append('\n');
            if (part is MediaPart)
            {
                images++;
                string kind = part is MediaPart { Kind: MediaKind.Image } ? "image" : "file";
                text.Append($"[{kind} {images} follows in the next message]");
                media.Add(new TextPart(new JsonText($"[{kind} {images} of tool result {result.CallId}]")) { Path = part.Path });
                media.Add(part);
            }
            else if (part is TextPart words)
            {
                text.Append(words.Text.ToString());
            }
        }
        json.WriteStartObject();
        json.WriteString("role"u8, "tool"u8);
        json.WriteString("tool_call_id"u8, Id(result.CallId));
        json.WriteString("content"u8, OpenAIRequestWords.ResultText(result, text.ToString()));
        json.WriteEndObject();
    }

    private void Content(Part part)
    {
        json.WriteStartObject();
        if (part is TextPart text)
        {
            json.WriteString("type"u8, "text"u8);
            json.WritePropertyName("text"u8);
            text.Text.WriteTo(json);
        }
        else
        {
            Media((MediaPart)part);
        }
        json.WriteEndObject();
    }

    private void Media(MediaPart media)
    {
        switch (media)
        {
            case { Kind: MediaKind.Image, Source: Base64Source source } when OpenAIMedia.IsCommonImage(source):
                json.WriteString("type"u8, "image_url"u8);
                json.WriteStartObject("image_url"u8);
                json.WritePropertyName("url"u8);
                OpenAIMedia.WriteDataUrl(json, output, source);
                json.WriteEndObject();
                break;
            case { Kind: MediaKind.Image, Source: UrlSource source }:
                ImageUrl(source.Url);
                break;
            case { Kind: MediaKind.Document, Source: Base64Source source }:
                json.WriteString("type"u8, "file"u8);
                json.WriteStartObject("file"u8);
                json.WritePropertyName("file_data"u8);
                OpenAIMedia.WriteDataUrl(json, output, source);
                json.WritePropertyName("filename"u8);
                (media.Title is { IsEmpty: false } title ? title : new JsonText("document.pdf")).WriteTo(json);
                json.WriteEndObject();
                break;
            case { Kind: MediaKind.Audio, Source: Base64Source { MediaType: "audio/wav" or "audio/x-wav" or "audio/mpeg" or "audio/mp3" } source }:
                json.WriteString("type"u8, "input_audio"u8);
                json.WriteStartObject("input_audio"u8);
                json.WritePropertyName("data"u8);
                Base64Text.Normal(source.Data).WriteTo(json, output);
                json.WriteString("format"u8, source.MediaType.EndsWith("wav", StringComparison.Ordinal) ? "wav"u8 : "mp3"u8);
                json.WriteEndObject();
                break;
            case { Source: FileSource { Protocol: "openai", Raw: var raw } }:
                foreach (JsonProperty member in raw.EnumerateObject()) member.WriteTo(json);
                break;
            default:
                throw RequestRefusal.Of(media.Path, Target);
        }
    }

    private void ImageUrl(JsonText url)
    {
        json.WriteString("type"u8, "image_url"u8);
        json.WriteStartObject("image_url"u8);
        json.WritePropertyName("url"u8);
        url.WriteTo(json);
        json.WriteEndObject();
    }

    private void Assistant(Turn turn)
    {
        List<ToolCallPart> calls = [.. turn.Parts.OfType<ToolCallPart>()];
        string refusal = string.Concat(turn.Parts.OfType<RefusalPart>().Select(static part => part.Text.ToString()));
        string? text = AssistantText(turn.Parts);
        if (text is null && calls.Count == 0 && refusal.Length == 0) return;

        json.WriteStartObject();
        json.WriteString("role"u8, "assistant"u8);
        // Only OpenAI knows refusals, and elsewhere a message without content is refused.
        if (!traits.IsOfficial && text is null && calls.Count == 0) (text, refusal) = (refusal, "");
        json.WriteString("content"u8, text);
        if (refusal.Length > 0) json.WriteString("refusal"u8, refusal);
        if (traits.ReplayReasoning)
        {
            string thinking = string.Concat(turn.Parts.OfType<ThinkingPart>().Select(static part => part.Text.ToString()));

            // Such servers refuse an assistant message with calls that lacks the member; an empty one says "unknown".
            if (thinking.Length > 0 || calls.Count > 0) json.WriteString("reasoning_content"u8, thinking);
        }
        Details(turn.Parts);
        if (calls.Count > 0)
        {
            json.WriteStartArray("tool_calls"u8);
            WriteCalls(turn.Parts);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <summary>Mistral takes ids of nine letters and digits only; those of other providers come from another upstream's turns.</summary>
    private string? Id(string? id)
    {
        const int Length = 9;
        if (!traits.IsStrict || id is null || (id.Length == Length && id.All(char.IsAsciiLetterOrDigit))) return id;
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..Length];
    }

    /// <summary>Reasoning that this very server told and wants back unchanged.</summary>
    private void Details(IReadOnlyList<Part> parts)
    {
        IEnumerable<Seal> seals = parts.OfType<ThinkingPart>().Select(static part => part.Seal).OfType<Seal>();
        byte[] members = OpenAIChatDetails.Join(seals.Where(IsOwn).Select(static seal => seal.Value));
        if (members.Length == 0) return;
        var scan = new JsonScan([.. "{"u8, .. members, .. "}"u8]);
        while (scan.Next())
        {
            json.WritePropertyName(scan.Name);
            json.WriteRawValue(scan.Value, skipInputValidation: true);
        }
    }

    private bool IsOwn(Seal seal) => seal.Kind == SealKind.Details && traits.Issuer.Length > 0 && SealEnvelope.IsIssuer(seal.Issuer, traits.Issuer);

    /// <summary>Neighbouring texts run together, as they were streamed; what stood around a call is set apart.</summary>
    private static string? AssistantText(IReadOnlyList<Part> parts)
    {
        StringBuilder? text = null;
        bool isApart = false;
        foreach (Part part in parts)
        {
            string? words = part switch { TextPart one => one.Text.ToString(), MediaPart => "[image omitted]", _ => null };
            if (words is null)
            {
                isApart = true;
                continue;
            }
            text ??= new StringBuilder();
            bool standsAlone = part is TextPart { IsApart: true };
            if ((isApart || standsAlone) && text.Length > 0 && words.Length > 0) text.Append("\n\n");
            text.Append(words);
            isApart = standsAlone || part is MediaPart;
        }
        return text?.ToString();
    }

    /// <summary>An empty thinking part in front of a call is how a client of another protocol kept the call's signature.</summary>
    private void WriteCalls(IReadOnlyList<Part> parts)
    {
        Seal? carried = null;
        foreach (Part part in parts)
        {
            if (part is ToolCallPart call)
            {
                Call(call, call.Seal ?? carried);
                carried = null;
            }
            else if (part is ThinkingPart { Text.IsEmpty: true } thinking)
            {
                carried = thinking.Seal;
            }
        }
    }

    private void Call(ToolCallPart call, Seal? signature)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, Id(call.Id));
        json.WriteString("type"u8, call.IsCustom ? "custom"u8 : "function"u8);
        json.WriteStartObject(call.IsCustom ? "custom"u8 : "function"u8);
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

        // Gemini behind a Chat endpoint: its signature must come back on the call that it came with. Other models' servers may refuse the member.
        if (isGemini && signature is { Kind: SealKind.Thought } seal && (seal.Issuer.Length == 0 || SealEnvelope.IsIssuer(seal.Issuer, SealEnvelope.Gemini)))
        {
            json.WriteStartObject("extra_content"u8);
            json.WriteStartObject("google"u8);
            json.WriteString("thought_signature"u8, seal.Value);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
