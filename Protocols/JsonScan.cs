using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols;

/// <summary>Walks the members of one JSON object, or the elements of one array, and hands out each value as raw bytes.</summary>
/// <remarks>Throws <see cref="JsonException"/> where the text is not JSON, also behind the last member: walk to the end where that matters. A value that
/// was handed out is JSON in all its depth. A root that is neither object nor array has no members. 256 levels at most.
/// A value is looked through once, when it is asked for, gone into, or passed by.</remarks>
public ref struct JsonScan
{
    private readonly ReadOnlySpan<byte> _json;
    private readonly bool _isChecked;
    private int _level;

    /// <summary>The first byte of what is walked.</summary>
    private byte _first;

    /// <summary>Offset behind the last value; of the value itself while its end is not known.</summary>
    private int _at;

    /// <summary>The bracket that ends it; 0: there are no more members.</summary>
    private byte _end;

    private bool _hasOne;
    private bool _isOpen;

    /// <exception cref="JsonException">The text begins like no JSON.</exception>
    public JsonScan(ReadOnlySpan<byte> json) : this(json, 0, isChecked: false, level: 0) { }

    private JsonScan(ReadOnlySpan<byte> json, int at, bool isChecked, int level)
    {
        _json = json;
        _isChecked = isChecked;
        _level = level + 1;
        _at = JsonBorders.Blanks(json, at);
        byte first = JsonBorders.At(json, _at);
        _first = first;
        if (first is (byte)'{' or (byte)'[')
        {
            if (_level > JsonBorders.MaxLevels) throw JsonBorders.Fault();
            // Two bytes lie between both pairs of brackets.
            _end = (byte)(first + 2);
            _at++;
        }
        else if (!isChecked && JsonBorders.Blanks(json, JsonBorders.Check(json, _at, level)) < json.Length)
        {
            throw JsonBorders.Fault();
        }
    }

    /// <summary>Of a value that another scan has handed out: it is not checked again.</summary>
    public static JsonScan Inside(ReadOnlySpan<byte> value) => new(value, 0, isChecked: true, level: 0);

    /// <summary>The first token of what is walked.</summary>
    public readonly JsonTokenType Root => KindOf(_first);

    /// <summary>The member's name, unescaped; empty in an array.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The value as it stands; a string with its quotes.</summary>
    public ReadOnlySpan<byte> Value
    {
        get
        {
            if (_isOpen) Close();
            return _json[Start.._at];
        }
    }

    /// <summary>The first token of the value.</summary>
    public readonly JsonTokenType Kind => KindOf(JsonBorders.At(_json, Start));

    /// <summary>Where <see cref="Value"/> begins in the scanned text.</summary>
    public int Start { get; private set; }

    public readonly bool IsString => JsonBorders.At(_json, Start) == (byte)'"';

    public readonly bool IsNull => JsonBorders.At(_json, Start) == (byte)'n';

    /// <summary>An object or an array.</summary>
    public readonly bool IsContainer => JsonBorders.At(_json, Start) is (byte)'{' or (byte)'[';

    /// <summary>A string without its quotes, still escaped; empty for anything else.</summary>
    public ReadOnlySpan<byte> Inner => IsString ? Value[1..^1] : default;

    public bool Next()
    {
        if (_isOpen) Close();
        if (_end == 0) return false;
        return (_first == (byte)'{' && TryPlainMember()) || NextOfAny();
    }

    /// <summary>A member without escapes or white space in front of its value, whose name is short and not near the end of the text: nearly all are.
    /// False: it is none of these, and nothing was taken.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryPlainMember()
    {
        // A comma, two quotes, a colon and the value's first byte.
        const int Others = 5;
        int at = _at;
        if (at > _json.Length - (Others + JsonBorders.MostInShortString)) return false;
        // All that is read below lies within what was just compared.
        ref byte next = ref Unsafe.Add(ref MemoryMarshal.GetReference(_json), at);
        if (_hasOne)
        {
            if (next != (byte)',') return false;
            next = ref Unsafe.Add(ref next, 1);
            at++;
        }
        if (next != (byte)'"') return false;
        next = ref Unsafe.Add(ref next, 1);
        int length = JsonBorders.ShortString(ref next);
        ref byte quote = ref Unsafe.Add(ref next, length);
        if (quote != (byte)'"' || Unsafe.Add(ref quote, 1) != (byte)':' || Unsafe.Add(ref quote, 2) <= (byte)' ') return false;
        Name = MemoryMarshal.CreateReadOnlySpan(ref next, length);
        Start = _at = at + length + 3;
        _hasOne = _isOpen = true;
        return true;
    }

    private bool NextOfAny()
    {
        ReadOnlySpan<byte> json = _json;
        int at = JsonBorders.Blanks(json, _at);
        byte next = JsonBorders.At(json, at);
        if (next == _end) return End(at + 1);
        if (_hasOne)
        {
            if (next != (byte)',') throw JsonBorders.Fault();
            at = JsonBorders.Blanks(json, at + 1);
        }
        _hasOne = true;
        if (_first == (byte)'{') at = TakeName(json, at);
        Start = _at = at;
        _isOpen = true;
        return true;
    }

    /// <summary>Goes into the value, which must be an object or an array: what follows are its members, until <see cref="Up"/>.</summary>
    public Place Down()
    {
        if (_level == JsonBorders.MaxLevels) throw JsonBorders.Fault();
        var place = new Place(Start, _first, _end);
        _first = JsonBorders.At(_json, Start);
        _end = (byte)(_first + 2);
        _at = Start + 1;
        _level++;
        _hasOne = _isOpen = false;
        return place;
    }

    /// <summary>Back at the value that was gone into, and behind it, however far it was walked.</summary>
    public void Up(Place place)
    {
        while (Next()) { }
        (Start, _first, _end) = (place.Start, place.First, place.End);
        _level--;
        _hasOne = true;
    }

    /// <summary>Where <see cref="Down"/> was called.</summary>
    public readonly record struct Place(int Start, byte First, byte End);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Is(ReadOnlySpan<byte> name) => Name.SequenceEqual(name);

    /// <summary>A whole number, also one written as a string (proto3 JSON) or with an empty fraction; null for anything else.</summary>
    public long? Long() => _isOpen && TryDigits(out long few) ? few : LongOfAny();

    private long? LongOfAny()
    {
        if (!IsString && Kind != JsonTokenType.Number) return null;
        ReadOnlySpan<byte> digits = IsString ? Inner : Value;
        if (Utf8Parser.TryParse(digits, out long whole, out int used) && used == digits.Length) return whole;
        if (Utf8Parser.TryParse(digits, out double number, out used) && used == digits.Length && Math.Abs(number) < 1e15) return (long)number;
        return null;
    }

    /// <summary>A plain number that ends before the object does, in one pass: nearly all counters and indexes are one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryDigits(out long value)
    {
        const int MostDigits = 18;
        ReadOnlySpan<byte> digits = _json[Start..];
        int length = 0;
        long number = 0;
        uint digit = 0;
        for (; length < digits.Length && (digit = digits[length] - (uint)'0') <= 9; length++) number = unchecked(number * 10 + digit);
        value = number;
        // What ended it is in "digit", as far from '0' as it is.
        bool isPlain = length is > 0 and <= MostDigits && length < digits.Length && (length == 1 || digits[0] != (byte)'0')
            && unchecked((byte)(digit + '0')) is (byte)',' or (byte)'}' or (byte)']';
        if (!isPlain) return false;
        _at = Start + length;
        _isOpen = false;
        return true;
    }

    private void Close()
    {
        _at = _isChecked ? JsonBorders.Skip(_json, _at) : JsonBorders.Check(_json, _at, _level);
        _isOpen = false;
    }

    private bool End(int at)
    {
        _end = 0;
        _at = at;
        if (_level == 1 && !_isChecked && JsonBorders.Blanks(_json, at) < _json.Length) throw JsonBorders.Fault();
        return false;
    }

    /// <summary>Returns where the value begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int TakeName(ReadOnlySpan<byte> json, int at)
    {
        if (JsonBorders.At(json, at) != (byte)'"') throw JsonBorders.Fault();
        int end = JsonBorders.PlainString(json, at);
        if (end > 0) Name = json[(at + 1)..(end - 1)];
        else end = TakeEscapedName(json, at);
        at = JsonBorders.Blanks(json, end);
        if (JsonBorders.At(json, at) != (byte)':') throw JsonBorders.Fault();
        return JsonBorders.Blanks(json, at + 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int TakeEscapedName(ReadOnlySpan<byte> json, int at)
    {
        int end = JsonBorders.String(json, at);
        Name = Encoding.UTF8.GetBytes(RawJson.Decode(json[at..end]));
        return end;
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
