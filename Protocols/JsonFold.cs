using System.Buffers;
using System.Text.Json;

namespace Aiproxy.Protocols;

/// <summary>A JSON value that comes in pieces, as deltas tell it: texts grow, lists grow, members are folded each for itself, anything else is replaced.</summary>
/// <remarks>Elements of a list that name the same <c>index</c> are one element. What names a thing (<c>id</c>, <c>type</c> and the like) is repeated by some
/// servers and replaced, not grown. A <c>null</c> takes nothing back.</remarks>
public sealed class JsonFold
{
    private readonly List<(byte[] Name, JsonFold Value)> _members = [];
    private readonly List<JsonFold> _elements = [];
    private ArrayBufferWriter<byte>? _text;
    private byte[]? _raw;
    private long? _index;
    private JsonTokenType _kind;
    private bool _isRepeated;

    /// <summary>Nothing but <c>null</c> was told.</summary>
    public bool IsNull => _kind is JsonTokenType.None or JsonTokenType.Null;

    /// <exception cref="JsonException">No JSON.</exception>
    public void Add(ReadOnlySpan<byte> value, bool isName = false)
    {
        if (value.IsEmpty || value.SequenceEqual("null"u8))
        {
            if (_kind == JsonTokenType.None) _kind = JsonTokenType.Null;
        }
        else if (value[0] == (byte)'{') AddMembers(value);
        else if (value[0] == (byte)'[' && !_isRepeated) AddElements(value);
        else if (value[0] == (byte)'"' && !isName && !_isRepeated) AddText(value);
        else Replace(value);
    }

    /// <summary>One member of an object.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public void AddMember(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        _kind = JsonTokenType.StartObject;
        Member(name).Add(value, IsName(name));
    }

    /// <summary>The member's value, to be grown by hand; a new one where there is none.</summary>
    /// <param name="isRepeated">What it tells comes whole each time: texts and lists are replaced, members still folded.</param>
    public JsonFold Member(ReadOnlySpan<byte> name, bool isRepeated = false)
    {
        _kind = JsonTokenType.StartObject;
        foreach ((byte[] known, JsonFold value) in _members)
        {
            if (name.SequenceEqual(known)) return value;
        }
        var member = new JsonFold { _isRepeated = isRepeated || _isRepeated };
        _members.Add((name.ToArray(), member));
        return member;
    }

    public bool Has(ReadOnlySpan<byte> name)
    {
        foreach ((byte[] known, JsonFold _) in _members)
        {
            if (name.SequenceEqual(known)) return true;
        }
        return false;
    }

    /// <summary>Puts a value in the place of what was told so far.</summary>
    public void Replace(ReadOnlySpan<byte> value)
    {
        _members.Clear();
        _elements.Clear();
        _text = null;
        _raw = value.ToArray();
        _kind = JsonTokenType.Comment;
    }

    public void Write(IBufferWriter<byte> output)
    {
        switch (_kind)
        {
            case JsonTokenType.StartObject:
                output.Write("{"u8);
                for (int i = 0; i < _members.Count; i++)
                {
                    output.Write(i == 0 ? "\""u8 : ",\""u8);
                    output.WriteEscaped(_members[i].Name);
                    output.Write("\":"u8);
                    _members[i].Value.Write(output);
                }
                output.Write("}"u8);
                break;
            case JsonTokenType.StartArray:
                output.Write("["u8);
                for (int i = 0; i < _elements.Count; i++)
                {
                    if (i > 0) output.Write(","u8);
                    _elements[i].Write(output);
                }
                output.Write("]"u8);
                break;
            case JsonTokenType.String:
                output.WriteQuoted(_text!.WrittenSpan);
                break;
            default:
                output.Write(_raw ?? "null"u8);
                break;
        }
    }

    private void AddMembers(ReadOnlySpan<byte> value)
    {
        if (_kind != JsonTokenType.StartObject) Replace("{}"u8);
        _kind = JsonTokenType.StartObject;
        var scan = new JsonScan(value);
        while (scan.Next()) AddMember(scan.Name, scan.Value);
    }

    private void AddElements(ReadOnlySpan<byte> value)
    {
        if (_kind == JsonTokenType.String)
        {
            // Content that began as a text goes on as parts.
            byte[] text = [.. "{\"type\":\"text\",\"text\":\""u8, .. _text!.WrittenSpan, .. "\"}"u8];
            Replace("[]"u8);
            if (text.Length > "{\"type\":\"text\",\"text\":\"\"}".Length) Element(null).Add(text);
        }
        else if (_kind != JsonTokenType.StartArray)
        {
            Replace("[]"u8);
        }
        _kind = JsonTokenType.StartArray;
        var scan = new JsonScan(value);
        while (scan.Next()) Element(scan.Kind == JsonTokenType.StartObject ? IndexOf(scan.Value) : null).Add(scan.Value);
    }

    private JsonFold Element(long? index)
    {
        if (index is not null && _elements.Find(one => one._index == index) is { } known) return known;
        var element = new JsonFold { _index = index, _isRepeated = _isRepeated };
        _elements.Add(element);
        return element;
    }

    private void AddText(ReadOnlySpan<byte> token)
    {
        if (_kind == JsonTokenType.StartArray)
        {
            if (token.Length > 2) Element(null).Add([.. "{\"type\":\"text\",\"text\":"u8, .. token, .. "}"u8]);
            return;
        }
        if (_kind != JsonTokenType.String)
        {
            Replace(default);
            _text = new ArrayBufferWriter<byte>(Math.Max(64, token.Length));
        }
        _kind = JsonTokenType.String;
        if (token.Length > 2) _text!.Write(token[1..^1]);
    }

    private static long? IndexOf(ReadOnlySpan<byte> element)
    {
        long? index = null;
        var scan = new JsonScan(element);
        while (scan.Next())
        {
            if (scan.Is("index"u8)) index = scan.Long();
        }
        return index;
    }

    private static bool IsName(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("id"u8) || name.SequenceEqual("type"u8) || name.SequenceEqual("role"u8) || name.SequenceEqual("name"u8) || name.SequenceEqual("format"u8)
        || name.SequenceEqual("signature"u8);
}
