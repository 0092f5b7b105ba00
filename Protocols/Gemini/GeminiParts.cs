using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Writes the parts of an answer, and keeps foreign proofs until a part comes by that can carry them.</summary>
/// <remarks>A proof that is not Gemini's travels as <c>thoughtSignature</c> on the first call after it, or on an empty text part where none follows.</remarks>
public sealed class GeminiParts(WriterOptions options)
{
    private readonly ToolNames _names = ToolNames.Of(options.Request);
    private byte[]? _carried;

    /// <summary>Thoughts are told where the client asked for them, or where its request was not read.</summary>
    public bool ShowsThoughts { get; } = options.Request is null || options.Request.Reasoning?.Visible == true;

    /// <summary>A proof waits for a part that carries it; a JSON string token.</summary>
    public byte[]? TakeCarried()
    {
        byte[]? carried = _carried;
        _carried = null;
        return carried;
    }

    /// <summary>Keeps the proof of a thinking block that ended. Returns a proof that now needs a part of its own: Gemini's own, or the one that waited
    /// before.</summary>
    public byte[]? Carry(AnswerBlock thinking)
    {
        if (thinking.Seal is not { } seal || thinking.SealKind is SealKind.None) return null;
        if (thinking.SealKind == SealKind.Thought) return seal;
        byte[]? earlier = TakeCarried();
        _carried = SealEnvelope.Wrap(thinking.SealKind, "", seal, thinking.Inner);
        return earlier;
    }

    /// <param name="token">A JSON string token.</param>
    /// <param name="signature">Likewise; empty: none.</param>
    public static void WriteText(IBufferWriter<byte> output, ReadOnlySpan<byte> token, bool isThought, ReadOnlySpan<byte> signature = default)
    {
        output.Write("{\"text\":"u8);
        output.Write(token);
        if (isThought) output.Write(",\"thought\":true"u8);
        WriteSignature(output, signature);
    }

    /// <param name="arguments">Raw JSON of an object.</param>
    public void WriteCall(IBufferWriter<byte> output, AnswerBlock call, ReadOnlySpan<byte> arguments)
    {
        byte[]? carried = TakeCarried();
        output.Write("{\"functionCall\":{"u8);
        if (call.ToolId.Length > 0)
        {
            output.Write("\"id\":"u8);
            output.WriteQuoted(call.ToolId);
            output.Write(","u8);
        }
        output.Write("\"name\":"u8);
        output.WriteQuoted(Name(call));
        output.Write(",\"args\":"u8);
        output.WriteOneLine(arguments);
        output.Write("}"u8);
        WriteSignature(output, call is { Seal: not null, SealKind: SealKind.Thought } ? call.Seal : carried);
    }

    /// <summary>The name that the client gave the tool; upstreams may know an alias.</summary>
    private byte[] Name(AnswerBlock call) =>
        _names.Find(RawJson.Decode([(byte)'"', .. call.ToolName, (byte)'"'])) is { } tool ? RawJson.Encode(ToolNames.Flat(tool))[1..^1] : call.ToolName;

    /// <summary>The response object of an answer that was refused before it said anything: the protocol blames the prompt, and has no candidate.</summary>
    public static void WriteBlocked(IBufferWriter<byte> output, in TokenUsage usage, ReadOnlySpan<byte> model, ReadOnlySpan<byte> id)
    {
        output.Write("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}"u8);
        GeminiUsage.Write(output, usage);
        WriteNames(output, model, id);
    }

    /// <summary>The response object around one part, or several with commas between.</summary>
    /// <param name="reason">Empty: the answer goes on.</param>
    /// <param name="grounding"><c>groundingMetadata</c>; empty: none.</param>
    public static void WriteObject(IBufferWriter<byte> output, ReadOnlySpan<byte> parts, ReadOnlySpan<byte> reason, in TokenUsage usage,
        ReadOnlySpan<byte> model, ReadOnlySpan<byte> id, ReadOnlySpan<byte> grounding = default)
    {
        output.Write(Head);
        output.Write(parts);
        WriteTail(output, reason, usage, model, id, grounding);
    }

    /// <summary>The response object up to its parts.</summary>
    public static ReadOnlySpan<byte> Head => "{\"candidates\":[{\"content\":{\"parts\":["u8;

    /// <summary>The response object behind its parts.</summary>
    public static void WriteTail(IBufferWriter<byte> output, ReadOnlySpan<byte> reason, in TokenUsage usage, ReadOnlySpan<byte> model, ReadOnlySpan<byte> id,
        ReadOnlySpan<byte> grounding = default)
    {
        output.Write("],\"role\":\"model\"}"u8);
        if (!reason.IsEmpty)
        {
            output.Write(",\"finishReason\":"u8);
            output.WriteQuoted(reason);
        }
        output.Write(",\"index\":0"u8);
        if (!grounding.IsEmpty)
        {
            output.Write(",\"groundingMetadata\":"u8);
            output.Write(grounding);
        }
        output.Write("}]"u8);
        if (!reason.IsEmpty) GeminiUsage.Write(output, usage);
        WriteNames(output, model, id);
    }

    private static void WriteNames(IBufferWriter<byte> output, ReadOnlySpan<byte> model, ReadOnlySpan<byte> id)
    {
        output.Write(",\"modelVersion\":"u8);
        output.Write(model);
        output.Write(",\"responseId\":"u8);
        output.WriteQuoted(id);
        output.Write("}"u8);
    }

    private static void WriteSignature(IBufferWriter<byte> output, ReadOnlySpan<byte> signature)
    {
        if (!signature.IsEmpty)
        {
            output.Write(",\"thoughtSignature\":"u8);
            output.Write(signature);
        }
        output.Write("}"u8);
    }
}
