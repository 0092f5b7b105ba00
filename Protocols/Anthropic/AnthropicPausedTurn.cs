using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Collects the content of an answer as it was sent, so that a turn which the provider paused (a server tool works long) can be sent back unchanged and gone on
/// with. One per answer; holds all of it.</summary>
public sealed class AnthropicPausedTurn
{
    /// <summary>A turn is gone on with this many times; then it counts as ended.</summary>
    public const int MaxResumes = 5;

    private readonly AnthropicContentFold _content = new();
    private TokenUsage _current;

    /// <summary>Requests that were gone on with.</summary>
    public int Resumes { get; private set; }

    /// <summary>What those requests used together: each was paid for.</summary>
    public TokenUsage Usage { get; private set; }

    /// <summary>Takes the data of one event; true: it says that the turn pauses.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public bool Take(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return false;
        ReadOnlySpan<byte> type = default, block = default, delta = default, message = default, usage = default;
        long index = 0;
        var told = new JsonScan(data);
        while (told.Next())
        {
            if (told.Is("type"u8)) type = told.Inner;
            else if (told.Is("index"u8)) index = told.Long() ?? 0;
            else if (told.Is("content_block"u8)) block = told.Value;
            else if (told.Is("delta"u8)) delta = told.Value;
            else if (told.Is("message"u8)) message = told.Value;
            else if (told.Is("usage"u8)) usage = told.Value;
        }
        if (type.SequenceEqual("content_block_start"u8)) _content.Start(index, block);
        else if (type.SequenceEqual("content_block_delta"u8)) _content.Delta(index, delta);
        else if (type.SequenceEqual("content_block_stop"u8)) _content.Stop(index);
        else if (type.SequenceEqual("message_start"u8))
        {
            _current = default;
            usage = Member(message, "usage"u8);
        }
        if (!usage.IsEmpty) _current = AnthropicUsage.Read(usage, _current).Over(_current);
        return type.SequenceEqual("message_delta"u8) && IsPause(delta);
    }

    /// <summary>Takes a whole answer in the place of what was taken before; true: its turn pauses.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public bool TakeWhole(ReadOnlySpan<byte> answer)
    {
        _content.Clear();
        _content.Append(Inner(answer, "content"u8));
        _current = Member(answer, "usage"u8) is { IsEmpty: false } usage ? AnthropicUsage.Read(usage) : default;
        return IsPause(answer);
    }

    /// <summary>A further request follows; what the last one used is added up.</summary>
    public void Resume()
    {
        Resumes++;
        Usage = Usage.Plus(_current);
    }

    /// <summary>The request with the content so far as its last message, but for text without words: the provider says such and refuses to be told it.</summary>
    public byte[] GoOn(ReadOnlySpan<byte> request)
    {
        byte[] content = [(byte)'[', .. _content.Content, (byte)']'];
        content = JsonEdit.Items(content, static block => IsBlankText(block) ? JsonEdit.Change.Removed : default).Over(content);
        return Insert(request, "messages"u8, [.. "{\"role\":\"assistant\",\"content\":"u8, .. content, .. "}"u8], atEnd: true);
    }

    /// <summary>A whole answer with the content so far in front of its own.</summary>
    public byte[] Joined(ReadOnlySpan<byte> answer) => Insert(answer, "content"u8, _content.Content.ToArray(), atEnd: false);

    private static ReadOnlySpan<byte> Member(ReadOnlySpan<byte> owner, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> value = default;
        var members = new JsonScan(owner.IsEmpty ? "{}"u8 : owner);
        while (members.Next())
        {
            if (members.Is(name) && members.Kind == JsonTokenType.StartObject) value = members.Value;
        }
        return value;
    }

    private static bool IsBlankText(ReadOnlySpan<byte> block)
    {
        bool isText = false, isBlank = false;
        var members = new JsonScan(block);
        while (members.Next())
        {
            if (members.Is("type"u8)) isText = members.Inner.SequenceEqual("text"u8);
            else if (members.IsString && members.Is("text"u8)) isBlank = string.IsNullOrWhiteSpace(RawJson.Decode(members.Value));
        }
        return isText && isBlank;
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
