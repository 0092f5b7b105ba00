using System.Text.Json;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Walks the members of one JSON object and hands their values out as raw bytes: nothing is decoded, nothing allocated.</summary>
/// <remarks>A value that is a container is skipped over, so a walk to the end has checked the whole text. Throws <see cref="JsonException"/> for text that is no JSON,
/// text after the object included. Text that is JSON but no object has no members.</remarks>
public ref struct JsonMembers
{
    /// <summary>Deeper than any real answer, low enough to keep a hostile one from the stack of later readers.</summary>
    public const int MaxDepth = 256;

    private readonly ReadOnlySpan<byte> _json;
    private Utf8JsonReader _reader;
    private readonly bool _isObject;

    /// <param name="json">One JSON value; empty has no members.</param>
    public JsonMembers(ReadOnlySpan<byte> json)
    {
        _json = json;
        if (json.IsEmpty) return;
        _reader = new Utf8JsonReader(json, isFinalBlock: true, new JsonReaderState(new JsonReaderOptions { MaxDepth = MaxDepth }));
        _isObject = _reader.Read() && _reader.TokenType == JsonTokenType.StartObject;
        if (_isObject) return;
        _reader.Skip();
        while (_reader.Read()) { }
    }

    /// <summary>Raw name without quotes; escapes are not resolved.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Raw value: strings with their quotes.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    public bool Next()
    {
        if (!_isObject) return false;
        if (!_reader.Read() || _reader.TokenType != JsonTokenType.PropertyName)
        {
            while (_reader.Read()) { }
            return false;
        }
        Name = _reader.ValueSpan;
        _reader.Read();
        int start = (int)_reader.TokenStartIndex;
        _reader.Skip();
        Value = _json[start..(int)_reader.BytesConsumed];
        return true;
    }

    public readonly bool Is(ReadOnlySpan<byte> name) => Name.SequenceEqual(name);
}

/// <summary>Walks the elements of one JSON array; otherwise as <see cref="JsonMembers"/>.</summary>
public ref struct JsonElements
{
    private readonly ReadOnlySpan<byte> _json;
    private Utf8JsonReader _reader;
    private readonly bool _isArray;

    public JsonElements(ReadOnlySpan<byte> json)
    {
        _json = json;
        _reader = new Utf8JsonReader(json, isFinalBlock: true, new JsonReaderState(new JsonReaderOptions { MaxDepth = JsonMembers.MaxDepth }));
        _isArray = json.Length > 0 && _reader.Read() && _reader.TokenType == JsonTokenType.StartArray;
    }

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool Next()
    {
        if (!_isArray || !_reader.Read() || _reader.TokenType == JsonTokenType.EndArray) return false;
        int start = (int)_reader.TokenStartIndex;
        _reader.Skip();
        Value = _json[start..(int)_reader.BytesConsumed];
        return true;
    }
}
