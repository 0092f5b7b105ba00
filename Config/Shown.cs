namespace Aiproxy.Config;

/// <summary>What a message may repeat of a file that holds secrets, one of which may stand in the wrong place.</summary>
public static class Shown
{
    private const int LongestValue = 40;

    /// <summary>From here on, letters mixed with digits may be somebody's key; names and numbers are shorter or unmixed.</summary>
    private const int SecretLength = 14;

    /// <summary><c>, got 'x'</c>, or as much of that as can be said of <paramref name="found"/>.</summary>
    public static string Got(FoundText found)
    {
        if (found.IsHidden) return "";
        return IsHarmless(found.Text) ? $", got '{found.Text}'" : $", got a text of {found.Text.Length} characters";
    }

    /// <summary><c> 'x'</c>, or nothing.</summary>
    public static string Name(FoundText found) => found.IsHidden || !IsHarmless(found.Text) ? "" : $" '{found.Text}'";

    /// <summary>How a path goes on with a key of the file: <c>.weight</c>, or <c>["…"]</c> where the key is not fit to be shown.</summary>
    public static string Step(string key) => IsPlain(key) && IsHarmless(key) ? "." + key : "[\"…\"]";

    /// <summary>As <see cref="Step"/> for a key that is a model's name, where letters mixed with digits are the rule.</summary>
    public static string ModelStep(string key) => key.Contains("${", StringComparison.Ordinal) ? "[\"…\"]" : $"[\"{Model(key)}\"]";

    /// <summary>A model's name, cut to one short line.</summary>
    public static string Model(string name)
    {
        string clean = string.Concat(name.Select(letter => BreaksLine(letter) || char.IsSurrogate(letter) ? '?' : letter));
        return clean.Length <= 80 ? clean : clean[..80] + "…";
    }

    /// <summary>Short, on one line, and nothing like a key.</summary>
    public static bool IsHarmless(string text)
    {
        if (text.Length > LongestValue || text.Any(BreaksLine)) return false;
        return text.Length < SecretLength || !(text.Any(char.IsDigit) && text.Any(char.IsLetter));
    }

    private static bool BreaksLine(char letter) => char.IsControl(letter) || letter is '\u2028' or '\u2029';

    private static bool IsPlain(string key) => key.Length > 0 && key.All(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_');
}

/// <summary>A scalar with <c>${}</c> replaced.</summary>
/// <param name="Path">Where it was asked for.</param>
/// <param name="IsHidden">No message may repeat it: the key holds secrets, or the text came from the environment or a file.</param>
public sealed record FoundText(string Path, string Text, bool IsHidden);
