namespace Aiproxy.Protocols.Model;

/// <summary>A token that only its issuer can read: a signature, encrypted reasoning, a thought signature.</summary>
/// <param name="Kind">What it proves.</param>
/// <param name="Issuer">Model family (<c>anthropic</c>, <c>gemini</c>) or, for encrypted content, the upstream's name; empty: unknown, it came raw from a client of that protocol.</param>
/// <param name="Value">The provider's text, unchanged.</param>
public sealed record Seal(SealKind Kind, string Issuer, string Value);

public enum SealKind
{
    /// <summary>Anthropic thinking signature.</summary>
    Thinking,

    /// <summary>Anthropic redacted thinking.</summary>
    Redacted,

    /// <summary>Responses <c>encrypted_content</c>.</summary>
    Encrypted,

    /// <summary>Reasoning of a Chat message as its server wants it back, signatures included: one JSON object of the message's members.</summary>
    Details,

    /// <summary>Gemini <c>thoughtSignature</c>.</summary>
    Thought,

    /// <summary>Nothing to restore.</summary>
    None,
}
