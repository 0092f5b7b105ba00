namespace Aiproxy.Protocols.Model;

/// <summary>Brings a request into a form that a target accepts.</summary>
/// <remarks>Every call answered once and in order, legal ids and names, turns in an order that it takes. Pure: the same request gives the same result, a
/// repaired one stays as it is, and a longer conversation keeps the result of its beginning (prompt caches). Pairing looks at the nearest
/// preceding assistant turn only, since clients use the same ids again.</remarks>
public sealed class HistoryRepair
{
    private const string BillingHeader = "x-anthropic-billing-header:";

    private readonly HistoryRules _rules;
    private readonly List<Turn> _turns = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private int _assistantTurns;

    private HistoryRepair(HistoryRules rules) => _rules = rules;

    private sealed record Open(ToolCallPart Call, string? OriginalId, string OriginalName)
    {
        public ToolResultPart? Result { get; set; }
    }

    /// <exception cref="ProtocolException">A result that nothing tells the call of, a part at a place where it cannot be, two tools of one name, a choice of no
    /// tool, or nothing that asks for an answer.</exception>
    public static ChatRequest Apply(ChatRequest request, HistoryRules rules)
    {
        var repair = new HistoryRepair(rules);
        repair.Run(request.Turns);
        IReadOnlyList<TextPart> system = rules.KeepsBillingBlock ? request.System : WithoutBilling(request.System);
        if (repair._turns.Count == 0)
        {
            if (system.Count == 0) throw NothingSaid(request.Protocol);
            if (rules.NeedsTurn) repair._turns.Add(Said("Begin."));
        }
        List<ToolDefinition> tools = ToolRepair.Tools(request.Tools, rules);
        return request with
        {
            System = system,
            Turns = repair._turns,
            Tools = tools,
            ToolChoice = ToolRepair.Choice(request.ToolChoice, tools, rules),
        };
    }

    private void Run(IReadOnlyList<Turn> original)
    {
        List<Turn> turns = Prepare(original);
        for (int at = 0; at < turns.Count;)
        {
            var assistants = new List<Turn>();
            while (at < turns.Count && turns[at].Role == TurnRole.Assistant) assistants.Add(turns[at++]);
            var answers = new List<Turn>();
            while (at < turns.Count && turns[at].Role != TurnRole.Assistant) answers.Add(turns[at++]);
            Answer(Assistant(assistants), answers);
        }
        if (_rules.StartsWithUser && _turns is [{ Role: TurnRole.Assistant }, ..]) _turns.Insert(0, Said("(continued)"));
        if (_rules.AfterTrailingAssistant is { } text && _turns is [.., { Role: TurnRole.Assistant }]) _turns.Add(Said(text));
    }

    private static ProtocolException NothingSaid(string protocol)
    {
        string list = protocol switch { "responses" => "input", "gemini" => "contents", _ => "messages" };
        return new ProtocolException(ErrorKind.InvalidRequest, $"{list}: at least one message with content is required", list);
    }

    /// <summary>Drops what is empty and puts instructions in the middle into the form that the target knows.</summary>
    private List<Turn> Prepare(IReadOnlyList<Turn> original)
    {
        var turns = new List<Turn>(original.Count);
        foreach (Turn turn in original)
        {
            PartPlaces.Check(turn);
            IReadOnlyList<Part> parts = turn.Parts.Any(IsForeign) ? [.. turn.Parts.Select(part => IsForeign(part) ? ForeignText.Of((ForeignPart)part) : part).OfType<Part>()] : turn.Parts;
            if (_rules.DropsEmptyText) parts = WithoutEmptyText(parts);
            if (parts.Count == 0) continue;
            if (turn.Role == TurnRole.System && !_rules.KnowsMidSystem)
                turns.Add(new Turn(TurnRole.User, [.. parts.Select(Reminder)]) { Path = turn.Path });
            else
                turns.Add(turn with { Parts = parts });
        }
        return turns;
    }

    private bool IsForeign(Part part) => part is ForeignPart foreign && foreign.Protocol != _rules.OwnBlocks;

    private static Part Reminder(Part part) =>
        part is TextPart text ? text with { Text = new JsonText($"<system-reminder>\n{text.Text}\n</system-reminder>") } : part;

    /// <summary>A cache border on text that is dropped moves to the part before it.</summary>
    private static List<Part> WithoutEmptyText(IReadOnlyList<Part> parts)
    {
        var kept = new List<Part>(parts.Count);
        foreach (Part part in parts)
        {
            if (part is not TextPart { Seal: null } text || !text.Text.IsBlank) kept.Add(part);
            else if (part.CacheHint && kept.Count > 0) kept[^1] = kept[^1] with { CacheHint = true };
        }
        return kept;
    }

