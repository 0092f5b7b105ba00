using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Finish reasons in Chat's words and in those of the servers that only resemble it.</summary>
public static class OpenAIChatNames
{
    /// <param name="reason">Inner bytes of the JSON string.</param>
    /// <returns>null: the server says that the answer broke.</returns>
    public static FinishReason? Finish(ReadOnlySpan<byte> reason)
    {
        if (Is(reason, "tool_calls"u8) || Is(reason, "function_call"u8) || Is(reason, "tool_use"u8)) return FinishReason.ToolUse;
        if (Is(reason, "length"u8) || Is(reason, "max_tokens"u8) || Is(reason, "model_length"u8)) return FinishReason.MaxTokens;
        if (Is(reason, "model_context_window_exceeded"u8)) return FinishReason.ContextOverflow;
        if (IsFilter(reason)) return FinishReason.Refusal;
        return IsBroken(reason) ? null : FinishReason.EndTurn;
    }

    /// <summary>Gemini's endpoint says what it found behind a colon, and leaves the message out.</summary>
    private static bool IsFilter(ReadOnlySpan<byte> reason) =>
        reason.StartsWith("content_filter"u8) || Is(reason, "refusal"u8) || Is(reason, "sensitive"u8) || Is(reason, "safety"u8) || Is(reason, "prohibited_content"u8);

    /// <summary>Ended by the server and not by the model: vLLM that shuts down, GLM that lost its machine, Gemini that could not read its own call.</summary>
    private static bool IsBroken(ReadOnlySpan<byte> reason) =>
        Is(reason, "error"u8) || Is(reason, "abort"u8) || Is(reason, "network_error"u8) || Is(reason, "insufficient_system_resource"u8)
        || reason.StartsWith("function_call_filter"u8) || Is(reason, "malformed_function_call"u8);

    private static bool Is(ReadOnlySpan<byte> reason, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(reason, word);

    public static ReadOnlySpan<byte> Finish(FinishReason reason) => reason switch
    {
        FinishReason.ToolUse => "tool_calls"u8,
        FinishReason.MaxTokens or FinishReason.ContextOverflow => "length"u8,
        FinishReason.Refusal => "content_filter"u8,
        _ => "stop"u8,
    };

    /// <summary>What an answer says of its end when servers tell it more than once: a plain stop never takes back a reason that says more.</summary>
    public static int Rank(FinishReason reason) => reason switch
    {
        FinishReason.Refusal => 4,
        FinishReason.MaxTokens or FinishReason.ContextOverflow => 3,
        FinishReason.ToolUse => 2,
        FinishReason.StopSequence => 1,
        _ => 0,
    };
}
