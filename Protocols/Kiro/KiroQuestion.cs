using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>What a reader must know of the request that its answer is to.</summary>
public sealed record KiroQuestion
{
    /// <summary>For an estimate of the prompt, should the service tell no tokens; null: not known.</summary>
    public ChatRequest? Request { get; init; }

    /// <summary>null: names stay as the service has them.</summary>
    public KiroNames? Names { get; init; }

    /// <summary>Tokens of the model's context window, of which the service tells a percentage.</summary>
    public required long Window { get; init; }

    /// <summary>Its signatures are Anthropic's; other models' can be read by this upstream alone.</summary>
    public bool IsClaude { get; init; } = true;
}
