using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols;

/// <summary>Walks the members of one JSON object, or the elements of one array, and hands out each value as raw bytes.</summary>
/// <remarks>Throws <see cref="JsonException"/> where the text is not JSON, also behind the last member: walk to the end where that matters. A value that
/// was handed out is JSON in all its depth. A root that is neither object nor array has no members. 256 levels at most.</remarks>
public ref struct JsonScan
{
    private readonly ReadOnlySpan<byte> _json;
    private readonly bool _isChecked;

    /// <summary>Offset behind the last value.</summary>
    private int _at;

    /// <summary>The bracket that ends the root; 0: there are no more members.</summary>
    private byte _end;

    private bool _hasOne;

    /// <exception cref="JsonException">The text begins like no JSON.</exception>
    public JsonScan(ReadOnlySpan<byte> json) : this(json, isChecked: false) { }

    private JsonScan(ReadOnlySpan<byte> json, bool isChecked)
    {
        _json = json;
        _isChecked = isChecked;
        _at = JsonBorders.Blanks(json, 0);
        Root = KindOf(JsonBorders.At(json, _at));
        if (Root is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            // Two bytes lie between both pairs of brackets.
            _end = (byte)(json[_at++] + 2);
            return;
        }
        if (!isChecked && JsonBorders.Blanks(json, JsonBorders.Check(json, _at, 0)) < json.Length) throw JsonBorders.Fault();
    }

    /// <summary>Of a value that another scan has handed out: it is not checked again.</summary>
    public static JsonScan Inside(ReadOnlySpan<byte> value) => new(value, isChecked: true);

    public JsonTokenType Root { get; }

    /// <summary>The member's name, unescaped; empty in an array.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The value as it stands; a string with its quotes.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The first token of the value.</summary>
    public JsonTokenType Kind { get; private set; }

    /// <summary>Where <see cref="Value"/> begins in the scanned text.</summary>
    public int Start { get; private set; }

    public readonly bool IsString => Kind == JsonTokenType.String;

    public readonly bool IsNull => Kind == JsonTokenType.Null;

    /// <summary>A string without its quotes, still escaped; empty for anything else.</summary>
    public readonly ReadOnlySpan<byte> Inner => IsString ? Value[1..^1] : default;

    public bool Next()
    {
        if (_end == 0) return false;
        int at = JsonBorders.Blanks(_json, _at);
        byte next = JsonBorders.At(_json, at);
        if (next == _end)
        {
            _end = 0;
            if (!_isChecked && JsonBorders.Blanks(_json, at + 1) < _json.Length) throw JsonBorders.Fault();
            return false;
        }
        if (_hasOne)
        {
            if (next != (byte)',') throw JsonBorders.Fault();
            at = JsonBorders.Blanks(_json, at + 1);
        }
        _hasOne = true;
        if (Root == JsonTokenType.StartObject) at = TakeName(at);
        int end = _isChecked ? JsonBorders.Skip(_json, at) : JsonBorders.Check(_json, at, level: 1);
        Start = at;
        Kind = KindOf(JsonBorders.At(_json, at));
        Value = _json[at..end];
        _at = end;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Is(ReadOnlySpan<byte> name) => Name.SequenceEqual(name);

    /// <summary>A whole number, also one written as a string (proto3 JSON) or with an empty fraction; null for anything else.</summary>
    public readonly long? Long()
    {
        ReadOnlySpan<byte> digits = IsString ? Inner : Kind == JsonTokenType.Number ? Value : default;
        if (Utf8Parser.TryParse(digits, out long whole, out int used) && used == digits.Length) return whole;
        if (Utf8Parser.TryParse(digits, out double number, out used) && used == digits.Length && Math.Abs(number) < 1e15) return (long)number;
        return null;
    }

    /// <summary>Returns where the value begins.</summary>
    private int TakeName(int at)
    {
        if (JsonBorders.At(_json, at) != (byte)'"') throw JsonBorders.Fault();
        int end = JsonBorders.String(_json, at);
        ReadOnlySpan<byte> name = _json[(at + 1)..(end - 1)];
        Name = name.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(RawJson.Decode(_json[at..end])) : name;
        at = JsonBorders.Blanks(_json, end);
        if (JsonBorders.At(_json, at) != (byte)':') throw JsonBorders.Fault();
        return JsonBorders.Blanks(_json, at + 1);
    }

    private static JsonTokenType KindOf(byte first) => first switch
    {
        (byte)'"' => JsonTokenType.String,
        (byte)'{' => JsonTokenType.StartObject,
        (byte)'[' => JsonTokenType.StartArray,
        (byte)'t' => JsonTokenType.True,
        (byte)'f' => JsonTokenType.False,
        (byte)'n' => JsonTokenType.Null,
        _ => JsonTokenType.Number,
    };
}
