using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols;

/// <summary>Walks the members of one JSON object, or the elements of one array, and hands out each value as raw bytes.</summary>
/// <remarks>Throws <see cref="JsonException"/> where the text is not JSON, also behind the last member: walk to the end where that matters.
/// A root that is neither object nor array has no members. 256 levels at most.</remarks>
public ref struct JsonScan
{
    private readonly ReadOnlySpan<byte> _json;
    private Utf8JsonReader _reader;

    public JsonScan(ReadOnlySpan<byte> json)
    {
        _json = json;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
        _reader.Read();
        Root = _reader.TokenType;
    }

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
        if (Root is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) return false;
        _reader.Read();
        if (_reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
        {
            _reader.Read();
            return false;
        }
        if (_reader.TokenType == JsonTokenType.PropertyName)
        {
            Name = _reader.ValueIsEscaped
                ? Encoding.UTF8.GetBytes(RawJson.Decode(_json[(int)_reader.TokenStartIndex..((int)_reader.TokenStartIndex + _reader.ValueSpan.Length + 2)]))
                : _reader.ValueSpan;
            _reader.Read();
        }
        Start = (int)_reader.TokenStartIndex;
        Kind = _reader.TokenType;
        if (Kind is JsonTokenType.StartObject or JsonTokenType.StartArray) _reader.Skip();
        Value = _json[Start..(int)_reader.BytesConsumed];
        return true;
    }

    public readonly bool Is(ReadOnlySpan<byte> name) => Name.SequenceEqual(name);

    /// <summary>A whole number, also one written as a string (proto3 JSON) or with an empty fraction; null for anything else.</summary>
    public readonly long? Long()
    {
        ReadOnlySpan<byte> digits = IsString ? Inner : Kind == JsonTokenType.Number ? Value : default;
        if (Utf8Parser.TryParse(digits, out long whole, out int used) && used == digits.Length) return whole;
        if (Utf8Parser.TryParse(digits, out double number, out used) && used == digits.Length && Math.Abs(number) < 1e15) return (long)number;
        return null;
    }
}
