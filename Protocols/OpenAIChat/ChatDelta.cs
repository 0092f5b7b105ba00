namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>The members of a <c>delta</c> or <c>message</c>, raw. What it does not have is empty.</summary>
public ref struct ChatDelta
{
    public ReadOnlySpan<byte> Content, Refusal, ToolCalls, FunctionCall;

    /// <summary>The same text often comes under two of these names.</summary>
    public ReadOnlySpan<byte> ReasoningContent, Reasoning, ReasoningDetails, ThinkingBlocks;

    /// <summary>The sources of the text.</summary>
    public ReadOnlySpan<byte> Annotations;

    /// <param name="scan">Walks the object.</param>
    public static ChatDelta Read(scoped ref JsonScan scan)
    {
        var delta = new ChatDelta();
        while (scan.Next())
        {
            if (scan.Is("content"u8)) delta.Content = scan.Value;
            else if (scan.Is("tool_calls"u8)) delta.ToolCalls = scan.Value;
            else if (scan.Is("reasoning_content"u8)) delta.ReasoningContent = scan.Value;
            else if (scan.Is("reasoning"u8)) delta.Reasoning = scan.Value;
            else if (scan.Is("reasoning_details"u8)) delta.ReasoningDetails = scan.Value;
            else if (scan.Is("thinking_blocks"u8)) delta.ThinkingBlocks = scan.Value;
            else if (scan.Is("refusal"u8)) delta.Refusal = scan.Value;
            else if (scan.Is("function_call"u8)) delta.FunctionCall = scan.Value;
            else if (scan.Is("annotations"u8)) delta.Annotations = scan.Value;
        }
        return delta;
    }
}
