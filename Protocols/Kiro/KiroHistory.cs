using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Turns as messages under the service's rules, whose breach it answers with "Improperly formed request." and nothing more.</summary>
/// <remarks>User and assistant take turns, the user begins and ends; each call is answered in the very next message, each result answers a call of the
/// message before; nothing is blank.</remarks>
public sealed class KiroHistory(KiroTraits traits)
{
    private const string GoOn = "Continue your last message exactly behind its last word. Do not repeat any of it.";

    /// <summary>The request with calls and turns in the order and with the ids that the service takes, and without what it has no place for.</summary>
    /// <param name="request">Named for the service's model.</param>
    /// <exception cref="ProtocolException">As <see cref="HistoryRepair.Apply"/>; or the client's unfinished last turn is refused.</exception>
    public ChatRequest Repaired(ChatRequest request)
    {
        KiroThinking way = traits.Catalog.ThinkingOf(request.Model);
        List<Turn> turns = [.. WithoutRepeats(request.Turns).Select(turn => turn with { Parts = Kept(turn, request.Model, way) }).Where(static turn => turn.Parts.Count > 0)];
        // A Messages client means its last assistant turn to be gone on with; for the others it is a remark that the conversation ends in.
        bool isPrefill = request.Protocol == "anthropic";
        if (isPrefill && traits.RefusesPrefill && turns is [.., { Role: TurnRole.Assistant } last]) throw RequestRefusal.Of(last.Path, KiroRequestWriter.Target);
        return HistoryRepair.Apply(request with { Turns = turns }, new HistoryRules
        {
            // Names get their own rules afterwards.
            MaxNameLength = int.MaxValue,
            IdsAreWords = true,
            MergesRoles = true,
            NeedsTurn = true,
            DropsEmptyText = true,
            AfterTrailingAssistant = isPrefill ? GoOn : traits.Texts.Continue,
        });
    }

    /// <summary>History first, the current message last.</summary>
    /// <param name="system">What stands before the conversation; empty: nothing.</param>
    /// <exception cref="ProtocolException">More than the service takes, or a part that it has no place for.</exception>
    public List<KiroMessage> Messages(ChatRequest repaired, string system)
    {
        var messages = new List<KiroMessage>();
        if (system.Length > 0)
        {
            messages.Add(Said(isUser: true, system, "system"));
            messages.Add(Said(isUser: false, traits.Texts.Acknowledged, "system"));
        }
        var parts = new KiroParts(traits);
        foreach (Turn turn in repaired.Turns)
        {
            bool isUser = turn.Role != TurnRole.Assistant;
            // "insert a user placeholder at the head if needed"; the answer to the system prompt is an assistant's message too.
            if (!isUser && messages is not [.., { IsUser: true }]) messages.Add(Said(isUser: true, traits.Texts.Continue, turn.Path));
            var message = new KiroMessage(isUser, turn.Path);
            messages.Add(message);
            foreach (Part part in turn.Parts)
            {
                if (isUser) parts.Add(message, part);
                else AddSpoken(message, part);
            }
        }
        KiroImages.Limit(messages, traits);
        CheckLengths(messages);
        return messages;
    }

    private static KiroMessage Said(bool isUser, string text, string path)
    {
        var message = new KiroMessage(isUser, path);
        message.Texts.Add(text);
        return message;
    }

    private static void AddSpoken(KiroMessage message, Part part)
    {
        switch (part)
        {
            case TextPart text: message.Texts.Add(text.Text.ToString()); break;
            case ToolCallPart call: message.Calls.Add(call); break;
            // A message has one place for thoughts; those next to the calls are the ones that are looked for.
            case ThinkingPart thinking: message.Reasoning = thinking; break;
        }
    }

    private void CheckLengths(List<KiroMessage> messages)
    {
        if (messages.Count - 1 > traits.Limits.MaxHistory)
            throw new ProtocolException(ErrorKind.ContextTooLong, $"{messages[^1].Path}: {messages.Count - 1} messages before this one, the upstream takes {traits.Limits.MaxHistory} at most", messages[^1].Path);
        foreach (KiroMessage message in messages)
        {
            int length = message.IsUser ? message.Content(traits.Texts).Length : 0;
            if (length > traits.Limits.MaxContent) throw KiroParts.TooLong(message.Path, length, traits.Limits.MaxContent);
        }
    }

    /// <summary>"duplicates: keep the first": a second result of a call says nothing new.</summary>
    private static IEnumerable<Turn> WithoutRepeats(IReadOnlyList<Turn> turns)
    {
        var calls = new List<string?>();
        var answered = new List<string?>();
        bool wasAssistant = false;
        foreach (Turn turn in turns)
        {
            bool isAssistant = turn.Role == TurnRole.Assistant;
            if (isAssistant && !wasAssistant)
            {
                calls.Clear();
                answered.Clear();
            }
            wasAssistant = isAssistant;
            var kept = new List<Part>(turn.Parts.Count);
            foreach (Part part in turn.Parts)
            {
                if (part is ToolCallPart call) calls.Add(call.Id);
                if (part is ToolResultPart { CallId: { Length: > 0 } id })
                {
                    int asked = calls.Count(one => one == id);
                    if (asked > 0 && answered.Count(one => one == id) == asked) continue;
                    answered.Add(id);
                }
                kept.Add(part);
            }
            yield return turn with { Parts = kept };
        }
    }

    private List<Part> Kept(Turn turn, string model, KiroThinking way)
    {
        var kept = new List<Part>(turn.Parts.Count);
        foreach (Part part in turn.Parts)
        {
            Part? written = part switch
            {
                RefusalPart refusal => new TextPart(refusal.Text) { Path = part.Path },
                ThinkingPart thinking => turn.Role == TurnRole.Assistant && IsOwn(thinking, model, way) ? thinking : null,
                MediaPart media when turn.Role == TurnRole.Assistant => new TextPart($"[{media.Kind.ToString().ToLowerInvariant()} omitted]") { Path = part.Path },
                ToolCallPart when turn.Role != TurnRole.Assistant => null,
                TextPart { Seal: not null } text => text with { Seal = null },
                _ => turn.Role != TurnRole.System || part is TextPart ? part : null,
            };
            if (written is not null) kept.Add(written);
        }
        return kept;
    }

    /// <summary>Only where thoughts come with a proof can they be given back, and only with a proof of the same model family, or of this very upstream.</summary>
    private bool IsOwn(ThinkingPart thinking, string model, KiroThinking way)
    {
        if (way is not (KiroThinking.Adaptive or KiroThinking.Effort) || thinking.Seal is not { } seal) return false;
        return KiroModels.IsClaude(model)
            ? seal.Kind is SealKind.Thinking or SealKind.Redacted && (seal.Issuer.Length == 0 || SealEnvelope.IsIssuer(seal.Issuer, SealEnvelope.Anthropic))
            : seal.Kind == SealKind.Encrypted && traits.Issuer.Length > 0 && SealEnvelope.IsIssuer(seal.Issuer, traits.Issuer);
    }
}
