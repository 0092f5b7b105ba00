using System.Text;

namespace Aiproxy.Bench;

/// <summary>Text as models write it: short words, now and then a line end, a quote, a letter beyond ASCII. The same for each run.</summary>
public sealed class Words(int seed)
{
    private static readonly string[] Plain =
    [
        " the", " of", " a", " to", " function", " returns", " value", ",", " which", " is", " then", " passed", " on", ".", " reader", " buffer", " when", " stream",
        " ends", " and", " configuration", " it", " that", " request", " by", " for", " error", " client", " with", " be",
    ];

    // As they stand inside a JSON string.
    private static readonly string[] Special = ["\\n", "\\n\\n", " \\\"name\\\"", " caf\u00e9", " \u2014", " \\u00fc", " \ud83d\ude00", "\\t"];

    private readonly Random _random = new(seed);

    /// <summary>So many words as the inside of a JSON string.</summary>
    public string Next(int count)
    {
        var text = new StringBuilder();
        for (int i = 0; i < count; i++)
            text.Append(_random.Next(20) == 0 ? Special[_random.Next(Special.Length)] : Plain[_random.Next(Plain.Length)]);
        return text.ToString();
    }
}
