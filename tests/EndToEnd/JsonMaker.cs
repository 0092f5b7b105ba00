using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Seeded JSON texts of the ugliest legal kind: odd whitespace, escapes, duplicate keys, deep nesting, big numbers.</summary>
public sealed class JsonMaker(int seed)
{
    private static readonly string[] s_scalars =
    [
        "null", "true", "false", "0", "-0", "1e-7", "1E400", "123456789012345678901234567890.5", "0.1000", "\"\"",
        """ "\u00e9\u4e2d\ud83d\ude00" """.Trim(), """ "\/\b\f\n\r\t\"\\" """.Trim(), "\"é中😀\"", """ "\ud800 alone" """.Trim(), "\"data: x\"", "\"a\u2028b\"",
    ];

    private readonly Random _random = new(seed);

    public int Next(int below) => _random.Next(below);

    /// <summary>True once in so many times.</summary>
    public bool OneIn(int times) => _random.Next(times) == 0;

    public string Space() => OneIn(3) ? _random.Next(6) switch { 0 => " ", 1 => "\n", 2 => "\t", 3 => "\r\n", 4 => "  \n ", _ => "" } : "";

    public string Value(int depth)
    {
        if (depth <= 0 || OneIn(2)) return s_scalars[_random.Next(s_scalars.Length)];
        var count = _random.Next(4);
        if (OneIn(2)) return "[" + Space() + string.Join("," + Space(), Enumerable.Range(0, count).Select(_ => Value(depth - 1) + Space())) + "]";
        return "{" + Space() + string.Join("," + Space(), Enumerable.Range(0, count).Select(i => Member(Name(i), Value(depth - 1)))) + "}";
    }

    /// <summary>Lists and objects inside each other, <paramref name="depth"/> levels.</summary>
    public static string Nest(int depth) =>
        string.Concat(Enumerable.Range(0, depth).Select(i => i % 2 == 0 ? "[" : "{\"d\":")) + "1" + string.Concat(Enumerable.Range(0, depth).Reverse().Select(i => i % 2 == 0 ? "]" : "}"));

    /// <summary>A string token of random base64.</summary>
    public string Base64(int bytes)
    {
        var data = new byte[bytes];
        _random.NextBytes(data);
        return '"' + Convert.ToBase64String(data) + '"';
    }

    /// <summary>A name that no protocol knows; some repeat, some carry escapes; <c>model</c> appears below the top level only.</summary>
    private string Name(int i) => _random.Next(5) switch { 0 => "\"model\"", 1 => "\"x\\u005fe\"", 2 => "\"x_dup\"", 3 => "\"\"", _ => $"\"x_{i}\"" };

    public string Member(string nameToken, string value) => nameToken + Space() + ":" + Space() + value + Space();

    /// <summary>Members of an object, shuffled, with the odd whitespace between them. Members given later for the same name stay later.</summary>
    public string Object(IReadOnlyList<(string NameToken, string Value)> members)
    {
        var text = new StringBuilder(Space()).Append('{').Append(Space());
        for (var i = 0; i < members.Count; i++)
        {
            if (i > 0) text.Append(',').Append(Space());
            text.Append(Member(members[i].NameToken, members[i].Value));
        }
        return text.Append('}').Append(Space()).ToString();
    }

    /// <summary>Unknown top-level members.</summary>
    public List<(string NameToken, string Value)> Unknown()
    {
        var members = new List<(string, string)>();
        for (var i = _random.Next(6); i > 0; i--) members.Add((OneIn(4) ? "\"x_dup\"" : OneIn(4) ? "\"x\\u005fesc\"" : $"\"x_unknown_{i}\"", Value(4)));
        return members;
    }

    public void Insert<T>(List<T> list, T item) => list.Insert(_random.Next(list.Count + 1), item);
}
