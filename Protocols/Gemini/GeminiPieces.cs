using System.Buffers;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Makes one text of the pieces that a client keeps of a streamed answer: each of them is a part to it, and a border between two means nothing.</summary>
/// <remarks>Targets would tell the pieces as paragraphs, and leave out those of white space.</remarks>
public static class GeminiPieces
{
    /// <summary>The same parts where there is nothing to join. A signed text stays by itself.</summary>
    public static IReadOnlyList<Part> Joined(IReadOnlyList<Part> parts)
    {
        var joined = new List<Part>(parts.Count);
        for (int at = 0; at < parts.Count;)
        {
            int end = at;
            while (end < parts.Count && parts[end] is TextPart { Seal: null }) end++;
            joined.Add(end - at > 1 ? Join(parts, at, end) : parts[at]);
            at = Math.Max(end, at + 1);
        }
        return joined.Count == parts.Count ? parts : joined;
    }

    private static TextPart Join(IReadOnlyList<Part> parts, int first, int end)
    {
        var token = new ArrayBufferWriter<byte>();
        token.Write("\""u8);
        for (int at = first; at < end; at++)
        {
            JsonText text = ((TextPart)parts[at]).Text;
            token.Write(text.RawToken.IsEmpty ? RawJson.Encode(text.ToString()).AsSpan(1..^1) : text.RawInner);
        }
        token.Write("\""u8);
        return (TextPart)parts[first] with { Text = JsonText.Of(token.WrittenSpan.ToArray()) };
    }
}
