namespace Aiproxy.Protocols.Model;

/// <summary>What a target demands of tools and conversation. The defaults suit the OpenAI protocols.</summary>
public sealed record HistoryRules
{
    /// <summary>Messages: its writer merges turns and knows itself what empty text and instructions in the middle become.</summary>
    public static HistoryRules Anthropic { get; } = new() { MaxNameLength = 128, IdsAreWords = true, KnowsMidSystem = true, OwnBlocks = "anthropic" };

    /// <summary>Gemini, and what speaks its dialect: likewise.</summary>
    public static HistoryRules Gemini { get; } = new() { KnowsMidSystem = true, OwnBlocks = "gemini" };

    /// <summary>Characters of a tool name; all targets take <c>[A-Za-z0-9_-]</c>.</summary>
    public int MaxNameLength { get; init; } = 64;

    /// <summary>Gemini: "must start with a letter or an underscore".</summary>
    public bool NamesAreLed { get; init; }

    public int MaxIdLength { get; init; } = 64;

    /// <summary>Anthropic: call ids of <c>[a-zA-Z0-9_-]</c> only.</summary>
    public bool IdsAreWords { get; init; }

    /// <summary>Consecutive turns of one role become one.</summary>
    public bool MergesRoles { get; init; }

    /// <summary>The conversation may not begin with the model.</summary>
    public bool StartsWithUser { get; init; }

    /// <summary>A system prompt alone is no conversation.</summary>
    public bool NeedsTurn { get; init; }

    /// <summary>What a user turn says after a trailing assistant turn; null: that turn may stand last.</summary>
    public string? AfterTrailingAssistant { get; init; }

    /// <summary>Instructions in the middle of the conversation can stay what they are; otherwise they become marked user text in their place.</summary>
    public bool KnowsMidSystem { get; init; }

    /// <summary>Text without anything but white space is refused, or useless.</summary>
    public bool DropsEmptyText { get; init; }

    /// <summary>Free-form tools; otherwise each becomes a function with one string argument <c>input</c>.</summary>
    public bool KnowsCustomTools { get; init; }

    /// <summary>The protocol whose server tools' blocks go back as they came; of others' only short readable results stay, as text. null: of all.</summary>
    public string? OwnBlocks { get; init; }

    /// <summary>Claude Code's attribution block is for Anthropic alone.</summary>
    public bool KeepsBillingBlock { get; init; }
}
