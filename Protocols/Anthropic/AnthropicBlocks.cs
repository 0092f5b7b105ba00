using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>What both answer writers say alike: ids, proofs, stop details.</summary>
public static class AnthropicBlocks
{
    /// <summary>The upstream's id where it is one of this protocol, else one of our own.</summary>
    public static byte[] MessageId(ReadOnlySpan<byte> id, WriterOptions options) =>
        id.StartsWith("msg_"u8) ? id.ToArray() : Encoding.ASCII.GetBytes($"msg_{options.IdSeed}");

    /// <param name="ordinal">Counts the answer's calls from 0.</param>
    public static byte[] ToolId(AnswerBlock block, WriterOptions options, int ordinal) =>
        block.ToolId.Length > 0 ? block.ToolId : Encoding.ASCII.GetBytes($"toolu_{options.IdSeed}{ordinal}");

    /// <summary>The name that the client gave the tool, raw bytes without quotes; upstreams may know an alias.</summary>
    public static byte[] ToolName(AnswerBlock block, ToolNames names) =>
        names.Find(RawJson.Decode([(byte)'"', .. block.ToolName, (byte)'"'])) is { } tool ? RawJson.Encode(ToolNames.Flat(tool))[1..^1] : block.ToolName;

    /// <summary>Nothing but white space was told of the text so far.</summary>
    public static bool IsBlank(AnswerBlock text) =>
        text.Inner.IsEmpty || ((text.Inner[0] is (byte)' ' or (byte)'\\' || text.Inner[0] >= 0x80) && string.IsNullOrWhiteSpace(text.Text()));

    /// <summary>The client did not say that it wants no thinking text.</summary>
    public static bool ShowsThinking(WriterOptions options) => options.Request?.Reasoning?.Visible != false;

    /// <summary>A thinking block's <c>signature</c> as a JSON string token. Never empty, since strict clients refuse an empty one.</summary>
    public static byte[] Signature(AnswerBlock block) => block.Seal is not { } seal ? NoProof() : block.SealKind switch
    {
        SealKind.Thinking => seal,
        SealKind.Encrypted or SealKind.Details => Wrapped(block.SealKind, seal),
        _ => NoProof(),
    };

    /// <summary>The signature of the empty thinking block that carries a Gemini proof in front of its call; null: the call has none.</summary>
    public static byte[]? Carrier(AnswerBlock call) =>
        call.Seal is { } seal && call.SealKind == SealKind.Thought ? Wrapped(SealKind.Thought, seal) : null;

    /// <summary>Whether the block ends up as a thinking block at all: it has text that is shown, or a proof that this protocol carries.</summary>
    public static bool IsWorthWriting(AnswerBlock thinking, bool hasText) =>
        hasText || (thinking.Seal is not null && thinking.SealKind is SealKind.Thinking or SealKind.Encrypted or SealKind.Details);

    public static bool IsRedacted(AnswerBlock thinking) => thinking.Seal is not null && thinking.SealKind == SealKind.Redacted;

    /// <summary>The stop reason that fits what was written: calls upgrade a plain end only, and no call means no <c>tool_use</c>.</summary>
    /// <param name="hasBroken">A call's arguments ended in the middle, which only a limit explains.</param>
    public static FinishReason Settle(FinishReason reason, bool hasCall, bool hasBroken, bool hasRefusal) => reason switch
    {
        FinishReason.EndTurn or FinishReason.ToolUse when hasBroken => FinishReason.MaxTokens,
        FinishReason.EndTurn or FinishReason.ToolUse when hasCall => FinishReason.ToolUse,
        FinishReason.EndTurn or FinishReason.ToolUse when hasRefusal => FinishReason.Refusal,
        FinishReason.ToolUse => FinishReason.EndTurn,
        _ => reason,
    };

    /// <summary><c>stop_reason</c>, <c>stop_sequence</c> and <c>stop_details</c>, without braces.</summary>
    public static void WriteStop(IBufferWriter<byte> output, FinishReason reason, ReadOnlySpan<byte> stopSequence)
    {
        output.Write("\"stop_reason\":\""u8);
        output.Write(Encoding.ASCII.GetBytes(AnthropicNames.StopReason(reason)));
        output.Write("\",\"stop_sequence\":"u8);
        output.Write(reason == FinishReason.StopSequence && !stopSequence.IsEmpty ? stopSequence : "null"u8);
        output.Write(",\"stop_details\":"u8);
        output.Write(reason == FinishReason.Refusal ? "{\"type\":\"refusal\",\"category\":null,\"explanation\":null}"u8 : "null"u8);
    }

    private static byte[] Wrapped(SealKind kind, byte[] token) => SealEnvelope.Wrap(kind, "", token);

    private static byte[] NoProof() => Encoding.ASCII.GetBytes($"\"{SealEnvelope.Nothing}\"");
}
