using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Upstreams;

namespace Aiproxy.Balancer;

/// <summary>Names the conversation that a request belongs to, by what its client says of it, else by how it begins.</summary>
public static class ConversationKey
{
    private const int MostNameChars = 256;

    private static readonly string[] Headers = ["x-claude-code-session-id", "session-id", "session_id"];

    /// <summary>The key of this request; null: it has none. Keys of two clients, or of two models, never meet.</summary>
    public static string? Of(Exchange exchange)
    {
        foreach (string name in Headers)
            foreach ((string header, string value) in exchange.Headers)
                if (header.Equals(name, StringComparison.OrdinalIgnoreCase) && value.Length is > 0 and <= MostNameChars) return Whole(exchange, "session", value);
        return OfBody(exchange);
    }

    /// <summary>The key of requests that go on from this answer by its id.</summary>
    public static string OfAnswer(Exchange exchange, string id) => Whole(exchange, "answer", id);

    // A conversation of one client's key says nothing of another's, and each model has caches of its own.
    private static string Whole(Exchange exchange, string kind, string name) => exchange.Client + "\n" + exchange.Head.Model + "\n" + kind + "\n" + name;

    private static string? OfBody(Exchange exchange)
    {
        ReadOnlySpan<byte> body = exchange.Body.Span;
        if (body.StartsWith("\uFEFF"u8)) body = body[3..];
        string? named = null, answer = null;
        using var beginning = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        bool hasUser = false;
        var members = new JsonScan(body);
        while (members.Next())
        {
            if (members.Is("previous_response_id"u8) && members.IsString) answer = RawJson.Decode(members.Value);
            else if (members.Is("prompt_cache_key"u8) && members.IsString) named = RawJson.Decode(members.Value);
            else if (members.Is("metadata"u8) && members.Kind == JsonTokenType.StartObject) named ??= UserOf(members.Value);
            else if (members.Is("system"u8) || members.Is("instructions"u8) || members.Is("systemInstruction"u8) || members.Is("system_instruction"u8)) beginning.AppendData(members.Value);
            else if (members.Is("messages"u8) || members.Is("contents"u8) || members.Is("input"u8)) hasUser |= Beginning(members.Value, beginning);
        }
        if (answer is { Length: > 0 and <= MostNameChars }) return OfAnswer(exchange, answer);
        if (named is { Length: > 0 and <= MostNameChars }) return Whole(exchange, "key", named);
        return hasUser ? Whole(exchange, "text", Convert.ToHexString(beginning.GetHashAndReset(), 0, 16)) : null;
    }

    private static string? UserOf(ReadOnlySpan<byte> metadata)
    {
        var members = new JsonScan(metadata);
        while (members.Next())
            if (members.Is("user_id"u8) && members.IsString) return RawJson.Decode(members.Value);
        return null;
    }

    /// <summary>Everything up to and with the first message of the user: later turns only add behind it.</summary>
    private static bool Beginning(ReadOnlySpan<byte> list, IncrementalHash beginning)
    {
        if (list[0] == (byte)'"')
        {
            beginning.AppendData(list);
            return true;
        }
        var items = new JsonScan(list);
        while (items.Next())
        {
            beginning.AppendData(items.Value);
            if (items.Kind == JsonTokenType.StartObject && IsUser(items.Value)) return true;
        }
        return false;
    }

    private static bool IsUser(ReadOnlySpan<byte> message)
    {
        bool hasRole = false;
        var members = new JsonScan(message);
        while (members.Next())
        {
            if (!members.Is("role"u8)) continue;
            hasRole = true;
            if (members.Inner.SequenceEqual("user"u8)) return true;
        }
        // Gemini takes contents without a role for the user's.
        return !hasRole;
    }
}
