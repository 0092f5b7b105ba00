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
    public void Read(scoped ref JsonScan scan)
    {
        while (scan.Next())
        {
            if (scan.Is("content"u8)) Content = scan.Value;
            else if (scan.Is("tool_calls"u8)) ToolCalls = scan.Value;
            else if (scan.Is("reasoning_content"u8)) ReasoningContent = scan.Value;
            else if (scan.Is("reasoning"u8)) Reasoning = scan.Value;
            else if (scan.Is("reasoning_details"u8)) ReasoningDetails = scan.Value;
            else if (scan.Is("thinking_blocks"u8)) ThinkingBlocks = scan.Value;
            else if (scan.Is("refusal"u8)) Refusal = scan.Value;
            else if (scan.Is("function_call"u8)) FunctionCall = scan.Value;
            else if (scan.Is("annotations"u8)) Annotations = scan.Value;
        }
    }
}
