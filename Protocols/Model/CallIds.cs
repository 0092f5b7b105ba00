using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Aiproxy.Protocols.Model;

/// <summary>Ids of tool calls that a target takes. What is derived depends on the conversation alone, so that prompt prefixes stay cacheable.</summary>
public static class CallIds
{
    /// <summary>The id itself where it is legal, else <c>call_</c> and 24 hex digits of its SHA-256: the same for the call and its result.</summary>
    /// <param name="wordCharactersOnly">Anthropic: <c>[a-zA-Z0-9_-]</c>.</param>
    public static string For(string id, int maxLength, bool wordCharactersOnly) =>
        id.Length > 0 && id.Length <= maxLength && (!wordCharactersOnly || ToolNames.IsLegal(id, maxLength)) ? id : Hash(id);

    /// <summary>For a call that has no id of its own: from its place and name. Two calls of one tool get two ids.</summary>
    public static string Derive(int turn, int part, string name) => Hash(string.Create(CultureInfo.InvariantCulture, $"{turn}/{part}/{name}"));

    private static string Hash(string text) => "call_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 12));
}
