using System.Buffers;

namespace Aiproxy.Config;

/// <summary>Reads <c>http_headers</c>. Values are secret: this is where keys of gateways stand.</summary>
public static class HeadersReader
{
    /// <summary>RFC 9110 section 5.6.2: what a token may hold.</summary>
    private static readonly SearchValues<char> TokenLetters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>These belong to the connection; set by hand they break its framing.</summary>
    private static readonly string[] OfTheConnection = ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

    public static Dictionary<string, string> Read(MapReader upstream)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach ((FoundText name, ConfigNode node) in upstream.Entries("http_headers", Shown.Step))
        {
            string value = upstream.Context.Secret(node, name.Path)?.Text ?? "";
            string? problem =
                name.Text.AsSpan().ContainsAnyExcept(TokenLetters) ? "not a header name: it holds letters, digits and '-'"
                : OfTheConnection.Contains(name.Text, StringComparer.OrdinalIgnoreCase) ? "this header belongs to the connection and cannot be set"
                : !CanBeSent(value) ? "the value holds characters that a header cannot carry; printable ASCII is legal"
                : headers.TryAdd(name.Text, value) ? null
                : "this header is given twice; case makes no difference";
            if (problem is not null) upstream.Errors.Error(name.Path, problem);
        }
        return headers;
    }

    /// <summary>Printable ASCII and tab: no line break that would begin another header, nothing that the HTTP client refuses.</summary>
    public static bool CanBeSent(string value) => value.All(letter => letter is >= ' ' and <= '~' or '\t');
}
