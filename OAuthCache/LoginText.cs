using System.Text;

namespace Aiproxy.OAuthCache;

/// <summary>Words of a provider, made fit for a terminal.</summary>
public static class LoginText
{
    private const int LongestLine = 240;

    /// <summary>From here on a word of letters and digits may be a token or a code.</summary>
    private const int SecretLength = 24;

    /// <summary>One line without control characters, cut; words that may be secrets are left out.</summary>
    public static string Line(string text)
    {
        var line = new StringBuilder();
        foreach (string word in Plain(text).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0) line.Append(' ');
            line.Append(MayBeSecret(word) ? "…" : word);
            if (line.Length > LongestLine) return line.ToString(0, LongestLine) + "…";
        }
        return line.ToString();
    }

    /// <summary>For what the user must see whole, such as a code to type: only what would steer the terminal is taken out.</summary>
    public static string Plain(string text) =>
        string.Concat(text.Select(letter => char.IsControl(letter) || letter is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') ? ' ' : letter)).Trim();

    // A host or a path has its dots and slashes; a token that has some (a JWT, Google's) has a long part all the same.
    private static bool MayBeSecret(string word) =>
        word.Split('.', '/', ':', '=', '?', '&', '"', '\'').Any(part => part.Length >= SecretLength && part.Any(char.IsDigit) && part.Any(char.IsLetter));
}
