using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>How an upstream of this protocol deviates, and what it is configured to do with what cannot be said.</summary>
public sealed record AnthropicTraits
{
    /// <summary>Most tokens that the provider's own library asks for in one piece: at its pace of 128,000 tokens an hour more would take over ten minutes.</summary>
    public const long MaxTokensInOnePiece = 21_333;

    public ModelTable Models { get; init; } = new();

    /// <summary>The limit where the client gave none; null: 32000 for Claude, 8192 for others. Never above what the model is known to take.</summary>
    public long? DefaultMaxTokens { get; init; }

    /// <summary>A trailing assistant turn that the model does not go on with is refused instead of followed by a request to go on.</summary>
    public bool RefusesPrefill { get; init; }

    /// <summary>Asks for prompt caching where the client set no marks of its own.</summary>
    public bool MarksCache { get; init; } = true;

    /// <summary>A demanded call, for a model that knows no such demand, becomes an instruction instead of a refusal.</summary>
    public bool InstructsForcedChoice { get; init; }

    /// <summary>Web search of other protocols is mapped to this one's.</summary>
    public bool WebSearch { get; init; }
}
