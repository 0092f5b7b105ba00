using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Item = Aiproxy.Protocols.OpenAIResponses.OpenAIResponsesItemList.Item;
using ItemKind = Aiproxy.Protocols.OpenAIResponses.OpenAIResponsesItemList.ItemKind;
using Part = Aiproxy.Protocols.OpenAIResponses.OpenAIResponsesItemList.Part;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>The output items of one answer on their way into a sink.</summary>
/// <remarks>Keeps apart what was streamed from what only a <c>done</c> or terminal event tells.
/// Nothing is told to the sink twice.</remarks>
public sealed class OpenAIResponsesItems(IResponseSink sink)
{
    private readonly BlockNumbers _blocks = new();
    private readonly OpenAIResponsesItemList _items = new();

    /// <summary>A client tool was called.</summary>
    public bool HasCalls { get; private set; }

    /// <summary>Arguments came, but never a name.</summary>
    public bool HasNameless => _items.All.Exists(static item => item.IsCall && item.Block < 0);

    public void Added(in ResponsesEvent told)
    {
        Item? known = _items.Find(told);
        if (known is null || OpenAIResponsesItemList.IsOther(known, told.Item, isAnnounced: true)) Announce(Begin(told.OutputIndex ?? _items.All.Count, told.Item));
        else if (known.IsCall) Name(known, told.Item);
    }

    /// <summary>A delta of a message's part.</summary>
    public void PartDelta(in ResponsesEvent told, BlockKind kind) =>
        PushPart(FindOrBegin(told, ItemKind.Message), told.ContentIndex ?? 0, kind, told.Delta);

    /// <summary>The whole text of a part: news only where no delta came.</summary>
    public void PartDone(in ResponsesEvent told, BlockKind kind, ReadOnlySpan<byte> text)
    {
        Item item = FindOrBegin(told, ItemKind.Message);
        long index = told.ContentIndex ?? 0;
        if (!HasText(item, index)) PushPart(item, index, kind, text);
        if (item.Parts.TryGetValue(index, out Part? part)) End(part);
    }

    /// <summary>A source of a message's part.</summary>
    public void Annotated(in ResponsesEvent told)
    {
        if (_items.Find(told, ItemKind.Message) is not { IsDone: false } item || !item.Parts.TryGetValue(told.ContentIndex ?? 0, out Part? part)) return;
        part.HasSources = true;
        Cite(part, told.Annotation);
    }

    public void ArgumentsDelta(in ResponsesEvent told, bool isCustom) =>
        PushArguments(FindOrBegin(told, isCustom ? ItemKind.Custom : ItemKind.Call), told.Delta);

    public void ArgumentsDone(in ResponsesEvent told, bool isCustom, ReadOnlySpan<byte> whole)
    {
        Item item = FindOrBegin(told, isCustom ? ItemKind.Custom : ItemKind.Call);
        if (!item.HasText) PushArguments(item, whole);
    }

    /// <param name="isRaw">Reasoning text itself, not a summary. Servers that send both send the same thought twice: the kind that came first counts.</param>
    public void ReasoningDelta(in ResponsesEvent told, bool isRaw) =>
        PushReasoning(FindOrBegin(told, ItemKind.Reasoning), isRaw, (isRaw ? told.ContentIndex : told.SummaryIndex) ?? 0, told.Delta);

    public void ReasoningDone(in ResponsesEvent told, bool isRaw, ReadOnlySpan<byte> text)
    {
        Item item = FindOrBegin(told, ItemKind.Reasoning);
        long index = (isRaw ? told.ContentIndex : told.SummaryIndex) ?? 0;
        if (!item.HasText || (item.IsRaw == isRaw && item.LastPart < index)) PushReasoning(item, isRaw, index, text);
    }

    public void Done(in ResponsesEvent told)
    {
        if (!JsonSlice.IsObject(told.Item)) return;
        Item item = _items.Find(told) is { } known && !OpenAIResponsesItemList.IsOther(known, told.Item, isAnnounced: false) ? known : Begin(told.OutputIndex ?? _items.All.Count, told.Item);
        Complete(item, told.Item);
    }

    /// <summary>The terminal event's output, or that of a whole answer: news only where it was not streamed to its end.</summary>
    public void Final(ReadOnlySpan<byte> output)
    {
        var named = JsonSlice.Elements(output);
        while (named.Next())
        {
            if (_items.FindNamed(named.Value) is { } item) item.IsFinal = true;
        }
        long position = 0;
        var items = JsonSlice.Elements(output);
        while (items.Next())
        {
            if (JsonSlice.IsObject(items.Value)) Final(items.Value, position);
            position++;
        }
    }

