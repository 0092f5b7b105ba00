using System.Security.Cryptography;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>Names a conversation the same in each of its turns, so that the service's prompt cache finds it.</summary>
public static class KiroConversationId
{
    /// <summary>A UUID from the client's own name for the conversation, else from the user, the system prompt and the first words of the user.</summary>
    public static string Of(ChatRequest request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (request.CacheKey is { Length: > 0 } key)
        {
            Add(hash, "key", key);
        }
        else
        {
            Add(hash, "user", request.EndUserId ?? "");
            foreach (TextPart part in request.System) Add(hash, "system", part.Text.ToString());
            Turn? first = request.Turns.FirstOrDefault(static turn => turn.Role == TurnRole.User);
            foreach (TextPart part in first?.Parts.OfType<TextPart>() ?? []) Add(hash, "said", part.Text.ToString());
        }
        byte[] bytes = hash.GetHashAndReset();
        // Version 4 and the usual variant: a UUID of the form that everybody takes.
        bytes[6] = (byte)(bytes[6] & 0x0F | 0x40);
        bytes[8] = (byte)(bytes[8] & 0x3F | 0x80);
        return new Guid(bytes.AsSpan(0, 16), bigEndian: true).ToString("D");
    }

    private static void Add(IncrementalHash hash, string kind, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        // The length keeps "ab" and "c" apart from "a" and "bc".
        hash.AppendData(Encoding.UTF8.GetBytes($"{kind} {bytes.Length} "));
        hash.AppendData(bytes);
    }
}
