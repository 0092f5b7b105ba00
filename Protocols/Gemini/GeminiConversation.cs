using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>One content as it will be written.</summary>
public sealed record GeminiContent(bool IsModel)
{
    public List<GeminiPart> Parts { get; } = [];

    /// <summary>The user says something here, not only functions.</summary>
    public bool IsSpoken => !IsModel && Parts.Exists(part => part.Part is not ToolResultPart);
}

/// <summary>A part and the signature that it carries; null: none.</summary>
public sealed record GeminiPart(Part Part, string? Signature = null);

/// <summary>Turns as contents under this protocol's rules: neighbours of one role are one content, responses come first, the user begins and ends.</summary>
/// <remarks>Expects each call answered in the next user turn already.</remarks>
public sealed class GeminiConversation(ChatRequest request, GeminiTraits traits, ModelFacts facts)
{
    private readonly List<GeminiContent> _contents = [];

    public List<GeminiContent> Build()
    {
        if (!facts.HasSystem) AddSystemAsText();
        foreach (Turn turn in request.Turns)
        {
            if (turn.Role == TurnRole.System) AddInstruction(turn);
            else if (turn.Role == TurnRole.Assistant) AddModelTurn(turn);
            else AddUserTurn(turn);
        }
        _contents.RemoveAll(content => content.Parts.Count == 0);
        foreach (GeminiContent content in _contents) ResponsesFirst(content);
        if (_contents.Count == 0) AddText("Begin.");
        if (_contents[0].IsModel)
        {
            var opening = new GeminiContent(IsModel: false);
            opening.Parts.Add(new GeminiPart(new TextPart("(continued)")));
            _contents.Insert(0, opening);
        }
        if (_contents[^1].IsModel) Trail();
        if (facts.IsGemini3) FillSignatures();
        return _contents;
    }

    private void AddUserTurn(Turn turn)
    {
        foreach (Part part in turn.Parts)
        {
            if (part is TextPart { Text.IsEmpty: true } or ThinkingPart || IsForeign(part)) continue;
            Last(isModel: false).Parts.Add(new GeminiPart(part));
        }
    }

    private void AddModelTurn(Turn turn)
    {
        GeminiContent content = Last(isModel: true);
        string? carried = null;
        foreach (Part part in turn.Parts)
        {
            string? own = Own(part);
            if (part is ThinkingPart thinking)
            {
                // An empty one is how a client of another protocol kept the signature of the call behind it.
                if (own is null) continue;
                Release(content, ref carried);
                if (thinking.Text.IsEmpty) carried = own;
                else content.Parts.Add(new GeminiPart(thinking, own));
            }
            else if (part is ToolCallPart)
            {
                content.Parts.Add(new GeminiPart(part, own ?? carried));
                carried = null;
            }
            else if (part is not TextPart { Text.IsEmpty: true } || own is not null)
            {
                if (IsForeign(part)) continue;
                Release(content, ref carried);
                content.Parts.Add(new GeminiPart(part is RefusalPart refusal ? new TextPart(refusal.Text) : part, own));
            }
        }
        Release(content, ref carried);
    }

    private static void Release(GeminiContent content, ref string? carried)
    {
        if (carried is not null) content.Parts.Add(new GeminiPart(new TextPart(""), carried));
        carried = null;
    }

    /// <summary>The part's signature where it is one of this family.</summary>
    private static string? Own(Part part)
    {
        Seal? seal = part switch { ThinkingPart thinking => thinking.Seal, ToolCallPart call => call.Seal, TextPart text => text.Seal, _ => null };
        return seal is { Kind: SealKind.Thought } && (seal.Issuer.Length == 0 || SealEnvelope.IsIssuer(seal.Issuer, SealEnvelope.Gemini)) ? seal.Value : null;
    }

    private static bool IsForeign(Part part) => part is ForeignPart foreign && foreign.Protocol != GeminiNames.Protocol;

    private void AddInstruction(Turn turn)
    {
        foreach (Part part in turn.Parts)
        {
            if (part is TextPart { Text.IsBlank: false } text) AddText($"<system-reminder>\n{text.Text}\n</system-reminder>");
        }
    }

    private void AddSystemAsText()
    {
        foreach (TextPart part in GeminiRequestWriter.System(request)) AddText(part.Text.ToString());
    }

    private void AddText(string text) => Last(isModel: false).Parts.Add(new GeminiPart(new TextPart(text)));

    private GeminiContent Last(bool isModel)
    {
        if (_contents.Count == 0 || _contents[^1].IsModel != isModel) _contents.Add(new GeminiContent(isModel));
        return _contents[^1];
    }

    private static void ResponsesFirst(GeminiContent content)
    {
        if (content.IsModel) return;
        List<GeminiPart> sorted = [.. content.Parts.OrderBy(part => part.Part is ToolResultPart ? 0 : 1)];
        content.Parts.Clear();
        content.Parts.AddRange(sorted);
    }

    /// <summary>A Messages client means its last assistant turn to be gone on with; for the others it is a remark that the conversation ends in.</summary>
    private void Trail()
    {
        bool isPrefill = request.Protocol == "anthropic";
        if (isPrefill && traits.RefusesPrefill) throw RequestRefusal.Of(request.Turns[^1].Path, GeminiRequestWriter.Target);
        AddText(isPrefill ? "Continue your last message exactly behind its last word. Do not repeat any of it." : "Continue.");
    }

    /// <summary>Only the current turn is validated: what follows the last content in which the user speaks. The first call of each step must be signed.</summary>
    private void FillSignatures()
    {
        int current = _contents.FindLastIndex(content => content.IsSpoken);
        foreach (GeminiContent content in _contents.Skip(current + 1))
        {
            int first = content.Parts.FindIndex(part => part.Part is ToolCallPart);
            if (content.IsModel && first >= 0 && !content.Parts.Exists(part => part is { Part: ToolCallPart, Signature: not null }))
            {
                content.Parts[first] = content.Parts[first] with { Signature = GeminiNames.NoSignature };
            }
        }
    }
}
