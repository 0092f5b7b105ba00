namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Hands out the block numbers of one answer: 0, 1, 2, ..., none twice.</summary>
public sealed class BlockNumbers
{
    private int _next;

    public int Next() => _next++;

    /// <summary>At least one block was opened.</summary>
    public bool HasAny => _next > 0;
}
