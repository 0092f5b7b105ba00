namespace Aiproxy.Upstreams;

/// <summary>The headers of an upstream's answer that pass to the client.</summary>
public static class ResponseHeaders
{
    public static IReadOnlyList<KeyValuePair<string, string>> ForClient(HttpResponseMessage response)
    {
        var passed = new List<KeyValuePair<string, string>>();
        foreach ((string name, IEnumerable<string> values) in response.Headers.NonValidated.Select(header => (header.Key, (IEnumerable<string>)header.Value)))
        {
            if (!HeaderRules.PassesToClient(name) || IsNamedByConnection(response, name)) continue;
            foreach (string value in values) passed.Add(new(name, value));
        }
        return passed;
    }

    // RFC 9110, 7.6.1: "Intermediaries MUST [...] remove any header or trailer field(s) [...] with the same name as the connection-option."
    private static bool IsNamedByConnection(HttpResponseMessage response, string name)
    {
        foreach (string option in response.Headers.Connection)
            if (option.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}
