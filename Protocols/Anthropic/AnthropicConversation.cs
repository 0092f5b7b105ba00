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
    public bool IsMarked { get; set; } = Part.CacheHint;
}

/// <summary>Turns as messages under this protocol's rules: neighbours of one role are one message, results come first, the user begins, nothing is empty.</summary>
/// <remarks>Expects each call answered in the next user turn already.</remarks>
public sealed class AnthropicConversation(ChatRequest request, AnthropicTraits traits, ModelFacts facts)
{
    private readonly List<AnthropicMessage> _messages = [];

    public List<AnthropicMessage> Build()
    {
        foreach (Turn turn in request.Turns)
        {
            if (turn.Role == TurnRole.System) AddInstruction(turn);
            else AddTurn(turn);
        }
        _messages.RemoveAll(message => message.Blocks.Count == 0);
        foreach (AnthropicMessage message in _messages) ResultsFirst(message);
        if (_messages.Count == 0) AddText("user", "Begin.");
        if (_messages[0].Role != "user")
        {
            var opening = new AnthropicMessage("user");
            opening.Blocks.Add(new AnthropicBlock(new TextPart("(continued)")));
            _messages.Insert(0, opening);
        }
        if (_messages[^1].Role == "assistant") Trail(_messages[^1]);
        return _messages;
    }

    private void AddTurn(Turn turn)
    {
        string role = turn.Role == TurnRole.Assistant ? "assistant" : "user";
        foreach (Part part in turn.Parts)
        {
            if (Kept(part, turn.Role) is { } kept) Last(role).Blocks.Add(new AnthropicBlock(kept) { IsMarked = part.CacheHint && kept is not ThinkingPart });
            else if (part.CacheHint) MarkPrevious();
        }
    }

    /// <summary>What the target can hold of a part; null: nothing.</summary>
    private static Part? Kept(Part part, TurnRole role) => part switch
    {
        // "text content blocks must be non-empty"
        TextPart { Text.IsBlank: true } => null,
        RefusalPart refusal => refusal.Text.IsBlank ? null : new TextPart(refusal.Text) { Path = part.Path },
        ThinkingPart thinking => role == TurnRole.Assistant && IsOwn(thinking) ? thinking : null,
        MediaPart media when role == TurnRole.Assistant => new TextPart($"[{media.Kind.ToString().ToLowerInvariant()} omitted]") { Path = part.Path },
        ForeignPart foreign => foreign.Protocol == AnthropicNames.Protocol ? foreign : null,
        _ => part,
    };

    /// <summary>Only a proof of the same family makes a thinking block that the provider takes.</summary>
    public static bool IsOwn(ThinkingPart thinking) =>
        thinking.Seal is { Kind: SealKind.Thinking or SealKind.Redacted } seal && (seal.Issuer.Length == 0 || SealEnvelope.IsIssuer(seal.Issuer, SealEnvelope.Anthropic));

    private void AddInstruction(Turn turn)
    {
        bool isNative = facts.HasMidSystem && _messages.Count > 0 && _messages[^1].Role is "user" or "system" && _messages[^1].Blocks.Count > 0;
        foreach (Part part in turn.Parts)
        {
            if (part is not TextPart { Text.IsBlank: false } text) continue;
            if (isNative) Last("system").Blocks.Add(new AnthropicBlock(text));
            else Last("user").Blocks.Add(new AnthropicBlock(new TextPart($"<system-reminder>\n{text.Text}\n</system-reminder>") { Path = text.Path, CacheHint = text.CacheHint }));
        }
    }

    private AnthropicMessage Last(string role)
    {
        if (_messages.Count == 0 || _messages[^1].Role != role) _messages.Add(new AnthropicMessage(role));
        return _messages[^1];
    }

    private void MarkPrevious()
    {
        if (_messages.Count > 0 && _messages[^1].Blocks.Count > 0 && _messages[^1].Blocks[^1].Part is not ThinkingPart) _messages[^1].Blocks[^1].IsMarked = true;
    }

    private static void ResultsFirst(AnthropicMessage message)
    {
        if (message.Role != "user") return;
        List<AnthropicBlock> sorted = [.. message.Blocks.OrderBy(block => block.Part is ToolResultPart ? 0 : 1)];
        message.Blocks.Clear();
        message.Blocks.AddRange(sorted);
    }

    /// <summary>A Messages client means its last assistant turn to be gone on with; for the others it is a remark that the conversation ends in.</summary>
    private void Trail(AnthropicMessage last)
    {
        if (request.Protocol != AnthropicNames.Protocol)
        {
            AddText("user", "Continue.");
        }
        else if (!facts.HasPrefill)
        {
            if (traits.RefusesPrefill) throw RequestRefusal.Of(request.Turns[^1].Path, AnthropicRequestWriter.Target);
            AddText("user", "Continue your last message exactly behind its last word. Do not repeat any of it.");
        }
        else if (last.Blocks[^1] is { Part: TextPart text } block)
        {
            // "final assistant content cannot end with trailing whitespace"
            last.Blocks[^1] = new AnthropicBlock(new TextPart(text.Text.ToString().TrimEnd()) { Path = text.Path }) { IsMarked = block.IsMarked };
        }
    }

    private void AddText(string role, string text) => Last(role).Blocks.Add(new AnthropicBlock(new TextPart(text)));
}
