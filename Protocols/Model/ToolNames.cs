using System.Security.Cryptography;
using System.Text;

namespace Aiproxy.Protocols.Model;

/// <summary>Tool names that a target takes, and the way back to what the client called them.</summary>
/// <remarks>An alias depends on the name alone: it is the same in tools, history and choice, for every target, and prompt prefixes stay cacheable.</remarks>
public sealed class ToolNames
{
    private readonly Dictionary<string, ToolDefinition> _tools = new(StringComparer.Ordinal);

    private ToolNames() { }

    /// <summary>Codex groups tools in namespaces, which no other protocol knows.</summary>
    public static string Flat(string? space, string name) => string.IsNullOrEmpty(space) ? name : $"{space}__{name}";

    public static string Flat(ToolDefinition tool) => Flat(tool.Namespace, tool.Name);

    /// <summary>The name itself where the target takes it, else its alias: 55 characters, with <c>_</c> for all but <c>[A-Za-z0-9_-]</c> and in front of
    /// what is no letter, then <c>_</c> and 8 hex digits of the SHA-256 of the name.</summary>
    /// <param name="maxLength">64 for the OpenAI protocols and Gemini, 128 for Anthropic.</param>
    /// <param name="isLed">As <see cref="HistoryRules.NamesAreLed"/>.</param>
    public static string For(string name, int maxLength, bool isLed = false) => IsLegal(name, maxLength) && (!isLed || IsLed(name)) ? name : Alias(name);

    public static bool IsLegal(string name, int maxLength)
    {
        if (name.Length == 0 || name.Length > maxLength) return false;
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-')) return false;
        }
        return true;
    }

    /// <summary>What comes back from an upstream against what the client declared.</summary>
    public static ToolNames Of(ChatRequest? request)
    {
        var names = new ToolNames();
        foreach (ToolDefinition tool in request?.Tools ?? [])
        {
            if (tool.Kind == ToolKind.Foreign) continue;
            string flat = Flat(tool);
            names._tools.TryAdd(flat, tool);
            names._tools.TryAdd(Alias(flat), tool);
        }
        return names;
    }

    /// <summary>The client's tool behind a name of the upstream's; null: the model invented it, and the name goes through as it is.</summary>
    public ToolDefinition? Find(string upstreamName) => _tools.GetValueOrDefault(upstreamName);

    private static bool IsLed(string name) => name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_');

    private static string Alias(string name)
    {
        var alias = new StringBuilder(64);
        if (!IsLed(name)) alias.Append('_');
        foreach (char c in name.AsSpan(0, Math.Min(name.Length, 55 - alias.Length))) alias.Append(char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '_');
        return alias.Append('_').Append(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 4))).ToString();
    }
}
