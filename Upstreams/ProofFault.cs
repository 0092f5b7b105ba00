using System.Text.RegularExpressions;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Knows the refusals by which providers say that a proof in the history is not theirs.</summary>
public static partial class ProofFault
{
    public static bool Is(Outcome outcome) =>
        outcome.Kind == OutcomeKind.Refused && outcome.Error is { } error && (error.Code == "invalid_encrypted_content" || Words().IsMatch(error.Message));

    // Anthropic: "Invalid `signature` in `thinking` block", "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified", "Expected `thinking`
    // or `redacted_thinking`, but found `tool_use`"; Gemini: "Thought signature is not valid"; OpenAI names encrypted content.
    [GeneratedRegex("invalid.{0,3}signature.{0,3} in .{0,3}thinking|thinking.{0,60}cannot be modified|expected .{0,3}thinking|thought.?signature|encrypted.?content", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}
