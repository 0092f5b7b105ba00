using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Google;

/// <summary>The contents of a request under the rules of the model's family: roles, thoughts and their signatures, pairs of calls and responses.</summary>
/// <remarks>What is told stays; only what the model would refuse is dropped. A history that was translated here is in order already and keeps its parts.</remarks>
/// <param name="dropsProofs">Without any signature: the provider took one of them for another's.</param>
/// <param name="signatures">Puts Claude's signatures back into the form in which they came; null: they did not pass through a translation.</param>
public sealed class History(GoogleModel model, bool dropsProofs, ClaudeSignatures? signatures)
{
    private readonly List<HistoryContent> _contents = [];

    /// <summary>Calls of the last model content that no response was found for.</summary>
    private readonly List<HistoryPart> _open = [];

    private int _calls;

    public IReadOnlyList<HistoryContent> Contents => _contents;

    /// <summary>What the user said first; empty: nothing.</summary>
    public string FirstUserText => _contents.Where(static content => !content.IsModel).SelectMany(static content => content.Parts).Select(static part => part.Text).FirstOrDefault(static text => text is { Length: > 0 }) ?? "";

    /// <summary>The model goes on behind calls of its own that came with no thought: Claude refuses to think then.</summary>
    public bool EndsInUnprovenCalls
    {
        get
        {
            HistoryContent? step = _contents.Skip(LastSpoken + 1).LastOrDefault(static content => content.IsModel);
            return step is { HasCalls: true } && !step.Parts.Exists(static part => part.Kind == HistoryPartKind.Thought);
        }
    }

    private int LastSpoken => _contents.FindLastIndex(static content => content.IsSpoken);

    /// <param name="contents">As the request told them, one by one.</param>
    public History Read(IEnumerable<JsonElement> contents)
    {
        var spoken = new List<HistoryPart>();
        foreach (JsonElement content in contents)
        {
            OrderedDictionary<string, JsonElement> members = ProtoNames.Members(content);
            // "other or missing → user"
            bool isModel = members.TryGetValue("role", out JsonElement role) && role.ValueKind == JsonValueKind.String
                && JsonFields.Decode(role) is "model" or "MODEL" or "assistant";
            List<HistoryPart> parts = [.. ProtoNames.Items(members, "parts").Where(static part => part.ValueKind == JsonValueKind.Object).Select(static part => new HistoryPart(part))];
            // Neighbouring contents of the model are one: a library keeps each piece of a stream as a content.
            if (isModel)
            {
                spoken.AddRange(parts);
                continue;
            }
            if (parts.TrueForAll(static part => part.IsNothing)) continue;
            Add(isModel: true, spoken);
            spoken = [];
            Add(isModel: false, parts);
        }
        Add(isModel: true, spoken);
        // "insert a short user turn if history starts with model"
        if (_contents is [{ IsModel: true }, ..]) _contents.Insert(0, new HistoryContent(false, [Said("(continued)")]));
        if (model.IsGemini3) FillSignatures();
        return this;
    }

    public void Write(Utf8JsonWriter writer, FunctionNames names)
    {
        writer.WriteStartArray("contents"u8);
        foreach (HistoryContent content in _contents)
        {
            writer.WriteStartObject();
            writer.WriteString("role"u8, content.IsModel ? "model"u8 : "user"u8);
            writer.WriteStartArray("parts"u8);
            foreach (HistoryPart part in content.Parts) part.Write(writer, names);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private void Add(bool isModel, List<HistoryPart> parts)
    {
        if (dropsProofs)
            foreach (HistoryPart part in parts) part.Signature = null;
        parts = isModel ? OfModel(parts) : OfUser(parts);
        if (parts.Count == 0) return;
        // "all in the very next user turn": libraries tell the responses to one turn one by one.
        bool goesOn = !isModel && _contents is [.., { IsModel: false } last] && last.Parts.TrueForAll(static part => part.Kind == HistoryPartKind.Response) && parts.TrueForAll(static part => part.Kind == HistoryPartKind.Response);
        if (goesOn) _contents[^1].Parts.AddRange(parts);
        else _contents.Add(new HistoryContent(isModel, parts));
        if (isModel) Open(parts);
    }

    private List<HistoryPart> OfModel(List<HistoryPart> parts)
    {
        if (model.IsClaude) parts = OfClaude(parts);
        else if (model.IsGemini) parts.RemoveAll(static part => part.Kind == HistoryPartKind.Thought && part.Signature is null);
        else parts = [.. parts.Where(static part => part.Kind != HistoryPartKind.Thought).Select(Unsigned)];
        parts.RemoveAll(static part => part.IsNothing);
        // "thought parts → text → functionCall"
        return model.IsAntigravity ? [.. parts.OrderBy(static part => part.Kind switch { HistoryPartKind.Thought => 0, HistoryPartKind.Call => 2, _ => 1 })] : parts;
    }

    private List<HistoryPart> OfUser(List<HistoryPart> parts)
    {
        foreach (HistoryPart part in parts)
        {
            part.Signature = null;
            if (part.Kind == HistoryPartKind.Response) Pair(part);
        }
        parts.RemoveAll(static part => part.IsNothing);
        return parts;
    }

    /// <summary>Claude's signature comes with the last piece of its thoughts, or on an empty text behind them. A thought without one goes, and no other part bears one.</summary>
    private List<HistoryPart> OfClaude(List<HistoryPart> parts)
    {
        var kept = new List<HistoryPart>(parts.Count);
        var run = new List<HistoryPart>();
        foreach (HistoryPart part in parts)
        {
            if (part.Kind == HistoryPartKind.Thought) run.Add(part);
            if (run.Count > 0 && part.Signature is { } signature && (part.Kind == HistoryPartKind.Thought || part.IsEmptyText))
            {
                kept.Add(HistoryPart.Joined(run, signatures?.ToProvider(signature) ?? signature));
                run.Clear();
            }
            else if (part.Kind != HistoryPartKind.Thought)
            {
                run.Clear();
                kept.Add(Unsigned(part));
            }
        }
        return kept;
    }

    private static HistoryPart Unsigned(HistoryPart part)
    {
        part.Signature = null;
        return part;
    }

    /// <summary>What is not Gemini itself knows its calls by their ids.</summary>
    private void Open(List<HistoryPart> parts)
    {
        _open.Clear();
        foreach (HistoryPart call in parts.Where(static part => part.Kind == HistoryPartKind.Call))
        {
            if (!model.IsGemini) call.Id ??= CallIds.Derive(_contents.Count, _calls, call.Name);
            _calls++;
            _open.Add(call);
        }
    }

    private void Pair(HistoryPart response)
    {
        HistoryPart? call = response.Id is { } id ? _open.Find(one => one.Id == id) : _open.Find(one => one.Name == response.Name);
        if (call is null) return;
        _open.Remove(call);
        if (!model.IsGemini) response.Id ??= call.Id;
    }

    /// <summary>Only the current turn is validated: what follows the last content in which the user speaks. Siblings of a call have no signature of their own.</summary>
    private void FillSignatures()
    {
        foreach (HistoryContent content in _contents.Skip(LastSpoken + 1))
        {
            List<HistoryPart> calls = content.IsModel ? content.Parts.FindAll(static part => part.Kind == HistoryPartKind.Call) : [];
            if (calls.Count > 0 && calls.TrueForAll(static call => call.Signature is null)) calls[0].Signature = GeminiNames.NoSignature;
        }
    }

    private static HistoryPart Said(string text)
    {
        using JsonDocument part = JsonDocument.Parse("{\"text\":\"" + text + "\"}");
        return new HistoryPart(part.RootElement.Clone());
    }
}
