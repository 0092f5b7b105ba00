using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Tool names as the service takes them, and the way back. Made of the client's request alone, so that request and answer agree.</summary>
/// <remarks>A name begins with a letter, goes on with <c>[A-Za-z0-9_-]</c>, and differs from all others by more than case. <c>web_search</c> is the service's own:
/// it goes out as <c>remote_web_search</c>. What does not fit gets an alias of its first characters and a hash of the whole.</remarks>
public sealed class KiroNames
{
    private const string Reserved = "web_search";

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _originals = new(StringComparer.OrdinalIgnoreCase);
    private readonly int _maxLength;

    private KiroNames(int maxLength) => _maxLength = maxLength;

    /// <summary>Of the tools first, then of what only the history calls, each in order: who comes first keeps his name.</summary>
    /// <param name="request">As the client sent it, before any repair.</param>
    public static KiroNames Of(ChatRequest request, KiroLimits limits)
    {
        var names = new KiroNames(limits.MaxName);
        foreach (ToolDefinition tool in request.Tools)
        {
            if (tool.Kind != ToolKind.Foreign) names.Add(ToolNames.Flat(tool));
        }
        foreach (Turn turn in request.Turns)
        {
            foreach (Part part in turn.Parts)
            {
                if (part is ToolCallPart call) names.Add(ToolNames.Flat(call.Namespace, call.Name));
            }
        }
        return names;
    }

    /// <param name="repaired">A name as <see cref="HistoryRepair"/> leaves it.</param>
    public string For(string repaired) => _names.GetValueOrDefault(repaired, repaired);

    /// <summary>What the client calls the tool, its namespace in front; a name that the model invented stays.</summary>
    public string Original(string name) =>
        _originals.TryGetValue(name, out string? original) && original.Length > 0 && For(Legal(original)) == name ? original : name;

    private static string Legal(string name) => ToolNames.For(name, int.MaxValue);

    private void Add(string original)
    {
        string legal = Legal(original);
        if (_names.ContainsKey(legal)) return;
        string name = legal == Reserved ? "remote_" + Reserved : legal;
        bool isTaken = name.Equals(Reserved, StringComparison.OrdinalIgnoreCase) || !Fits(name) || _originals.ContainsKey(name);
        for (int round = 0; isTaken; round++)
        {
            name = Alias(original, round);
            isTaken = _originals.ContainsKey(name);
        }
        _names.Add(legal, name);
        _originals.Add(name, original);
    }

    private bool Fits(string name) => ToolNames.IsLegal(name, _maxLength) && char.IsAsciiLetter(name[0]);

    private string Alias(string original, int round)
    {
        string hashed = round == 0 ? original : original + round.ToString(CultureInfo.InvariantCulture);
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(hashed)).AsSpan(0, 4));
        var alias = new StringBuilder(_maxLength);
        if (!char.IsAsciiLetter(original.FirstOrDefault('_'))) alias.Append('t');
        foreach (char c in original)
        {
            if (alias.Length == _maxLength - 9) break;
            alias.Append(char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '_');
        }
        return alias.Append('_').Append(hash).ToString();
    }
}
