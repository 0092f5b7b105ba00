using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>One message as it will be written.</summary>
public sealed record AnthropicMessage(string Role)
{
    public List<AnthropicBlock> Blocks { get; } = [];
}

/// <summary>A part and whether the prompt cache is marked behind it.</summary>
public sealed record AnthropicBlock(Part Part)
{
    public bool IsMarked { get; init; } = Part switch
    {
        ThinkingPart => false,
        // Other protocols mark a piece of the result; behind the whole of it more is cached.
        ToolResultPart result => result.CacheHint || result.Content.Any(static part => part.CacheHint),
        _ => Part.CacheHint,
    };
}

/// <summary>Turns as messages under this protocol's rules: neighbours of one role are one message, results come first, the user begins, nothing is
/// empty.</summary>
public static class AnthropicConversation
{
    private const string GoOn = "Continue your last message exactly behind its last word. Do not repeat any of it.";

    /// <summary>The request with calls and turns in the order, names and ids that the provider takes, and without what it has no place for.</summary>
    /// <exception cref="ProtocolException">As <see cref="HistoryRepair.Apply"/>; or the client's unfinished last turn is refused.</exception>
    public static ChatRequest Repaired(ChatRequest request, AnthropicTraits traits, ModelFacts facts)
    {
        List<Turn> turns = [.. request.Turns.Select(turn => turn with { Parts = Kept(turn) }).Where(turn => turn.Parts.Count > 0)];
        return HistoryRepair.Apply(request with { Turns = turns }, new HistoryRules
        {
            MaxNameLength = 128,
            MaxIdLength = int.MaxValue,
            IdsAreWords = true,
            MergesRoles = true,
            StartsWithUser = true,
            NeedsTurn = true,
            DropsEmptyText = true,
            KeepsBillingBlock = true,
            OwnBlocks = AnthropicNames.Protocol,
            KnowsMidSystem = facts.HasMidSystem,
            AfterTrailingAssistant = AfterTrailing(request, turns, traits, facts),
        });
    }

    public static List<AnthropicMessage> Messages(ChatRequest repaired)
    {
        var messages = new List<AnthropicMessage>();
        foreach (Turn turn in repaired.Turns)
        {
            string role = turn.Role switch { TurnRole.Assistant => "assistant", TurnRole.User => "user", _ => "system" };
            // An instruction has its own role behind the user only.
            bool isStray = role == "system" && messages is not [.., { Role: "user" or "system" }];
            if (isStray) role = "user";
            if (messages is not [.., var last] || last.Role != role) messages.Add(last = new AnthropicMessage(role));
            foreach (Part part in turn.Parts)
            {
                last.Blocks.Add(new AnthropicBlock(isStray && part is TextPart text ? text with { Text = $"<system-reminder>\n{text.Text}\n</system-reminder>" } : part));
            }
        }
        // "final assistant content cannot end with trailing whitespace"
        if (messages is [.., { Role: "assistant" } trailing] && trailing.Blocks[^1] is { Part: TextPart open } block)
        {
            trailing.Blocks[^1] = new AnthropicBlock(new TextPart(open.Text.ToString().TrimEnd()) { Path = open.Path }) { IsMarked = block.IsMarked };
        }
        return messages;
    }

    /// <summary>Only a proof of the same family makes a thinking block that the provider takes.</summary>
    public static bool IsOwn(ThinkingPart thinking) =>
        thinking.Seal is { Kind: SealKind.Thinking or SealKind.Redacted } seal
        && (seal.Issuer.Length == 0 || SealEnvelope.IsIssuer(seal.Issuer, SealEnvelope.Anthropic));

    private static List<Part> Kept(Turn turn)
    {
        var kept = new List<Part>(turn.Parts.Count);
        foreach (Part part in turn.Parts)
        {
            Part? written = part switch
            {
                RefusalPart refusal => new TextPart(refusal.Text) { Path = part.Path },
                ThinkingPart thinking => turn.Role == TurnRole.Assistant && IsOwn(thinking) ? thinking : null,
                MediaPart media when turn.Role == TurnRole.Assistant => new TextPart($"[{media.Kind.ToString().ToLowerInvariant()} omitted]") { Path = part.Path },
                TextPart { Seal: not null } text => text with { Seal = null },
                _ => turn.Role != TurnRole.System || part is TextPart ? part : null,
            };
            if (written is not null) kept.Add(written);
        }
        return kept;
    }

    /// <summary>A Messages client means its last assistant turn to be gone on with; for the others it is a remark that the conversation ends in.</summary>
    private static string? AfterTrailing(ChatRequest request, List<Turn> turns, AnthropicTraits traits, ModelFacts facts)
    {
        if (request.Protocol != AnthropicNames.Protocol) return "Continue.";
        if (facts.HasPrefill) return null;
        if (traits.RefusesPrefill && turns is [.., { Role: TurnRole.Assistant } last]) throw RequestRefusal.Of(last.Path, AnthropicRequestWriter.Target);
        return GoOn;
    }
}
