using System.Text;

namespace Aiproxy.Config;

/// <summary>Replaces <c>${NAME}</c>, <c>${NAME:-default}</c> and <c>${file:PATH}</c>; <c>$${</c> is a literal <c>${</c>.</summary>
/// <remarks>A default and a path may hold <c>${}</c> again; what comes from the environment or a file may not, it is taken as it is.</remarks>
/// <param name="environment">null: no such variable.</param>
/// <param name="readFile">The trimmed text of a file named as in the configuration, or a problem.</param>
public sealed class Expansion(Func<string, string?> environment, Func<string, (string? Text, string? Problem)> readFile)
{
    private const int DeepestNesting = 8;
    private const int LongestResult = 1024 * 1024;

    /// <summary>What came of one scalar.</summary>
    /// <param name="Text">With everything replaced that could be.</param>
    /// <param name="IsReplaced">Something in it came from outside the file.</param>
    /// <param name="Problems">Name variables and files, never their content.</param>
    public sealed record Result(string Text, bool IsReplaced, IReadOnlyList<string> Problems);

    public Result Expand(string text)
    {
        if (!text.Contains("${", StringComparison.Ordinal)) return new Result(text, false, []);
        var problems = new List<string>();
        bool isReplaced = false;
        string expanded = Expand(text, problems, ref isReplaced, 0);
        return new Result(expanded, isReplaced, problems);
    }

    private string Expand(string text, List<string> problems, ref bool isReplaced, int depth)
    {
        var result = new StringBuilder();
        for (int at = 0; at < text.Length;)
        {
            int dollar = text.IndexOf('$', at);
            if (dollar < 0) dollar = text.Length;
            result.Append(text, at, dollar - at);
            at = dollar;
            if (IsAt(text, at, "$${"))
            {
                result.Append("${");
                at += 3;
            }
            else if (IsAt(text, at, "${"))
            {
                int end = FindEnd(text, at + 2);
                if (end < 0)
                {
                    problems.Add("'${' has no closing '}'; write '$${' for a literal '${'");
                    return result.ToString();
                }
                isReplaced = true;
                result.Append(Replace(text[(at + 2)..end], problems, depth));
                at = end + 1;
            }
            else if (at < text.Length)
            {
                result.Append(text[at++]);
            }
            if (result.Length > LongestResult)
            {
                problems.Add("the text grows beyond 1 MB when '${}' is replaced");
                return "";
            }
        }
        return result.ToString();
    }

    private string Replace(string inner, List<string> problems, int depth)
    {
        if (depth >= DeepestNesting)
        {
            problems.Add($"'${{}}' is nested more than {DeepestNesting} deep");
            return "";
        }
        bool isReplaced = false;
        if (inner.StartsWith("file:", StringComparison.Ordinal))
        {
            string path = Expand(inner["file:".Length..], problems, ref isReplaced, depth + 1).Trim();
            (string? content, string? problem) = readFile(path);
            string shown = isReplaced || !IsPathLike(path) ? "the file of '${file:}'" : $"'{path}'";
            if (problem is not null) problems.Add($"{shown} cannot be read: {problem}");
            return content ?? "";
        }

        int split = inner.IndexOf(":-", StringComparison.Ordinal);
        string name = split < 0 ? inner : inner[..split];
        if (!IsName(name))
        {
            problems.Add("'${' must be followed by the name of an environment variable or by 'file:'; write '$${' for a literal '${'");
            return "";
        }
        string? value = environment(name);
        // As in a shell, ':-' also stands in for a variable that is set to nothing.
        if (split >= 0) return string.IsNullOrEmpty(value) ? Expand(inner[(split + 2)..], problems, ref isReplaced, depth + 1) : value;
        if (value is null) problems.Add($"the environment variable {name} is not set; '${{{name}:-default}}' would give a default");
        return value ?? "";
    }

    /// <summary>Index of the brace that closes what was opened before <paramref name="start"/>; -1: none.</summary>
    private static int FindEnd(string text, int start)
    {
        int open = 1;
        for (int at = start; at < text.Length; at++)
        {
            if (IsAt(text, at, "${"))
            {
                open++;
                at++;
            }
            else if (text[at] == '}' && --open == 0)
            {
                return at;
            }
        }
        return -1;
    }

    private static bool IsAt(string text, int at, string what) => string.CompareOrdinal(text, at, what, 0, what.Length) == 0;

    private static bool IsName(string text) =>
        text.Length is > 0 and <= 100 && !char.IsAsciiDigit(text[0]) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_');

    private static bool IsPathLike(string path) => path.Length <= 200 && !path.Any(char.IsControl);
}
