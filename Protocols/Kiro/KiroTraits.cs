using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>How an upstream of this protocol is spoken to: everything of it that may age without the protocol changing.</summary>
public sealed record KiroTraits
{
    public ModelTable Models { get; init; } = new();

    /// <summary>Model ids, and what is known of each beyond <see cref="Models"/>.</summary>
    public KiroModels Catalog { get; init; } = new();

    public KiroLimits Limits { get; init; } = new();

    public KiroTexts Texts { get; init; } = new();

    /// <summary>The upstream's configured name: reasoning of other models than Claude that it encrypted is sent back to it alone.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>Decides whose quota is used: <c>AI_EDITOR</c>; <c>CLI</c> or <c>KIRO_CLI</c> at the endpoints of the command line.</summary>
    public string Origin { get; init; } = "AI_EDITOR";

    public string ChatTriggerType { get; init; } = "MANUAL";

    /// <summary>null: not sent.</summary>
    public string? AgentTaskType { get; init; } = "vibe";

    /// <summary>Sends limit, temperature and top_p. Not known to be taken by every endpoint: a 400 "Improperly formed request." then means to send it again without.</summary>
    public bool SendsInferenceConfig { get; init; }

    /// <summary>A trailing assistant turn that a client wants gone on with is refused instead of followed by a request to go on.</summary>
    public bool RefusesPrefill { get; init; }
}

/// <summary>What the service takes at most.</summary>
public sealed record KiroLimits
{
    /// <summary>Messages in the history, the system prompt's pair included.</summary>
    public int MaxHistory { get; init; } = 10_000;

    /// <summary>Characters of one user message.</summary>
    public int MaxContent { get; init; } = 600_000;

    /// <summary>Characters of one tool result.</summary>
    public int MaxResult { get; init; } = 800_000;

    /// <summary>Images of a whole request.</summary>
    public int MaxImages { get; init; } = 10;

    /// <summary>Decoded bytes of one image; the smaller reading of "10 MB".</summary>
    public long MaxImageBytes { get; init; } = 10_000_000;

    /// <summary>UTF-8 bytes of a tool's description.</summary>
    public int MaxDescriptionBytes { get; init; } = 10_240;

    /// <summary>Characters of a tool's name; the service says 64, of which the last has been seen refused.</summary>
    public int MaxName { get; init; } = 63;

    /// <summary>Tokens of thinking that are asked for by tags.</summary>
    public long MaxThinking { get; init; } = 24_576;
}

/// <summary>Our own words where the service wants some and the client said none.</summary>
public sealed record KiroTexts
{
    /// <summary>A user message that nobody sent.</summary>
    public string Continue { get; init; } = "Continue";

    /// <summary>What the assistant answers to the system prompt.</summary>
    public string Acknowledged { get; init; } = "Understood.";

    /// <summary>Beside tool results.</summary>
    public string ResultsOnly { get; init; } = "Tool results provided.";

    /// <summary>Beside images.</summary>
    public string ImagesOnly { get; init; } = "See the attached image.";

    /// <summary>Beside tool calls.</summary>
    public string CallsOnly { get; init; } = ".";

    /// <summary>In a result that holds no text.</summary>
    public string EmptyResult { get; init; } = "(no output)";

    /// <summary>In a result whose image stands beside the message.</summary>
    public string ImageInResult { get; init; } = "[image attached to this message]";

    /// <summary>In the place of an image that is not sent.</summary>
    public string ImageOmitted { get; init; } = "[image omitted]";

    /// <summary>Describes a tool that the history calls and the request does not declare.</summary>
    public string GoneTool { get; init; } = "A tool of earlier turns that is no longer offered.";

    /// <summary>Ends a description that goes on in the system prompt.</summary>
    public string DescriptionCut { get; init; } = " (goes on in the system prompt)";
}
