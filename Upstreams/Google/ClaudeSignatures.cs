using System.Security.Cryptography;
using System.Text;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>Claude's signatures as this provider writes them and as Anthropic does. Thread-safe.</summary>
/// <remarks>Some come as base64 of the base64 that Anthropic's own API gives. Clients are given Anthropic's form, so that the conversation can go on elsewhere;
/// what came doubled goes back doubled.</remarks>
public sealed class ClaudeSignatures(TimeProvider clock)
{
    // As long as conversations are taken up again; a signature has some hundred bytes, here 32 of them are kept.
    private readonly BoundedTable<string, bool> _doubled = new(100_000, 16 * 1024 * 1024, TimeSpan.FromHours(24), clock, static _ => 160);

    /// <summary>Anthropic's form, which begins with E.</summary>
    public string ToAnthropic(string signature)
    {
        if (!signature.StartsWith('R')) return signature;
        byte[] bytes = new byte[signature.Length];
        if (!Convert.TryFromBase64String(signature, bytes, out int length) || length == 0 || bytes[0] != (byte)'E') return signature;
        if (bytes.AsSpan(0, length).ContainsAnyExceptInRange((byte)'+', (byte)'z')) return signature;
        string inner = Encoding.ASCII.GetString(bytes, 0, length);
        _doubled.Put(Key(inner), true);
        return inner;
    }

    /// <summary>The form in which the signature came; one that nobody saw here stays as it is.</summary>
    public string ToProvider(string signature) =>
        signature.StartsWith('E') && _doubled.TryGet(Key(signature), out _) ? Convert.ToBase64String(Encoding.ASCII.GetBytes(signature)) : signature;

    private static string Key(string signature) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(signature)).AsSpan(0, 16));
}
