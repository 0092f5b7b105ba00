using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>The output items of one answer that is being read, and which of them an event means.</summary>
/// <remarks>By the letter <c>output_index</c> and <c>item_id</c> say the same. Some servers (Copilot) give each event another id, others (LiteLLM) several items one
/// index: an index that several items have is no index, and an id that no item has no id.</remarks>
public sealed class OpenAIResponsesItemList
{
    public enum ItemKind { Message, Reasoning, Call, Custom, Foreign }

    public sealed class Item
    {
        public required ItemKind Kind { get; init; }

        public required long Index { get; init; }

        public byte[] Id { get; set; } = [];

        public byte[] CallId { get; set; } = [];

        /// <summary>Block of everything but a message; -1: not told yet.</summary>
        public int Block { get; set; } = -1;

        /// <summary>Blocks of a message by content index.</summary>
        public SortedDictionary<long, Part> Parts { get; } = [];

        /// <summary>Arguments that came before the name.</summary>
        public List<byte[]> Held { get; } = [];

        public bool HasText { get; set; }

        public bool IsDone { get; set; }

        /// <summary>The terminal event had it.</summary>
        public bool IsFinal { get; set; }

        /// <summary>Its text is reasoning itself, not a summary.</summary>
        public bool IsRaw { get; set; }

        public long LastPart { get; set; } = -1;

        public bool IsCall => Kind is ItemKind.Call or ItemKind.Custom;
    }

    public sealed class Part
    {
        public required int Block { get; init; }

        public required BlockKind Kind { get; init; }

        /// <summary>False: its item was announced, and nothing of its content came yet.</summary>
        public bool HasText { get; set; }

        public bool IsEnded { get; set; }

        /// <summary>Sources came as events of their own: the whole part repeats them.</summary>
        public bool HasSources { get; set; }
    }

    /// <summary>In the order they began.</summary>
    public List<Item> All { get; } = [];

    public Item Add(Item item)
    {
        All.Add(item);
        return item;
    }

    /// <summary>Kind, id and call id of an item; spans of the text.</summary>
    public static ItemFacts Read(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> type = default, id = default, callId = default;
        var members = JsonSlice.Members(json);
        while (members.Next())
        {
            if (members.Is("type"u8)) type = JsonSlice.Inner(members.Value);
            else if (members.Is("id"u8)) id = JsonSlice.Inner(members.Value);
            else if (members.Is("call_id"u8)) callId = JsonSlice.Inner(members.Value);
        }
        ItemKind kind = type.SequenceEqual("message"u8) ? ItemKind.Message
            : type.SequenceEqual("reasoning"u8) ? ItemKind.Reasoning
            : type.SequenceEqual("function_call"u8) ? ItemKind.Call
            : type.SequenceEqual("custom_tool_call"u8) ? ItemKind.Custom : ItemKind.Foreign;
        return new ItemFacts { Kind = kind, Id = id, CallId = callId };
    }

    public readonly ref struct ItemFacts
    {
        public required ItemKind Kind { get; init; }

        public required ReadOnlySpan<byte> Id { get; init; }

        public required ReadOnlySpan<byte> CallId { get; init; }
    }

    /// <summary>The item that an event with the whole item means; null: none that began.</summary>
    public Item? Find(in ResponsesEvent told)
    {
        ItemFacts facts = Read(told.Item);
        ReadOnlySpan<byte> id = facts.Id.IsEmpty ? told.ItemId : facts.Id;
        return Find(told.OutputIndex, id, facts.CallId, facts.Kind) ?? (told.OutputIndex is { } index ? AtIndex(index) : null);
    }

    /// <summary>The item whose content an event tells; null: it was not announced.</summary>
    public Item? Find(in ResponsesEvent told, ItemKind kind)
    {
        if (Find(told.OutputIndex, told.ItemId, default, kind) is { } found) return found;
        // An item of an unknown type has content that is not read.
        if (told.OutputIndex is { } index && AtIndex(index) is { Kind: ItemKind.Foreign } foreign) return foreign;
        if (Find(null, told.ItemId, default, kind) is { } named) return named;
        return told.OutputIndex is null && told.ItemId.IsEmpty && All.Count > 0 && Fits(All[^1], kind) && !All[^1].IsDone ? All[^1] : null;
    }

    /// <summary>The item that one of the terminal event's output names; null: none.</summary>
    public Item? FindNamed(ReadOnlySpan<byte> json)
    {
        ItemFacts facts = Read(json);
        return Find(null, facts.Id, facts.CallId, facts.Kind);
    }

    /// <summary>The item that one of the terminal event's output is, although its ids are others (vLLM makes them up again): the one at its place, else the next one of
    /// its kind that the event has not had; null: it was not streamed.</summary>
    public Item? FindUnnamed(ReadOnlySpan<byte> json, long position)
    {
        ItemKind kind = Read(json).Kind;
        return All.Find(item => !item.IsFinal && item.Kind == kind && item.Index == position) ?? All.Find(item => !item.IsFinal && item.Kind == kind);
    }

    /// <summary>Whether a whole item is another than the one that has its index.</summary>
    /// <param name="isAnnounced">It begins.</param>
    public static bool IsOther(Item known, ReadOnlySpan<byte> json, bool isAnnounced)
    {
        ItemFacts facts = Read(json);
        if (!Fits(known, facts.Kind)) return true;
        if (known.CallId.Length > 0 && !facts.CallId.IsEmpty) return !facts.CallId.SequenceEqual(known.CallId);
        return isAnnounced && known.IsDone && !facts.Id.IsEmpty && !facts.Id.SequenceEqual(known.Id);
    }

    /// <summary>Two items of one index, each told whole, are the same one.</summary>
    public static bool IsSame(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        ItemFacts one = Read(first), other = Read(second);
        return one.Kind == other.Kind && one.CallId.SequenceEqual(other.CallId);
    }

    /// <summary>Of the kind, among those of the index, the one of the id, else the last one; without an index the one of the id.</summary>
    private Item? Find(long? index, ReadOnlySpan<byte> id, ReadOnlySpan<byte> callId, ItemKind kind)
    {
        Item? last = null;
        foreach (Item item in All)
        {
            if (!Fits(item, kind) || (index is not null && item.Index != index)) continue;
            if ((!id.IsEmpty && id.SequenceEqual(item.Id)) || (!callId.IsEmpty && callId.SequenceEqual(item.CallId))) return item;
            if (index is not null) last = item;
        }
        return last;
    }

    private Item? AtIndex(long index) => All.FindLast(item => item.Index == index);

    private static bool Fits(Item item, ItemKind kind) => item.Kind == kind || (item.IsCall && kind is ItemKind.Call or ItemKind.Custom);
}