    private void Final(ReadOnlySpan<byte> json, long position)
    {
        Item item = _items.FindNamed(json) ?? _items.FindUnnamed(json, position) ?? Begin(position, json);
        item.IsFinal = true;
        Complete(item, json);
    }

    /// <summary>The answer ended properly: what is open ends with it.</summary>
    public void EndAll()
    {
        foreach (Item item in _items.All) End(item);
    }

    private Item FindOrBegin(in ResponsesEvent told, ItemKind kind)
    {
        if (_items.Find(told, kind) is { } found) return found;
        return _items.Add(new Item { Kind = kind, Index = told.OutputIndex ?? _items.All.Count, Id = told.ItemId.ToArray() });
    }

    private Item Begin(long index, ReadOnlySpan<byte> json)
    {
        OpenAIResponsesItemList.ItemFacts facts = OpenAIResponsesItemList.Read(json);
        Item item = _items.Add(new Item { Kind = facts.Kind, Index = index, Id = facts.Id.ToArray() });
        if (facts.Kind == ItemKind.Foreign) Open(item, BlockKind.Foreign);
        else if (facts.Kind == ItemKind.Reasoning) Open(item, BlockKind.Thinking);
        else if (item.IsCall) Name(item, json);
        return item;
    }

    /// <summary>Takes name and call id of a call, and tells it to the sink once it has a name.</summary>
    private void Name(Item item, ReadOnlySpan<byte> json)
    {
        if (item.Block >= 0) return;
        ReadOnlySpan<byte> name = default, space = default;
        var members = JsonSlice.Members(json);
        while (members.Next())
        {
            if (members.Is("name"u8)) name = JsonSlice.Inner(members.Value);
            else if (members.Is("namespace"u8)) space = JsonSlice.Inner(members.Value);
            else if (members.Is("call_id"u8)) item.CallId = JsonSlice.Inner(members.Value).ToArray();
        }
        if (name.IsEmpty) return;
        byte[] flat = space.IsEmpty ? name.ToArray() : [.. space, .. "__"u8, .. name];
        HasCalls = true;
        item.Block = _blocks.Next();
        sink.BlockStart(item.Block, item.Kind == ItemKind.Custom ? BlockKind.CustomToolCall : BlockKind.ToolCall, item.CallId, flat);
        foreach (byte[] piece in item.Held) sink.BlockDelta(item.Block, piece);
        item.Held.Clear();
    }

    private void Open(Item item, BlockKind kind)
    {
        if (item.Block >= 0) return;
        item.Block = _blocks.Next();
        sink.BlockStart(item.Block, kind);
    }

    private void PushPart(Item item, long index, BlockKind kind, ReadOnlySpan<byte> token)
    {
        if (!JsonSlice.IsText(token) || item.IsDone || item.Kind != ItemKind.Message) return;
        if (!item.Parts.TryGetValue(index, out Part? part) || (!part.HasText && part.Kind != kind)) part = BeginPart(item, index, kind);
        part.HasText = true;
        if (!part.IsEnded) sink.BlockDelta(part.Block, token);
    }

    /// <summary>An item that starts is output, a message too; most begin with text, and one that does not gives its empty block up.</summary>
    private void Announce(Item item)
    {
        if (item.Kind == ItemKind.Message) BeginPart(item, 0, BlockKind.Text);
    }

    private Part BeginPart(Item item, long index, BlockKind kind)
    {
        if (item.Parts.TryGetValue(index, out Part? announced)) End(announced);
        var part = new Part { Block = _blocks.Next(), Kind = kind };
        item.Parts[index] = part;
        sink.BlockStart(part.Block, kind);
        return part;
    }

    private static bool HasText(Item item, long index) => item.Parts.TryGetValue(index, out Part? part) && part.HasText;

    private void PushArguments(Item item, ReadOnlySpan<byte> token)
    {
        if (!JsonSlice.IsText(token) || item.IsDone || !item.IsCall) return;
        // Nothing to say is told as null by some servers.
        if (!item.HasText && token.SequenceEqual("\"null\""u8) && item.Kind == ItemKind.Call) return;
        item.HasText = true;
        if (item.Block >= 0) sink.BlockDelta(item.Block, token);
        else item.Held.Add(token.ToArray());
    }

