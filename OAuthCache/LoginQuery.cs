using System.Text;

namespace Aiproxy.OAuthCache;

/// <summary>Names and values of a query or a form body. A space is <c>%20</c>: every provider takes that, not every one takes <c>+</c>.</summary>
public static class LoginQuery
{
    public static string Write(params IEnumerable<(string Name, string Value)> pairs)
    {
        var text = new StringBuilder();
        foreach ((string name, string value) in pairs)
        {
            if (text.Length > 0) text.Append('&');
            text.Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
        }
        return text.ToString();
    }

    public static Uri Add(Uri url, params IEnumerable<(string Name, string Value)> pairs) =>
        new(url.AbsoluteUri + (url.Query.Length > 0 ? "&" : "?") + Write(pairs));

    /// <summary>Reads both spellings of a space. Of a name that comes twice the first counts.</summary>
    /// <param name="query">Without the question mark.</param>
    public static Dictionary<string, string> Read(string query)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = pair.IndexOf('=');
            pairs.TryAdd(Decode(equals < 0 ? pair : pair[..equals]), equals < 0 ? "" : Decode(pair[(equals + 1)..]));
        }
        return pairs;
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
