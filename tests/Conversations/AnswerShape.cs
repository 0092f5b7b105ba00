using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Conversations;

/// <summary>What an answer says, as far as a protocol can say it. Made of what was written and of what was read back: both must be the same.</summary>
/// <param name="Content">Texts and calls in order, in words for a test's message.</param>
/// <param name="Proofs">Unwrapped, in order.</param>
/// <param name="Sources">Each with the piece of text that rests on it.</param>
public sealed record AnswerShape(IReadOnlyList<string> Content, IReadOnlyList<string> Proofs, IReadOnlyList<string> Sources, string End, TokenUsage Usage)
{
    /// <param name="request">What the answer is to: it says whether thinking is shown.</param>
    /// <param name="names">What the client calls its tools; null: the answer has been written for the client already.</param>
    /// <param name="keepsBroken">Calls whose arguments a limit cut are told as they are.</param>
    /// <param name="made">Which calls had no id, so that the writer made one up.</param>
    public static AnswerShape Of(SinkRecorder recorder, Speech speech, ChatRequest request, ToolNames? names, bool keepsBroken, IReadOnlyList<bool> made)
    {
        int calls = 0;
        var items = new List<(string Kind, string Text)>();
        var proofs = new List<string>();
        var sources = new List<string>();
        string blank = "";
        bool shows = request.Reasoning?.Visible ?? speech.ShowsByDefault, hasRefusal = false, hasCall = false;
        foreach (RecordedBlock block in recorder.Blocks)
        {
            if (Proof(block, speech) is { } proof) proofs.Add(proof);
            string text = block.Text;
            if (!speech.BlankTexts && block.Kind is BlockKind.Text or BlockKind.Refusal)
            {
                text = blank + text;
                (text, blank) = string.IsNullOrWhiteSpace(text) ? ("", text) : (text, "");
            }
            if (text.Length > 0) sources.AddRange(block.Citations.Where(speech.Cites).Select(citation => Source(citation, text)));
            switch (block.Kind)
            {
                case BlockKind.Text:
                    items.Add(("text", text));
                    break;
                case BlockKind.Refusal:
                    hasRefusal |= !speech.SpokenRefusal;
                    items.Add((speech.SpokenRefusal ? "refusal" : "text", text));
                    break;
                case BlockKind.Thinking when shows:
                    items.Add(("thinking", block.Text));
                    break;
                case BlockKind.ToolCall or BlockKind.CustomToolCall:
                    string id = made[calls++] ? "?" : block.Id;
                    string? call = Call(block, id, speech, names?.Find(block.Name));
                    hasCall |= call is not null;
                    if (call is not null || keepsBroken) items.Add(("call", call ?? $"{id} {block.Name} cut {block.Text}"));
                    break;
            }
        }
        items.RemoveAll(item => item.Text.Length == 0);
        string[] content = [.. Join(items, speech.Joins).Select(item => $"{item.Kind}: {item.Text}")];
        return new AnswerShape(content, proofs, [.. sources.Order(StringComparer.Ordinal)], EndOf(recorder, speech, hasRefusal, hasCall), UsageOf(recorder, speech));
    }

    private static string Source(Citation citation, string text)
    {
        Rune[] characters = [.. text.EnumerateRunes()];
        IEnumerable<Rune> piece = characters.Take((int)(citation.End ?? characters.Length)).Skip((int)(citation.Start ?? 0));
        return $"{citation.Url} {citation.Title} <{string.Concat(piece)}>";
    }

    /// <summary>Null: the arguments are cut.</summary>
    private static string? Call(RecordedBlock block, string id, Speech speech, ToolDefinition? tool)
    {
        string name = tool is null ? block.Name : ToolNames.Flat(tool);
        if (block.Kind == BlockKind.CustomToolCall)
            return speech.CustomCalls ? $"{id} {name} custom {block.Text}" : $$"""{{id}} {{name}} {"input":"{{block.Raw}}"}""";
        string arguments = block.Text.Trim();
        if (arguments.Length == 0) arguments = "{}";
        try
        {
            using JsonDocument document = JsonDocument.Parse(arguments, new JsonDocumentOptions { MaxDepth = 300 });
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            if (speech.CustomCalls && tool?.Kind == ToolKind.Custom) return $"{id} {name} custom {document.RootElement.GetProperty("input").GetString()}";
            return $"{id} {name} {(document.RootElement.GetPropertyCount() == 0 ? "{}" : arguments)}";
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Proof(RecordedBlock block, Speech speech)
    {
        if (block.Seal.Length == 0) return null;
        int space = block.Seal.IndexOf(' ');
        SealKind kind = Enum.Parse<SealKind>(block.Seal[..space]);
        string value = block.Seal[(space + 1)..];
        if (SealEnvelope.Unwrap(value) is var (seal, _)) return seal.Kind == SealKind.None ? null : $"{seal.Kind} {seal.Value}";
        return kind == SealKind.None || !speech.Proofs(block.Kind, kind) ? null : $"{kind} {value}";
    }

    private static List<(string Kind, string Text)> Join(List<(string Kind, string Text)> items, Joins joins)
    {
        var joined = new List<(string Kind, string Text)>();
        foreach ((string kind, string text) in items)
        {
            int at = kind == "call" || joins == Joins.Never ? -1
                : joins == Joins.Kinds ? joined.FindIndex(item => item.Kind == kind)
                : joined.Count > 0 && joined[^1].Kind == kind ? joined.Count - 1 : -1;
            if (at < 0) joined.Add((kind, text));
            else joined[at] = (kind, joined[at].Text + text);
        }
        return joins == Joins.Kinds ? [.. joined.OrderBy(item => item.Kind, StringComparer.Ordinal)] : joined;
    }

    private static string EndOf(SinkRecorder recorder, Speech speech, bool hasRefusal, bool hasCall)
    {
        if (recorder.Error is not null) return "failed";
        FinishReason reason = recorder.Finished ?? throw new InvalidOperationException("the answer has no end");
        if (speech.Ends.TryGetValue(reason, out FinishReason other)) reason = other;
        if (reason == FinishReason.ToolUse && !hasCall) reason = FinishReason.EndTurn;
        if (reason == FinishReason.EndTurn && hasCall) reason = FinishReason.ToolUse;
        if (reason == FinishReason.EndTurn && hasRefusal && speech.Name == "anthropic") reason = FinishReason.Refusal;
        return speech.Stops && recorder.StopSequence.Length > 0 ? $"{reason} {recorder.StopSequence}" : reason.ToString();
    }

    private static TokenUsage UsageOf(SinkRecorder recorder, Speech speech)
    {
        TokenUsage told = recorder.Total;
        long write = told.CacheWrite ?? 0, hour = told.CacheWriteHour ?? 0;
        return new TokenUsage
        {
            Input = (told.Input ?? 0) + (speech.CacheWrites ? 0 : write + hour),
            CacheRead = told.CacheRead ?? 0,
            CacheWrite = !speech.CacheWrites ? 0 : speech.Lifetimes ? write : write + hour,
            CacheWriteHour = speech is { CacheWrites: true, Lifetimes: true } ? hour : 0,
            Output = told.Output ?? 0,
            Reasoning = told.Reasoning ?? 0,
        };
    }
}