    private void PushReasoning(Item item, bool isRaw, long index, ReadOnlySpan<byte> token)
    {
        if (!JsonSlice.IsText(token) || item.IsDone || item.Kind != ItemKind.Reasoning || (item.HasText && item.IsRaw != isRaw)) return;
        Open(item, BlockKind.Thinking);
        if (item.HasText && item.LastPart != index) sink.BlockDelta(item.Block, "\"\\n\\n\""u8);
        item.HasText = true;
        item.IsRaw = isRaw;
        item.LastPart = index;
        sink.BlockDelta(item.Block, token);
    }

    /// <summary>The whole item is known: what was not streamed is told now, then it ends.</summary>
    private void Complete(Item item, ReadOnlySpan<byte> json)
    {
        if (item.IsDone) return;
        ReadOnlySpan<byte> content = default, summary = default, arguments = default, encrypted = default, id = default;
        var members = JsonSlice.Members(json);
        while (members.Next())
        {
            if (members.Is("content"u8)) content = members.Value;
            else if (members.Is("summary"u8)) summary = members.Value;
            else if (members.Is("arguments"u8) || members.Is("input"u8)) arguments = members.Value;
            else if (members.Is("encrypted_content"u8)) encrypted = members.Value;
            else if (members.Is("id"u8)) id = JsonSlice.Inner(members.Value);
        }
        if (item.Id.Length == 0) item.Id = id.ToArray();
        switch (item.Kind)
        {
            case ItemKind.Message:
                CompleteMessage(item, content);
                break;
            case ItemKind.Reasoning:
                Open(item, BlockKind.Thinking);
                if (!item.HasText) ReasoningTexts(item, summary, isRaw: false);
                if (!item.HasText) ReasoningTexts(item, content, isRaw: true);
                if (JsonSlice.IsText(encrypted)) sink.BlockSeal(item.Block, SealKind.Encrypted, encrypted);
                break;
            case ItemKind.Call or ItemKind.Custom:
                Name(item, json);
                byte[]? quoted = JsonSlice.IsObject(arguments) ? ByteOutput.Quote(arguments) : null;
                if (!item.HasText) PushArguments(item, quoted ?? arguments);
                break;
        }
        End(item);
    }

    private void CompleteMessage(Item item, ReadOnlySpan<byte> content)
    {
        long index = 0;
        if (JsonSlice.IsString(content)) PushPart(item, 0, BlockKind.Text, HasText(item, 0) ? default : content);
        var parts = JsonSlice.Elements(content);
        while (parts.Next())
        {
            ReadOnlySpan<byte> text = default, refusal = default, annotations = default;
            var members = JsonSlice.Members(parts.Value);
            while (members.Next())
            {
                if (members.Is("text"u8)) text = members.Value;
                else if (members.Is("refusal"u8)) refusal = members.Value;
                else if (members.Is("annotations"u8)) annotations = members.Value;
            }
            if (!HasText(item, index))
            {
                PushPart(item, index, BlockKind.Text, text);
                if (JsonSlice.IsText(refusal)) PushPart(item, index, BlockKind.Refusal, refusal);
            }
            if (item.Parts.TryGetValue(index, out Part? known) && !known.HasSources) CiteAll(known, annotations);
            index++;
        }
    }

    private void CiteAll(Part part, ReadOnlySpan<byte> annotations)
    {
        var elements = JsonSlice.Elements(annotations);
        while (elements.Next()) Cite(part, elements.Value);
    }

    private void Cite(Part part, ReadOnlySpan<byte> annotation)
    {
        if (part.Kind == BlockKind.Text && OpenAIAnnotations.Read(annotation, "responses") is { } citation) sink.BlockCite(part.Block, citation);
    }

    private void ReasoningTexts(Item item, ReadOnlySpan<byte> parts, bool isRaw)
    {
        long index = 0;
        var elements = JsonSlice.Elements(parts);
        while (elements.Next())
        {
            var members = JsonSlice.Members(elements.Value);
            while (members.Next())
            {
                if (members.Is("text"u8)) PushReasoning(item, isRaw, index, members.Value);
            }
            index++;
        }
    }

    private void End(Item item)
    {
        if (item.IsDone) return;
        item.IsDone = true;
        foreach (Part part in item.Parts.Values) End(part);
        if (item.Block >= 0) sink.BlockEnd(item.Block);
    }

    private void End(Part part)
    {
        if (part.IsEnded) return;
        part.IsEnded = true;
        sink.BlockEnd(part.Block);
    }
}
