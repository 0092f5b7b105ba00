using System.Text.Json;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>One call to a provider, taken apart.</summary>
public sealed class FakeProviderCall
{
    public FakeProviderCall(RecordedRequest request)
    {
        Request = request;
        var parts = request.Target.Split('?', 2);
        var path = parts[0].Split('/', 3);
        Type = path.Length > 1 ? path[1] : "";
        Path = path.Length > 2 ? "/" + path[2] : "/";
        Query = Pairs(parts.Length > 1 ? parts[1] : "");
        var contentType = request.Header("Content-Type")?.Split(';')[0].Trim().ToLowerInvariant() ?? "";
        IsForm = contentType == "application/x-www-form-urlencoded";
        IsJson = contentType is "application/json" or "application/x-amz-json-1.0" && JsonLook.At(request.Text) is { ValueKind: JsonValueKind.Object };
        Form = IsForm ? Pairs(request.Text) : [];
    }

    public RecordedRequest Request { get; }

    /// <summary>First step of the path: an api_type.</summary>
    public string Type { get; }

    /// <summary>What follows it, without the query.</summary>
    public string Path { get; }

    public Dictionary<string, string> Query { get; }

    public Dictionary<string, string> Form { get; }

    public bool IsForm { get; }

    public bool IsJson { get; }

    public bool IsPost => Request.Method == "POST";

    public bool IsGet => Request.Method == "GET";

    public string? Bearer => Request.Header("Authorization") is { } value && value.StartsWith("Bearer ", StringComparison.Ordinal) ? value[7..] : null;

    /// <summary>A string member of a JSON body.</summary>
    public string? Json(string name) => IsJson ? JsonLook.Text(Request.Text, name) : null;

    /// <summary>A field of the body, whatever its encoding.</summary>
    public string? Field(string name) => IsForm ? Form.GetValueOrDefault(name) : Json(name);

    private static Dictionary<string, string> Pairs(string text)
    {
        var pairs = new Dictionary<string, string>();
        foreach (var pair in text.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var sides = pair.Split('=', 2);
            pairs[Decode(sides[0])] = sides.Length > 1 ? Decode(sides[1]) : "";
        }
        return pairs;
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
