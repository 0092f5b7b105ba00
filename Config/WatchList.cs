using System.Text;

namespace Aiproxy.Config;

/// <summary>Reads the files that take part in a configuration and notes which they were. One per reading.</summary>
public sealed class WatchList
{
    /// <summary>More than any configuration, certificate chain or secret needs.</summary>
    public const int LongestFileBytes = 4 * 1024 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<string> _files = [];
    private readonly Dictionary<string, string> _fingerprints = [];

    /// <summary>Absolute paths in the order of their first reading.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary><see cref="FileContent.Fingerprint"/> by path.</summary>
    public IReadOnlyDictionary<string, string> Fingerprints => _fingerprints;

    /// <param name="path">Absolute.</param>
    public FileContent Read(string path)
    {
        FileContent content = FileContent.Read(path, LongestFileBytes);
        if (content.IsRepeatable && _fingerprints.TryAdd(path, content.Fingerprint)) _files.Add(path);
        return content;
    }

    /// <summary>The file as UTF-8 without a byte order mark, or a problem that completes "cannot be read: ".</summary>
    public (string? Text, string? Problem) ReadText(string path)
    {
        FileContent content = Read(path);
        return content.Bytes is null ? (null, content.Problem) : Decode(content.Bytes);
    }

    private static (string? Text, string? Problem) Decode(byte[] bytes)
    {
        ReadOnlySpan<byte> text = bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? bytes.AsSpan(3) : bytes;
        try
        {
            return (StrictUtf8.GetString(text), null);
        }
        catch (DecoderFallbackException failure)
        {
            int line = text[..Math.Clamp(failure.Index, 0, text.Length)].Count((byte)'\n') + 1;
            return (null, $"it is not UTF-8 text (line {line})");
        }
    }
}
