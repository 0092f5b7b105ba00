using System.Collections.Frozen;

namespace Aiproxy.Upstreams;

/// <summary>Which headers pass. Requests: open families that a protocol's provider reads. Responses: all but those that belong to a hop or to the provider's own site.</summary>
public static class HeaderRules
{
    // Families, not names: providers add headers with every release, and half of a header/body pair is a hard error at the provider.
    private static readonly string[] AnthropicFamilies = ["anthropic-", "x-claude-code-"];
    private static readonly string[] OpenAIFamilies = ["openai-", "x-openai-", "x-codex-"];
    private static readonly string[] GeminiFamilies = ["x-goog-", "x-gemini-"];

    private static readonly FrozenSet<string> OpenAINames = FrozenSet.ToFrozenSet(
        ["originator", "session-id", "session_id", "thread-id", "conversation-id", "conversation_id", "x-client-request-id", "version", "x-session-id", "x-session-affinity"],
        StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> Credentials = FrozenSet.ToFrozenSet(
        ["authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "x-goog-iam-authorization-token", "anthropic-auth-token"],
        StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> NotForClients = FrozenSet.ToFrozenSet(
        [
            // Of one hop: RFC 9110, 7.6.1.
            "connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
            // Ours to set: the body is decoded and its framing is new.
            "content-length", "content-encoding", "content-type", "server", "date", "via", "vary", "accept-ranges", "etag",
            // Of the provider's own site; a redirect is not followed either.
            "set-cookie", "location", "alt-svc", "strict-transport-security", "www-authenticate", "nel", "report-to", "reporting-endpoints", "content-security-policy",
        ], StringComparer.OrdinalIgnoreCase);

    /// <summary>A client's request header that goes to an upstream of the same protocol.</summary>
    public static bool PassesToUpstream(string protocol, string name)
    {
        if (Credentials.Contains(name)) return false;
        if (name.Equals("idempotency-key", StringComparison.OrdinalIgnoreCase)) return true;
        return protocol switch
        {
            "anthropic" => InFamily(name, AnthropicFamilies),
            "openai" or "responses" => InFamily(name, OpenAIFamilies) || OpenAINames.Contains(name),
            "gemini" => InFamily(name, GeminiFamilies) || name.Equals("x-server-timeout", StringComparison.OrdinalIgnoreCase),
            _ => false,
        };
    }

    /// <summary>A header by which a client's program describes itself.</summary>
    public static bool IsOfTool(string name) =>
        name.Equals("user-agent", StringComparison.OrdinalIgnoreCase) || name.Equals("x-app", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("x-stainless-", StringComparison.OrdinalIgnoreCase);

    /// <summary>Names the account that a request is for: with a key of ours, which is of another account, the provider refuses it.</summary>
    public static bool NamesAccount(string name) =>
        name.Equals("openai-organization", StringComparison.OrdinalIgnoreCase) || name.Equals("openai-project", StringComparison.OrdinalIgnoreCase);

    /// <summary>An upstream's response header that goes to the client. Headers named by <c>Connection</c> are taken out by the caller.</summary>
    public static bool PassesToClient(string name) =>
        !NotForClients.Contains(name)
        // A browser must not be let in by an upstream's word.
        && !name.StartsWith("access-control-", StringComparison.OrdinalIgnoreCase)
        && (!name.StartsWith("x-aiproxy-", StringComparison.OrdinalIgnoreCase) || name.Equals(EchoHandler.EstimatedHeader, StringComparison.OrdinalIgnoreCase));

    /// <summary>A header that carries a credential; its value is masked wherever headers are shown.</summary>
    public static bool IsCredential(string name) => Credentials.Contains(name) || name.Equals("set-cookie", StringComparison.OrdinalIgnoreCase);

    private static bool InFamily(string name, string[] families)
    {
        foreach (string family in families)
            if (name.StartsWith(family, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }
}
