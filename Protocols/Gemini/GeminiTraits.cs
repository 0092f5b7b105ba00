using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>How an upstream of this protocol deviates, and what it is configured to do with what cannot be said.</summary>
public sealed record GeminiTraits
{
    public ModelTable Models { get; init; } = new();

    /// <summary>Schemas go out in the proto dialect (<c>parameters</c>, <c>responseSchema</c>) instead of as JSON Schema.</summary>
    public bool LegacySchema { get; init; }

    /// <summary>Schemas go out as the client wrote them: whoever carries the request brings them into the upstream's words.</summary>
    public bool RawSchema { get; init; }

    /// <summary>The member of a result's <c>response</c> that holds its text.</summary>
    public string ResultName { get; init; } = "output";

    /// <summary>Images of a result stand inside it; null: from Gemini 3 on.</summary>
    public bool? HasMediaInResults { get; init; }

    /// <summary>URLs of media are fetched by the upstream; null: from Gemini 3 on.</summary>
    public bool? FetchesUrls { get; init; }

    /// <summary>Calls and results carry ids; null: from Gemini 3 on.</summary>
    public bool? SendsIds { get; init; }

    /// <summary>A trailing model turn that a client wants gone on with is refused instead of followed by a request to go on.</summary>
    public bool RefusesPrefill { get; init; }

    /// <summary>Web search of other protocols is mapped to this one's.</summary>
    public bool WebSearch { get; init; }
}
