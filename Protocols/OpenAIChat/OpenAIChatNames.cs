using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Finish reasons in Chat's words and in those of the servers that only resemble it.</summary>
public static class OpenAIChatNames
{
    /// <param name="reason">Inner bytes of the JSON string.</param>
    /// <returns>null: the server says that the answer broke.</returns>
    public static FinishReason? Finish(ReadOnlySpan<byte> reason)
    {
        if (reason.SequenceEqual("tool_calls"u8) || reason.SequenceEqual("function_call"u8) || reason.SequenceEqual("tool_use"u8)) return FinishReason.ToolUse;
        if (reason.SequenceEqual("length"u8) || reason.SequenceEqual("max_tokens"u8) || reason.SequenceEqual("model_length"u8)) return FinishReason.MaxTokens;
        if (reason.SequenceEqual("content_filter"u8) || reason.SequenceEqual("refusal"u8)) return FinishReason.Refusal;
        if (reason.SequenceEqual("error"u8) || reason.SequenceEqual("insufficient_system_resource"u8)) return null;
        return FinishReason.EndTurn;
    }

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
