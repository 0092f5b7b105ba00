using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Aiproxy.Tests.StreamInvariants;

/// <summary>How a client stream ended; anything else than these two is a failed check.</summary>
public enum StreamEnd { Finished, Failed }

/// <summary>A JSON value and where it stands. Every look that does not find what it expects fails the test, naming the place.</summary>
public readonly record struct Node(JsonElement Json, string Where)
{
    public static Node Parse(string text, string where)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return new Node(document.RootElement.Clone(), where);
        }
        catch (JsonException)
        {
            throw Broken(where, $"no JSON: {text}");
        }
    }

    public static Node ParseObject(string text, string where)
    {
        Node node = Parse(text, where);
        node.Check(node.Json.ValueKind == JsonValueKind.Object, "must be a JSON object");
        return node;
    }

    /// <summary>A member that must be there and not null.</summary>
    public Node this[string name] => Optional(name) ?? throw Broken(Where, $"{name} is missing or null");

    /// <summary>The items of this array.</summary>
    public IReadOnlyList<Node> Items
    {
        get
        {
            Check(Json.ValueKind == JsonValueKind.Array, "must be an array");
            string where = Where;
            return [.. Json.EnumerateArray().Select((item, i) => new Node(item, $"{where}[{i}]"))];
        }
    }

    public bool IsObject => Json.ValueKind == JsonValueKind.Object;

    /// <summary>The member is there, even if it is null.</summary>
    public bool Has(string name) => IsObject && Json.TryGetProperty(name, out _);

    /// <summary>Null: missing or JSON null.</summary>
    public Node? Optional(string name) =>
        IsObject && Json.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? new Node(value, $"{Where}.{name}") : null;

    /// <summary>A string member, perhaps empty.</summary>
    public string Text(string name)
    {
        Node member = this[name];
        member.Check(member.Json.ValueKind == JsonValueKind.String, "must be a string");
        return member.Json.GetString()!;
    }

    /// <summary>A string member that is not empty.</summary>
    public string Name(string name)
    {
        string text = Text(name);
        Check(text.Length > 0, $"{name} must not be empty");
        return text;
    }

    /// <summary>A whole number of zero or more.</summary>
    public long Number(string name)
    {
        Node member = this[name];
        member.Check(member.Json.ValueKind == JsonValueKind.Number && member.Json.TryGetInt64(out long value) && value >= 0, "must be a whole number");
        return member.Json.GetInt64();
    }

    public void CheckText(string name, string expected)
    {
        string text = Text(name);
        Check(text == expected, $"{name} must be '{expected}', is '{text}'");
    }

    public void CheckNumber(string name, long expected)
    {
        long number = Number(name);
        Check(number == expected, $"{name} must be {expected}, is {number}");
    }

    public void Check([DoesNotReturnIf(false)] bool holds, string rule)
    {
        if (!holds) throw Broken(Where, rule);
    }

    public static Exception Broken(string where, string rule) => Xunit.Sdk.FailException.ForFailure($"{where}: {rule}");
}
