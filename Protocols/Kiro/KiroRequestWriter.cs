using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Writes a generateAssistantResponse request. The same request gives the same bytes, or prompt caches would never hit.</summary>
/// <remarks>The body ends in the brace of the root object, which is not empty: <see cref="WithProfile"/> puts the sign-in's profile in front of it.
/// No member holds limit, temperature or stop sequences unless the traits say so: there is none that all endpoints take.</remarks>
public sealed class KiroRequestWriter
{
    /// <summary>The protocol's name in refusals.</summary>
    public const string Target = "Kiro";

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ChatRequest _request;
    private readonly KiroTraits _traits;
    private readonly KiroNames _names;
    private readonly KiroTools _tools;
    private readonly KiroThinkingRequest _thinking;
    private readonly List<KiroMessage> _messages;
    private readonly string _conversation;

    /// <exception cref="ProtocolException">Something cannot be said.</exception>
    public KiroRequestWriter(ChatRequest request, KiroTraits traits)
    {
        RequestRefusal.Check(request, Target);
        if (request.MaxTokens is <= 0) throw RequestRefusal.Of("max_tokens", Target);
        _traits = traits;
        _names = KiroNames.Of(request, traits.Limits);
        var history = new KiroHistory(traits);
        _request = request = history.Repaired(request with { Model = traits.Catalog.Id(request.Model) });
        _tools = new KiroTools(request, _names, traits);
        _thinking = KiroThinkingRequest.Decide(request, traits);
        _messages = history.Messages(request, System());
        _conversation = KiroConversationId.Of(request);
    }

    /// <summary>A written request with the profile of the account that it is sent for.</summary>
    public static byte[] WithProfile(ReadOnlySpan<byte> body, string profileArn) =>
        [.. body[..^1], .. ",\"profileArn\":"u8, .. RawJson.Encode(profileArn), (byte)'}'];

    public void Write(IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, Relaxed);
        writer.WriteStartObject();
        writer.WriteStartObject("conversationState"u8);
        writer.WriteString("conversationId"u8, _conversation);
        writer.WriteString("chatTriggerType"u8, _traits.ChatTriggerType);
        if (_traits.AgentTaskType is { } task) writer.WriteString("agentTaskType"u8, task);
        writer.WritePropertyName("currentMessage"u8);
        WriteUser(writer, _messages[^1], isCurrent: true);
        if (_messages.Count > 1)
        {
            writer.WriteStartArray("history"u8);
            foreach (KiroMessage message in _messages.SkipLast(1))
            {
                if (message.IsUser) WriteUser(writer, message, isCurrent: false);
                else WriteAssistant(writer, message);
            }
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
        if (_traits.SendsInferenceConfig) WriteInferenceConfig(writer);
        _thinking.Write(writer);
        writer.WriteEndObject();
    }

    /// <summary>All that has no place but in words: tags first, a form for the answer last, the client's prompt between.</summary>
    private string System()
    {
        var paragraphs = new List<string>();
        if (_thinking.Tags.Length > 0) paragraphs.Add(_thinking.Tags);
        foreach (TextPart part in _request.System)
        {
            if (!part.Text.IsBlank) paragraphs.Add(part.Text.ToString());
        }
        paragraphs.AddRange(_tools.Notes);
        if (_request.Output is { Schema: { } schema } format)
        {
            string about = format.Description is { IsBlank: false } description ? $" ({description})" : "";
            paragraphs.Add($"Answer with one JSON object only{about}, of this schema: {Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(schema))}");
        }
        else if (_request.Output is not null)
        {
            paragraphs.Add("Answer with one JSON object only.");
        }
        return string.Join("\n\n", paragraphs);
    }

    private void WriteUser(Utf8JsonWriter writer, KiroMessage message, bool isCurrent)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("userInputMessage"u8);
        writer.WriteString("content"u8, message.Content(_traits.Texts));
        writer.WriteString("modelId"u8, _request.Model);
        writer.WriteString("origin"u8, _traits.Origin);
        if (message.Images.Count > 0) WriteImages(writer, message.Images);
        // "tools only in the current message"
        bool hasTools = isCurrent && _tools.HasAny;
        if (hasTools || message.Results.Count > 0)
        {
            writer.WriteStartObject("userInputMessageContext"u8);
            if (hasTools) _tools.Write(writer);
            if (message.Results.Count > 0) WriteResults(writer, message.Results);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteImages(Utf8JsonWriter writer, List<KiroImage> images)
    {
        writer.WriteStartArray("images"u8);
        foreach (KiroImage image in images)
        {
            writer.WriteStartObject();
            writer.WriteString("format"u8, image.Format);
            writer.WriteStartObject("source"u8);
            writer.WritePropertyName("bytes"u8);
            image.Data.WriteTo(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteResults(Utf8JsonWriter writer, List<KiroResult> results)
    {
        writer.WriteStartArray("toolResults"u8);
        foreach (KiroResult result in results)
        {
            writer.WriteStartObject();
            writer.WriteString("toolUseId"u8, result.CallId);
            writer.WriteString("status"u8, result.IsError ? "error"u8 : "success"u8);
            writer.WriteStartArray("content"u8);
            writer.WriteStartObject();
            // Never read as JSON, even where it looks like some: the tool answered in text.
            writer.WriteString("text"u8, result.Text);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private void WriteAssistant(Utf8JsonWriter writer, KiroMessage message)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("assistantResponseMessage"u8);
        writer.WriteString("content"u8, message.Content(_traits.Texts));
        if (message.Reasoning is { } reasoning) WriteReasoning(writer, reasoning);
        if (message.Calls.Count > 0)
        {
            writer.WriteStartArray("toolUses"u8);
            foreach (ToolCallPart call in message.Calls)
            {
                writer.WriteStartObject();
                writer.WriteString("toolUseId"u8, call.Id!);
                writer.WriteString("name"u8, _names.For(call.Name));
                writer.WritePropertyName("input"u8);
                writer.WriteRawValue(call.Arguments.Span, skipInputValidation: true);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteReasoning(Utf8JsonWriter writer, ThinkingPart reasoning)
    {
        writer.WriteStartObject("reasoningContent"u8);
        if (reasoning.Seal!.Kind == SealKind.Redacted)
        {
            writer.WriteString("redactedContent"u8, reasoning.Seal.Value);
        }
        else
        {
            writer.WriteStartObject("reasoningText"u8);
            writer.WritePropertyName("text"u8);
            reasoning.Text.WriteTo(writer);
            writer.WriteString("signature"u8, reasoning.Seal.Value);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private void WriteInferenceConfig(Utf8JsonWriter writer)
    {
        // "no temperature/topP with it"
        Sampling sampling = _thinking.Way == KiroThinking.Adaptive ? new Sampling() : _request.Sampling;
        if (_request.MaxTokens is null && sampling.Temperature is null && sampling.TopP is null) return;
        writer.WriteStartObject("inferenceConfig"u8);
        if (_request.MaxTokens is { } limit) writer.WriteNumber("maxTokens"u8, limit);
        if (sampling.Temperature is { } temperature) WriteRaw(writer, "temperature"u8, temperature);
        if (sampling.TopP is { } topP) WriteRaw(writer, "topP"u8, topP);
        writer.WriteEndObject();
    }

    private static void WriteRaw(Utf8JsonWriter writer, ReadOnlySpan<byte> name, JsonElement value)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
    }
}
