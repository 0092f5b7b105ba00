using System.Text;
using System.Text.Json;
using System.Runtime.InteropServices;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Typed access to the members of one JSON object of a client's request. A member that is missing or <c>null</c> is null.</summary>
/// <remarks>A wrong type throws <see cref="ProtocolException"/> with the member's JSON path. Strings never throw for broken UTF-8.</remarks>
public readonly struct JsonFields
{
    private readonly JsonElement _object;

    /// <param name="proto">proto3 JSON: snake_case names are read too, and numbers may be strings.</param>
    public JsonFields(JsonElement element, string path, bool proto = false)
    {
        if (element.ValueKind != JsonValueKind.Object) throw Wrong(path, "an object", element);
        _object = element;
        Path = path;
        IsProto = proto;
    }

    public string Path { get; }

    public bool IsProto { get; }

    public JsonElement Raw => _object;

    public string At(string name) => Path.Length == 0 ? name : $"{Path}.{name}";

    public JsonElement? Get(string name)
    {
        if (_object.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null) return value;
        if (IsProto && _object.TryGetProperty(Snake(name), out value) && value.ValueKind != JsonValueKind.Null) return value;
        return null;
    }

    public JsonText? Text(string name) =>
        Get(name) is not { } value ? default(JsonText?) : value.ValueKind == JsonValueKind.String ? JsonText.From(value) : throw Wrong(At(name), "a string", value);

    public string? String(string name) => Text(name)?.ToString();

    public bool? Bool(string name) => Get(name) is not { } value ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(At(name), "true or false", value),
    };

    /// <summary>A number with the client's digits.</summary>
    public JsonElement? Number(string name)
    {
        if (Get(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number) return value;
        if (IsProto && value.ValueKind == JsonValueKind.String && ParseNumber(Decode(value)) is { } number) return number;
        throw Wrong(At(name), "a number", value);
    }

    /// <summary>A whole number; a fraction of zero is accepted.</summary>
    public long? Long(string name)
    {
        if (Number(name) is not { } value) return null;
        if (value.TryGetInt64(out long whole)) return whole;
        if (value.TryGetDouble(out double number) && Math.Abs(number) < 9e15 && number == Math.Floor(number)) return (long)number;
        throw Wrong(At(name), "a whole number", value);
    }

    /// <summary>A limit of tokens.</summary>
    /// <param name="least">The smallest that the protocol's own provider takes.</param>
    public long? Limit(string name, long least) =>
        Long(name) is { } limit ? limit >= least ? limit : throw new ProtocolException(ErrorKind.InvalidRequest, $"{At(name)}: expected {least} or more, found {limit}", At(name)) : null;

    public JsonFields? Object(string name) => Get(name) is { } value ? new JsonFields(value, At(name), IsProto) : null;

    /// <summary>An array's elements with their paths; a missing array is empty. With <paramref name="single"/> one value stands for an array of one.</summary>
    public IEnumerable<(JsonElement Value, string Path)> Items(string name, bool single = false)
    {
        if (Get(name) is not { } value) return [];
        string path = At(name);
        if (value.ValueKind == JsonValueKind.Array) return value.EnumerateArray().Select((item, index) => (item, $"{path}[{index}]"));
        return single ? [(value, path)] : throw Wrong(path, "an array", value);
    }

    public IReadOnlyList<string> Strings(string name) =>
        [.. Items(name).Select(item => item.Value.ValueKind == JsonValueKind.String ? Decode(item.Value) : throw Wrong(item.Path, "a string", item.Value))];

    /// <summary>The text of a JSON string element.</summary>
    public static string Decode(JsonElement text) => RawJson.Decode(JsonMarshal.GetRawUtf8Value(text));

    public static byte[] RawBytes(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).ToArray();

    public static ProtocolException Wrong(string path, string expected, JsonElement found) =>
        new(ErrorKind.InvalidRequest, $"{(path.Length == 0 ? "body" : path)}: expected {expected}, found {Word(found.ValueKind)}", path);

    public ProtocolException Missing(string name) => new(ErrorKind.InvalidRequest, $"{At(name)}: field required", At(name));

    private static string Word(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };

    private static JsonElement? ParseNumber(string text)
    {
        try
        {
            using JsonDocument parsed = JsonDocument.Parse(text);
            return parsed.RootElement.ValueKind == JsonValueKind.Number ? parsed.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Snake(string name)
    {
        var snake = new StringBuilder(name.Length + 4);
        foreach (char letter in name)
        {
            if (char.IsAsciiLetterUpper(letter)) snake.Append('_');
            snake.Append(char.ToLowerInvariant(letter));
        }
        return snake.ToString();
    }
}
