using System.Globalization;
using System.Text;

namespace Aiproxy.Upstreams;

/// <summary>What an <c>echo</c> answer is asked to do, by words in the model name (<c>echo-tool-delay-50</c>) or in markers of the text (<c>[[error 429]]</c>).</summary>
public sealed record EchoScript
{
    /// <summary>Call the request's first function tool.</summary>
    public bool CallsTool { get; init; }

    public bool Thinks { get; init; }

    /// <summary>Pause before each word (and before a whole answer), at most a minute.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Answer with this HTTP status, 400 to 599; null: a proper answer.</summary>
    public int? ErrorStatus { get; init; }

    /// <summary>Break the connection after this many words; null: never.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Answer with this many words instead of the user's text, at most 100,000; null: the user's text.</summary>
    public int? Words { get; init; }

    /// <param name="model">Words after <c>echo</c>, split by <c>-</c>.</param>
    /// <param name="text">May hold markers; see <see cref="Strip"/>.</param>
    public static EchoScript Parse(string model, string text)
    {
        var script = new EchoScript();
        int start = model.IndexOf("echo", StringComparison.OrdinalIgnoreCase);
        if (start >= 0) script = Apply(script, model[(start + 4)..].Split('-', StringSplitOptions.RemoveEmptyEntries));
        foreach (Range marker in Markers(text)) script = Apply(script, text[marker][2..^2].Split([' ', '-'], StringSplitOptions.RemoveEmptyEntries));
        return script;
    }

    /// <summary>The text without its markers.</summary>
    public static string Strip(string text)
    {
        var kept = new StringBuilder(text.Length);
        int at = 0;
        foreach (Range marker in Markers(text))
        {
            kept.Append(text, at, marker.Start.Value - at);
            at = marker.End.Value;
        }
        return kept.Append(text, at, text.Length - at).ToString().Trim();
    }

    // Brackets included.
    private static List<Range> Markers(string text)
    {
        var markers = new List<Range>();
        for (int at = 0; text.IndexOf("[[", at, StringComparison.Ordinal) is var open and >= 0;)
        {
            int close = text.IndexOf("]]", open, StringComparison.Ordinal);
            if (close < 0) break;
            at = close + 2;
            markers.Add(open..at);
        }
        return markers;
    }

    private static EchoScript Apply(EchoScript script, string[] words)
    {
        for (int i = 0; i < words.Length; i++)
        {
            int? number = i + 1 < words.Length && int.TryParse(words[i + 1].TrimEnd('m', 's'), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
            script = words[i].ToLowerInvariant() switch
            {
                "tool" => script with { CallsTool = true },
                "think" or "thinking" => script with { Thinks = true },
                "delay" => script with { Delay = TimeSpan.FromMilliseconds(Math.Min(number ?? 100, 60_000)) },
                "error" => script with { ErrorStatus = number is >= 400 and <= 599 ? number : 500 },
                "cut" => script with { CutAfter = number ?? 3 },
                "words" => script with { Words = Math.Min(number ?? 100, 100_000) },
                _ => script,
            };
        }
        return script;
    }
}
