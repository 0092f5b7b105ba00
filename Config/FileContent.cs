using System.Security;
using System.Security.Cryptography;

namespace Aiproxy.Config;

/// <summary>The bytes of a file, or why there are none.</summary>
public sealed record FileContent
{
    /// <summary>Fingerprint of a path where no file is.</summary>
    public const string Missing = "missing";

    /// <summary>Fingerprint of a file without content, as editors and copies leave it for a moment.</summary>
    public const string Empty = "empty";

    /// <summary>null when <see cref="Problem"/> is set.</summary>
    public byte[]? Bytes { get; private init; }

    /// <summary>Completes "cannot be read: "; holds neither path nor content.</summary>
    public string? Problem { get; private init; }

    /// <summary>false for pipes and terminals: a second reading gives something else.</summary>
    public bool IsRepeatable { get; private init; } = true;

    /// <summary>SHA-256 in hexadecimal, or a word for a file that could not be read. Equal content has equal fingerprints.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Links are followed. Never throws for what may lie at a path.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="limit">Bytes; a longer file is a problem and is not read to its end.</param>
    public static FileContent Read(string path, int limit)
    {
        try
        {
            if (Directory.Exists(path)) return Unreadable("it is a folder", "folder");
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[]? bytes = ReadBounded(file, limit);
            if (bytes is null) return Unreadable($"it is larger than {limit / 1024} KB", "too large") with { IsRepeatable = file.CanSeek };
            return new FileContent
            {
                Bytes = bytes,
                IsRepeatable = file.CanSeek,
                Fingerprint = bytes.Length == 0 ? Empty : Convert.ToHexString(SHA256.HashData(bytes)),
            };
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return Unreadable("there is no such file", Missing);
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or SecurityException)
        {
            return Unreadable("no permission", "no permission");
        }
        catch (Exception failure) when (failure is IOException or ArgumentException or NotSupportedException)
        {
            return Unreadable("the system refuses it", "refused");
        }
    }

    private static FileContent Unreadable(string problem, string fingerprint) => new() { Problem = problem, Fingerprint = fingerprint };

    /// <summary>null: longer than the limit. Goes by what is read and not by the length, which is 0 for pipes and for files under /proc.</summary>
    private static byte[]? ReadBounded(FileStream file, int limit)
    {
        using var read = new MemoryStream();
        byte[] block = new byte[16 * 1024];
        for (int count; (count = file.Read(block)) > 0;)
        {
            if (read.Length + count > limit) return null;
            read.Write(block, 0, count);
        }
        return read.ToArray();
    }
}
