using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>One content as it will be written.</summary>
public sealed record GeminiContent(bool IsModel)
{
    public List<GeminiPart> Parts { get; } = [];

    /// <summary>The user alone speaks here: a turn begins. Words beside a function's results may still be the same turn.</summary>
    public bool IsSpoken => !IsModel && Parts.Count > 0 && !Parts.Exists(part => part.Part is ToolResultPart);
}

/// <summary>A part and the signature that it carries; null: none.</summary>
public sealed record GeminiPart(Part Part, string? Signature = null);

/// <summary>Turns as contents under this protocol's rules: neighbours of one role are one content, responses come first, the user begins and ends.</summary>
public sealed class GeminiConversation(ChatRequest request, ModelFacts facts)
{
    private readonly List<GeminiContent> _contents = [];
    private readonly bool _isClaude = GeminiNames.IsClaude(request.Model);

    /// <summary>The request with calls and turns in the order, names and ids that the provider takes, and without what it has no place for.</summary>
    /// <exception cref="ProtocolException">As <see cref="HistoryRepair.Apply"/>; or the client's unfinished last turn is refused.</exception>
    public static ChatRequest Repaired(ChatRequest request, GeminiTraits traits)
    {
        bool isClaude = GeminiNames.IsClaude(request.Model);
        List<Turn> turns = [.. request.Turns.Select(turn => turn with { Parts = [.. turn.Parts.Where(part => IsKept(part, isClaude))] }).Where(turn => turn.Parts.Count > 0)];
        // A Messages client means its last assistant turn to be gone on with; for the others it is a remark that the conversation ends in.
        bool isPrefill = request.Protocol == "anthropic";
        if (isPrefill && traits.RefusesPrefill && turns is [.., { Role: TurnRole.Assistant } last])
            throw RequestRefusal.Of(last.Path, GeminiRequestWriter.Target);
        return HistoryRepair.Apply(request with { Turns = turns }, new HistoryRules
        {
            MaxNameLength = 64,
            NamesAreLed = true,
            MaxIdLength = int.MaxValue,
            MergesRoles = true,
            StartsWithUser = true,
            NeedsTurn = true,
            DropsEmptyText = true,
            OwnBlocks = GeminiNames.Protocol,
            AfterTrailingAssistant = isPrefill ? "Continue your last message exactly behind its last word. Do not repeat any of it." : "Continue.",
        });
    }

    public List<GeminiContent> Build()
    {
        if (!facts.HasSystem) AddSystemAsText();
        foreach (Turn turn in request.Turns)
        {
            if (turn.Role == TurnRole.Assistant) AddModelTurn(turn);
            else AddUserTurn(turn);
        }
        if (facts.IsGemini3) FillSignatures();
        return _contents;
    }

    private static bool IsKept(Part part, bool isClaude) => part is not ThinkingPart || Own(part, isClaude) is not null;

    private void AddUserTurn(Turn turn)
    {
        foreach (Part part in turn.Parts)
        {
            if (part is ThinkingPart) continue;
            Last(isModel: false).Parts.Add(new GeminiPart(part));
        }
    }

    private void AddModelTurn(Turn turn)
    {
        GeminiContent content = Last(isModel: true);
        string? carried = null;
        foreach (Part part in turn.Parts)
        {
            string? own = Own(part, _isClaude);
            if (part is ThinkingPart thinking)
            {
                // An empty one is how a client of another protocol kept the signature of the call behind it.
                Release(content, ref carried);
                if (thinking.Text.IsEmpty && !_isClaude) carried = own;
                else content.Parts.Add(new GeminiPart(thinking, own));
            }
            else if (part is ToolCallPart)
            {
                content.Parts.Add(new GeminiPart(part, own ?? carried));
                carried = null;
            }
            else
            {
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

    /// <summary>The part's signature where it is one of the model's family.</summary>
    private static string? Own(Part part, bool isClaude)
    {
        Seal? seal = part switch { ThinkingPart thinking => thinking.Seal, ToolCallPart call => call.Seal, TextPart text => text.Seal, _ => null };
        (SealKind kind, string family) = isClaude ? (SealKind.Thinking, SealEnvelope.Anthropic) : (SealKind.Thought, SealEnvelope.Gemini);
        return seal is not null && seal.Kind == kind && (seal.Issuer.Length == 0 || SealEnvelope.IsIssuer(seal.Issuer, family)) ? seal.Value : null;
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

    /// <summary>Only the current turn is validated: what follows the last content in which the user speaks. The first call of each step must be
    /// signed.</summary>
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
