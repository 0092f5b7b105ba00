using System.Security.Cryptography;

namespace Aiproxy.Server;

/// <summary>Names for requests and answers.</summary>
public static class RequestIds
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int LongestTaken = 128;

    /// <summary>24 random letters and digits.</summary>
    public static string Seed() => RandomNumberGenerator.GetString(Alphabet, 24);

    /// <summary>The client's own id where it is short and harmless in a log and a header; else a new one.</summary>
    public static string From(string? client)
    {
        if (client is not { Length: > 0 and <= LongestTaken }) return "req_" + Seed();
        foreach (char c in client)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.' or ':' or '/')) return "req_" + Seed();
        return client;
    }
}
