using System.Security.Cryptography;

namespace Aiproxy.Server;

/// <summary>Names for requests and answers.</summary>
public static class RequestIds
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int SeedChars = 24;
    private const int LongestTaken = 128;

    /// <summary>24 random letters and digits.</summary>
    public static string Seed() => string.Create(SeedChars, 0, static (seed, _) =>
    {
        // One draw for all of them: the library's own text maker asks the system for each character. 256 is no multiple
        // of 62, so the first letters come up a little more often, which an id can bear.
        Span<byte> random = stackalloc byte[SeedChars];
        RandomNumberGenerator.Fill(random);
        for (int i = 0; i < seed.Length; i++) seed[i] = Alphabet[random[i] % Alphabet.Length];
    });

    /// <summary>The client's own id where it is short and harmless in a log and a header; else a new one.</summary>
    public static string From(string? client)
    {
        if (client is not { Length: > 0 and <= LongestTaken }) return "req_" + Seed();
        foreach (char c in client)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.' or ':' or '/')) return "req_" + Seed();
        return client;
    }
}
