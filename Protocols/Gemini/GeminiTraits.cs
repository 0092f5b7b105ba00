using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>How an upstream of this protocol deviates, and what it is configured to do with what cannot be said.</summary>
public sealed record GeminiTraits
{
    public ModelTable Models { get; init; } = new();

    /// <summary>Schemas go out in the proto dialect (<c>parameters</c>, <c>responseSchema</c>) instead of as JSON Schema.</summary>
    public bool LegacySchema { get; init; }

    /// <summary>Calls and results carry ids; null: from Gemini 3 on.</summary>
    public bool? SendsIds { get; init; }

    /// <summary>A trailing model turn that a client wants gone on with is refused instead of followed by a request to go on.</summary>
    public bool RefusesPrefill { get; init; }

    /// <summary>Web search of other protocols is mapped to this one's.</summary>
    public bool WebSearch { get; init; }
}
