using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Folds the block events of a stream into the blocks of a whole answer, as they were sent: also those that only the provider understands.</summary>
public sealed class AnthropicContentFold
{
    // Raw blocks with commas between.
    private readonly ArrayBufferWriter<byte> _content = new();
    private readonly SortedList<long, Open> _open = [];

    /// <summary>A block that is streamed: its start, and what its deltas add. Texts are the insides of JSON strings.</summary>
    private sealed class Open(byte[] start)
    {
        public readonly byte[] Start = start;
        public readonly ArrayBufferWriter<byte> Text = new();
        public readonly ArrayBufferWriter<byte> Input = new();
        public readonly List<byte[]> Citations = [];
        public readonly List<(byte[] Name, byte[] Value)> Others = [];
        public byte[]? Signature;
    }

    /// <summary>The blocks that ended, with commas between.</summary>
    public ReadOnlySpan<byte> Content => _content.WrittenSpan;

    /// <summary>A block ended whose input is no JSON object; it is not in <see cref="Content"/>.</summary>
    public bool HasBroken { get; private set; }

    public void Clear() => _content.ResetWrittenCount();

    /// <summary>More blocks, with commas between.</summary>
    public void Append(ReadOnlySpan<byte> blocks)
    {
        if (blocks.IsEmpty) return;
        if (_content.WrittenCount > 0) _content.Write(","u8);
        _content.Write(blocks);
    }

    public void Start(long index, ReadOnlySpan<byte> block)
    {
        Stop(index);
        if (!block.IsEmpty) _open[index] = new Open(block.ToArray());
    }

    public void Delta(long index, ReadOnlySpan<byte> delta)
    {
        if (delta.IsEmpty) return;
        if (!_open.TryGetValue(index, out Open? open)) _open.Add(index, open = new Open(StartOf(delta)));
        bool isKnown = false;
        var members = new JsonScan(delta);
        while (members.Next())
        {
            if (members.Is("type"u8)) isKnown = !members.Inner.SequenceEqual("compaction_delta"u8);
            else if (members.Is("text"u8) || members.Is("thinking"u8)) open.Text.Write(members.Inner);
            else if (members.Is("partial_json"u8)) open.Input.Write(members.Inner);
            else if (members.Is("signature"u8)) open.Signature = members.Value.ToArray();
            else if (members.Is("citation"u8)) open.Citations.Add(members.Value.ToArray());
            else if (!isKnown && !members.IsNull) open.Others.Add((members.Name.ToArray(), members.Value.ToArray()));
        }
    }

    public void Stop(long index)
    {
        if (_open.Remove(index, out Open? ended)) Write(ended);
    }

    /// <summary>The answer ended: so do the blocks that nobody stopped.</summary>
    public void StopAll()
    {
        while (_open.Count > 0) Stop(_open.Keys[0]);
    }

    /// <summary>The start that a server left out.</summary>
    private static byte[] StartOf(ReadOnlySpan<byte> delta)
    {
        ReadOnlySpan<byte> type = default;
        var members = new JsonScan(delta);
        while (members.Next())
        {
            if (members.Is("type"u8)) type = members.Inner;
        }
        return Is(type, "thinking_delta"u8, "signature_delta"u8) ? "{\"type\":\"thinking\",\"thinking\":\"\"}"u8.ToArray() : "{\"type\":\"text\",\"text\":\"\"}"u8.ToArray();
    }

    /// <summary>The start's members with what was added to them.</summary>
    private void Write(Open open)
    {
        byte[] input = Encoding.UTF8.GetBytes(RawJson.Decode([(byte)'"', .. open.Input.WrittenSpan, (byte)'"']).Trim());
        if (input.Length > 0 && !IsObject(input))
        {
            HasBroken = true;
            return;
        }
        var block = new JsonFold();
        var members = new JsonScan(open.Start);
        while (members.Next())
        {
            if (members.IsString && (members.Is("text"u8) || members.Is("thinking"u8))) block.AddMember(members.Name, members.Value);
            else block.Member(members.Name).Replace(members.Value);
            if (members.Is("citations"u8) && members.Kind == JsonTokenType.StartArray) InsertAll(open.Citations, members.Value);
        }
        if (open.Text.WrittenCount > 0) block.AddMember(block.Has("thinking"u8) ? "thinking"u8 : "text"u8, [(byte)'"', .. open.Text.WrittenSpan, (byte)'"']);
        if (input.Length > 0) block.Member("input"u8).Replace(input);
        if (open.Signature is { } signature) block.Member("signature"u8).Replace(signature);
        if (open.Citations.Count > 0) block.Member("citations"u8).Replace(List(open.Citations));
        foreach ((byte[] name, byte[] value) in open.Others) block.Member(name).Replace(value);
        var json = new ArrayBufferWriter<byte>();
        block.Write(json);
        Append(json.WrittenSpan);
    }

    /// <summary>Puts those of the start in front of those that came later.</summary>
    private static void InsertAll(List<byte[]> citations, ReadOnlySpan<byte> array)
    {
        var elements = JsonScan.Inside(array);
        for (int at = 0; elements.Next(); at++) citations.Insert(at, elements.Value.ToArray());
    }

    private static ReadOnlySpan<byte> List(List<byte[]> elements)
    {
        var list = new ArrayBufferWriter<byte>();
        foreach (byte[] element in elements)
        {
            list.Write(list.WrittenCount == 0 ? "["u8 : ","u8);
            list.Write(element);
        }
        list.Write("]"u8);
        return list.WrittenSpan;
    }

    private static bool IsObject(ReadOnlySpan<byte> json)
    {
        try
        {
            var scan = new JsonScan(json);
            while (scan.Next()) { }
            return scan.Root == JsonTokenType.StartObject;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool Is(ReadOnlySpan<byte> word, ReadOnlySpan<byte> one, ReadOnlySpan<byte> two) => word.SequenceEqual(one) || word.SequenceEqual(two);
}
