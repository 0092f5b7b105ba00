using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>What a Chat upstream knows beyond, or less than, the many servers that resemble OpenAI.</summary>
public sealed record OpenAIChatTraits
{
    public ModelTable Models { get; init; } = new();

    /// <summary>Instructions travel as <c>developer</c>; most compatible servers know only <c>system</c>.</summary>
    public bool DeveloperRole { get; init; }

    /// <summary>Custom tools, <c>allowed_tools</c>, <c>safety_identifier</c> and <c>prompt_cache_key</c> are known: OpenAI itself.</summary>
    public bool IsOfficial { get; init; }

    /// <summary>System messages are taken anywhere, not only in front; null: as the model's name and facts tell.</summary>
    public bool? MidSystem { get; init; }

    /// <summary>Two messages of one role in a row are refused.</summary>
    public bool StrictAlternation { get; init; }

    /// <summary>Thinking models that want their <c>reasoning_content</c> back on every assistant message with calls.</summary>
    public bool ReplayReasoning { get; init; }

    /// <summary>The upstream's configured name: whose details of reasoning may go back to it. Empty: none.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>Mistral's own service: it refuses a request with a member that it does not know (<c>stream_options</c>, <c>user</c>, <c>reasoning_effort</c> and the
    /// like), and tells usage unasked.</summary>
    public bool IsStrict { get; init; }

    /// <summary>A trailing assistant turn that an Anthropic client wants gone on with is refused instead of followed by a request to go on.</summary>
    public bool RefusesPrefill { get; init; }

    /// <summary><c>web_search_options</c> is known.</summary>
    public bool WebSearch { get; init; }
}
