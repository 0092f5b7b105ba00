using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>How a Responses upstream deviates from OpenAI's public API.</summary>
public sealed record OpenAIResponsesTraits
{
    public ModelTable Models { get; init; } = new();

    /// <summary>The system prompt goes out as a <c>developer</c> message and <c>instructions</c> is empty, as Codex does it.</summary>
    public bool InstructionsAsDeveloper { get; init; }

    /// <summary>Limits, sampling, end user and tiers other than <c>priority</c> are refused there.</summary>
    public bool BareParameters { get; init; }

    /// <summary>The upstream's configured name: whose encrypted reasoning may go back to it. Empty: only what came raw.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>A trailing assistant turn that an Anthropic client wants gone on with is refused instead of followed by a request to go on.</summary>
    public bool RefusesPrefill { get; init; }

    /// <summary>Other protocols' web search becomes the hosted <c>web_search</c>.</summary>
    public bool WebSearch { get; init; }

    /// <summary>A stream is asked for whatever the client wants.</summary>
    public bool AlwaysStreams { get; init; }
}
