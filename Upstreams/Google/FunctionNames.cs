namespace Aiproxy.Upstreams.Google;

/// <summary>Function names in the form that Code Assist takes, and the way back. One a request.</summary>
/// <remarks>A name becomes the same alias in tools, history and choice. Names that are legal keep theirs, whoever comes first.</remarks>
public sealed class FunctionNames
{
    private const int MaxLength = 64;

    private readonly Dictionary<string, string> _sent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _clients = new(StringComparer.Ordinal);

    /// <param name="declared">The names of the tools.</param>
    public FunctionNames(IEnumerable<string> declared)
    {
        var strange = new List<string>();
        foreach (string name in declared)
        {
            if (Legal(name) == name) Add(name, name);
            else strange.Add(name);
        }
        foreach (string name in strange) For(name);
    }

    /// <summary>Sent name to the client's, where they differ; null: nowhere.</summary>
    public IReadOnlyDictionary<string, string>? ClientNames =>
        _clients.Any(static pair => pair.Key != pair.Value) ? _clients.Where(static pair => pair.Key != pair.Value).ToDictionary(StringComparer.Ordinal) : null;

    public string For(string name)
    {
        if (_sent.TryGetValue(name, out string? known)) return known;
        string legal = Legal(name), sent = legal;
        for (int number = 2; _clients.ContainsKey(sent); number++)
        {
            string end = "_" + number;
            sent = legal[..Math.Min(legal.Length, MaxLength - end.Length)] + end;
        }
        Add(name, sent);
        return sent;
    }

    private void Add(string name, string sent)
    {
        _sent[name] = sent;
        _clients[sent] = name;
    }

    /// <summary>"replace characters outside [A-Za-z0-9_.:-] by _, put _ before a leading non-letter, cut to 64"</summary>
    private static string Legal(string name)
    {
        bool isLed = name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_');
        Span<char> legal = stackalloc char[MaxLength];
        int length = 0;
        if (!isLed) legal[length++] = '_';
        foreach (char letter in name)
        {
            if (length == MaxLength) break;
            legal[length++] = char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or ':' or '-' ? letter : '_';
        }
        return new string(legal[..length]);
    }
}
