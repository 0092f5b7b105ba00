using System.Text.Json;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Short ways to look into a JSON text.</summary>
public static class JsonLook
{
    /// <summary>A JSON string token of the text.</summary>
    public static string Quote(string text) => '"' + JsonEncodedText.Encode(text).ToString() + '"';

    /// <summary>The value at a path of member names and array indices; null where a step is missing.</summary>
    public static JsonElement? At(string json, params object[] path)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 512 });
            var element = document.RootElement;
            foreach (var step in path)
            {
                if (step is int index && element.ValueKind == JsonValueKind.Array && index < element.GetArrayLength()) element = element[index];
                else if (step is string name && element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member)) element = member;
                else return null;
            }
            return element.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The string at a path; null where there is none.</summary>
    public static string? Text(string json, params object[] path) =>
        At(json, path) is { ValueKind: JsonValueKind.String } element ? element.GetString() : null;

    public static int? Number(string json, params object[] path) =>
        At(json, path) is { ValueKind: JsonValueKind.Number } element ? element.GetInt32() : null;

    public static bool IsJson(string text) => At(text) is not null;
}
