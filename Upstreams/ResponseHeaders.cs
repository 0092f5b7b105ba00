using System.Net.Http.Headers;

namespace Aiproxy.Upstreams;

/// <summary>The headers of an upstream's answer that pass to the client.</summary>
public static class ResponseHeaders
{
    private const string Json = "application/json";

    public static IReadOnlyList<KeyValuePair<string, string>> ForClient(HttpResponseMessage response)
    {
        var passed = new List<KeyValuePair<string, string>>();
        foreach (KeyValuePair<string, HeaderStringValues> header in response.Headers.NonValidated)
        {
            if (!HeaderRules.PassesToClient(header.Key) || IsNamedByConnection(response, header.Key)) continue;
            foreach (string value in header.Value) passed.Add(new(header.Key, value));
        }
        return passed;
    }

    /// <summary>The type of a body that was seen to be JSON: as the upstream calls it, unless a browser would take it for something else.</summary>
    public static string JsonType(HttpResponseMessage response) =>
        response.Content.Headers.ContentType is { MediaType: { } media } type && media.Contains("json", StringComparison.OrdinalIgnoreCase) ? type.ToString() : Json;

    // RFC 9110, 7.6.1: "Intermediaries MUST [...] remove any header or trailer field(s) [...] with the same name as the connection-option."
    private static bool IsNamedByConnection(HttpResponseMessage response, string name)
    {
        foreach (string option in response.Headers.Connection)
            if (option.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}