    /// <summary>Emits a run of assistant turns; returns the calls that wait for an answer.</summary>
    private List<Open> Assistant(List<Turn> run)
    {
        if (run.Count == 0) return [];

        // A call in the middle of a run could not be answered where the answers come.
        bool isOne = _rules.MergesRoles || run.SkipLast(1).Any(static turn => turn.Parts.Any(static part => part is ToolCallPart));
        if (isOne && run.Count > 1) run = [new Turn(TurnRole.Assistant, [.. run.SelectMany(static turn => turn.Parts)]) { Path = run[0].Path }];

        var open = new List<Open>();
        foreach (Turn turn in run)
        {
            var parts = new List<Part>(turn.Parts.Count);
            foreach (Part part in turn.Parts)
            {
                if (part is not ToolCallPart call)
                {
                    parts.Add(part);
                    continue;
                }
                ToolCallPart legal = ToolRepair.Call(call, _rules) with { Id = Identify(call, parts.Count) };
                open.Add(new Open(legal, call.Id, call.Name));
                parts.Add(legal);
            }
            _turns.Add(turn with { Parts = parts });
            _assistantTurns++;
        }
        return open;
    }

    private string Identify(ToolCallPart call, int part)
    {
        string id = string.IsNullOrEmpty(call.Id)
            ? CallIds.Derive(_assistantTurns, part, call.Name)
            : CallIds.For(call.Id, _rules.MaxIdLength, _rules.IdsAreWords);
        while (!_ids.Add(id)) id = CallIds.Derive(_assistantTurns, part, id);
        return id;
    }

    /// <summary>Emits what follows the assistant: first all results in the order of the calls, then the rest in its own order.</summary>
    private void Answer(List<Open> open, List<Turn> answers)
    {
        var rest = new List<Turn>(answers.Count);
        foreach (Turn turn in answers)
        {
            var parts = new List<Part>(turn.Parts.Count);
            foreach (Part part in turn.Parts)
            {
                if (part is not ToolResultPart result) parts.Add(part);
                else if (Match(open, result) is { } answered) answered.Result = result;
                else parts.AddRange(Orphan(result));
            }
            if (parts.Count > 0) rest.Add(turn with { Parts = parts });
        }

        List<Part> results = [.. open.Select(Result)];
        if (results.Count > 0)
        {
            string path = results[0].Path;
            if (rest is [{ Role: TurnRole.User } first, ..]) rest[0] = first with { Parts = [.. results, .. first.Parts] };
            else rest.Insert(0, new Turn(TurnRole.User, results) { Path = path });
        }
        foreach (Turn turn in rest)
        {
            if (_rules.MergesRoles && turn.Role == TurnRole.User && _turns is [.., { Role: TurnRole.User } last])
                _turns[^1] = last with { Parts = [.. last.Parts, .. turn.Parts] };
            else
                _turns.Add(turn);
        }
    }

    private static Part Result(Open open)
    {
        ToolResultPart result = open.Result ?? new ToolResultPart(null, null, [new TextPart("no result: the call was interrupted")])
        {
            Path = open.Call.Path,
            IsError = true,
        };
        return result with { CallId = open.Call.Id, Name = open.Call.Name, IsCustom = open.Call.IsCustom };
    }

    /// <summary>By id; without one by name, then by position.</summary>
    private static Open? Match(List<Open> open, ToolResultPart result)
    {
        if (!string.IsNullOrEmpty(result.CallId))
        {
            // Gemini's calls may have no id although a client makes one up for the response.
            return open.Find(one => one.Result is null && one.OriginalId == result.CallId)
                ?? open.Find(one => one.Result is null && string.IsNullOrEmpty(one.OriginalId) && (string.IsNullOrEmpty(result.Name) || one.OriginalName == result.Name));
        }
        return open.Find(one => one.Result is null && one.OriginalName == result.Name)
            ?? (result.Name is { Length: > 0 } && open.Exists(one => one.OriginalName == result.Name) ? null : open.Find(static one => one.Result is null))
            ?? throw new ProtocolException(ErrorKind.InvalidRequest, $"{result.Path}: a tool result that belongs to no call", result.Path);
    }

    /// <summary>Compaction leaves such rests; as a result they would be refused, as text they still inform.</summary>
    private static IEnumerable<Part> Orphan(ToolResultPart result)
    {
        string text = string.Join("\n", result.Content.OfType<TextPart>().Select(static part => part.Text.ToString()));
        yield return new TextPart(new JsonText("[result of an unknown tool call] " + text)) { Path = result.Path };
        foreach (Part part in result.Content)
        {
            if (part is not TextPart) yield return part;
        }
    }

    private static IReadOnlyList<TextPart> WithoutBilling(IReadOnlyList<TextPart> system)
    {
        if (system is not [var first, ..]) return system;
        string text = first.Text.ToString();
        if (!text.StartsWith(BillingHeader, StringComparison.OrdinalIgnoreCase)) return system;
        int lineEnd = text.IndexOf('\n');
        string left = lineEnd < 0 ? "" : text[(lineEnd + 1)..].TrimStart('\n', '\r');
        return left.Length == 0 ? [.. system.Skip(1)] : [first with { Text = new JsonText(left) }, .. system.Skip(1)];
    }

    private static Turn Said(string text) => new(TurnRole.User, [new TextPart(new JsonText(text))]);
}
