using System.Text.RegularExpressions;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Takes what looks like a credential out of a message that is shown or logged.</summary>
public static partial class Redaction
{
    public static string Apply(string message) => Secrets().Replace(message, static match => match.Groups["name"].Value + "***");

    [GeneratedRegex(
        """(?<name>\b(?:api[-_]?key|key|token|secret|password)=)[^&\s"'<>]+|(?<name>\bBearer\s+)[A-Za-z0-9._~+/=\-]{6,}|\b(?:sk|gsk|xai|rk|pk)[-_][A-Za-z0-9_*.\-]{4,}|\bAIza[A-Za-z0-9_\-]{6,}|\bya29\.[A-Za-z0-9_.\-]+|\beyJ[A-Za-z0-9_\-]{10,}(?:\.[A-Za-z0-9_\-]+)*""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Secrets();
}
