using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Collects the content of an answer as it was sent, so that a turn which the provider paused (a server tool works long) can be sent back unchanged and gone on
/// with. One per answer; holds all of it.</summary>
public sealed class AnthropicPausedTurn
{
    /// <summary>A turn is gone on with this many times; then it counts as ended.</summary>
    public const int MaxResumes = 5;

    // Raw blocks with commas between.
    private readonly ArrayBufferWriter<byte> _content = new();
    private readonly Dictionary<long, Open> _open = [];

    /// <summary>A block that is streamed: its start, and what its deltas add. Texts are the insides of JSON strings.</summary>
    private sealed class Open(byte[] start)
    {
        public readonly byte[] Start = start;
        public readonly ArrayBufferWriter<byte> Text = new();
        public readonly ArrayBufferWriter<byte> Input = new();
        public readonly List<byte[]> Citations = [];
        public byte[]? Signature;
    }

    /// <summary>Takes the data of one event; true: it says that the turn pauses.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public bool Take(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return false;
        ReadOnlySpan<byte> type = default, block = default, delta = default;
        long index = 0;
        var told = new JsonScan(data);
        while (told.Next())
        {
            if (told.Is("type"u8)) type = told.Inner;
            else if (told.Is("index"u8)) index = told.Long() ?? 0;
            else if (told.Is("content_block"u8)) block = told.Value;
            else if (told.Is("delta"u8)) delta = told.Value;
        }
        if (type.SequenceEqual("content_block_start"u8)) _open[index] = new Open(block.ToArray());
        else if (type.SequenceEqual("content_block_delta"u8) && _open.TryGetValue(index, out Open? open)) Add(open, delta);
        else if (type.SequenceEqual("content_block_stop"u8) && _open.Remove(index, out Open? ended)) Write(ended);
        return type.SequenceEqual("message_delta"u8) && IsPause(delta);
    }

    /// <summary>Takes a whole answer in the place of what was taken before; true: its turn pauses.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public bool TakeWhole(ReadOnlySpan<byte> answer)
    {
        _content.ResetWrittenCount();
        _content.Write(Inner(answer, "content"u8));
        return IsPause(answer);
    }

    /// <summary>The request with the content so far as its last message.</summary>
    public byte[] GoOn(ReadOnlySpan<byte> request) => Insert(request, "messages"u8, [.. "{\"role\":\"assistant\",\"content\":["u8, .. _content.WrittenSpan, .. "]}"u8], atEnd: true);

    /// <summary>A whole answer with the content so far in front of its own.</summary>
    public byte[] Joined(ReadOnlySpan<byte> answer) => Insert(answer, "content"u8, _content.WrittenSpan.ToArray(), atEnd: false);

    private static void Add(Open open, ReadOnlySpan<byte> delta)
    {
        var members = new JsonScan(delta);
        while (members.Next())
        {
            if (members.Is("text"u8) || members.Is("thinking"u8)) open.Text.Write(members.Inner);
            else if (members.Is("partial_json"u8)) open.Input.Write(members.Inner);
            else if (members.Is("signature"u8)) open.Signature = members.Value.ToArray();
            else if (members.Is("citation"u8)) open.Citations.Add(members.Value.ToArray());
        }
    }

    /// <summary>The start's members with what was added to them.</summary>
    private void Write(Open open)
    {
        _content.Write(_content.WrittenCount > 0 ? ",{"u8 : "{"u8);
        bool isSecond = false;
        string input = RawJson.Decode([(byte)'"', .. open.Input.WrittenSpan, (byte)'"']);
        var members = new JsonScan(open.Start);
        while (members.Next())
        {
            bool isText = members.Is("text"u8) || members.Is("thinking"u8);
            if (members.Is("signature"u8) && open.Signature is not null || members.Is("citations"u8) && open.Citations.Count > 0) continue;
            Name(members.Name, ref isSecond);
            if (isText) _content.WriteQuoted([.. members.Inner, .. open.Text.WrittenSpan]);
            else if (members.Is("input"u8) && !string.IsNullOrWhiteSpace(input)) _content.Write(Encoding.UTF8.GetBytes(input));
            else _content.Write(members.Value);
        }
        if (open.Signature is { } signature)
        {
            Name("signature"u8, ref isSecond);
            _content.Write(signature);
        }
        if (open.Citations.Count > 0)
        {
            Name("citations"u8, ref isSecond);
            for (int i = 0; i < open.Citations.Count; i++)
            {
                _content.Write(i == 0 ? "["u8 : ","u8);
                _content.Write(open.Citations[i]);
            }
            _content.Write("]"u8);
        }
        _content.Write("}"u8);
    }

    private void Name(ReadOnlySpan<byte> name, ref bool isSecond)
    {
        if (isSecond) _content.Write(","u8);
        isSecond = true;
        _content.Write("\""u8);
        _content.WriteEscaped(name);
        _content.Write("\":"u8);
    }

    private static bool IsPause(ReadOnlySpan<byte> owner)
    {
        bool isPause = false;
        var members = new JsonScan(owner.IsEmpty ? "{}"u8 : owner);
        while (members.Next())
        {
            if (members.Is("stop_reason"u8)) isPause = members.Inner.SequenceEqual("pause_turn"u8);
        }
        return isPause;
    }

    /// <summary>What stands between the brackets of an array member.</summary>
    private static ReadOnlySpan<byte> Inner(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> inner = default;
        var members = new JsonScan(json);
        while (members.Next())
        {
            if (members.Is(name) && members.Kind == JsonTokenType.StartArray) inner = members.Value[1..^1].Trim(" \t\r\n"u8);
        }
        return inner;
    }

    private static byte[] Insert(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> items, bool atEnd)
    {
        var members = new JsonScan(json);
        while (members.Next())
        {
            if (!members.Is(name) || members.Kind != JsonTokenType.StartArray) continue;
            bool isAlone = items.IsEmpty || members.Value[1..^1].Trim(" \t\r\n"u8).IsEmpty;
            int at = atEnd ? members.Start + members.Value.Length - 1 : members.Start + 1;
            ReadOnlySpan<byte> comma = isAlone ? default : ","u8;
            return atEnd ? [.. json[..at], .. comma, .. items, .. json[at..]] : [.. json[..at], .. items, .. comma, .. json[at..]];
        }
        return json.ToArray();
    }
}
