using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Moves the segments of a stream's <c>groundingSupports</c> to where their text came to stand when the stream was folded.</summary>
/// <remarks>"Segment indices count bytes of UTF-8": of one part where the answer came whole, of all the text where it was streamed.</remarks>
public static class GeminiSegments
{
    private readonly record struct Place(int Part, long First, long Bytes);

    /// <param name="supports">The value of <c>groundingSupports</c>.</param>
    /// <param name="parts">The parts of the whole answer, raw.</param>
    public static byte[] Move(ReadOnlySpan<byte> supports, IReadOnlyList<byte[]> parts)
    {
        List<Place> places = Places(parts);
        var list = new ArrayBufferWriter<byte>();
        list.Write("["u8);
        var elements = JsonScan.Inside(supports);
        while (elements.Next())
        {
            if (list.WrittenCount > 1) list.Write(","u8);
            Support(elements.Value, places).Write(list);
        }
        list.Write("]"u8);
        return list.WrittenSpan.ToArray();
    }

    private static List<Place> Places(IReadOnlyList<byte[]> parts)
    {
        var places = new List<Place>();
        long first = 0;
        for (int part = 0; part < parts.Count; part++)
        {
            JsonScan scan = JsonScan.Inside(parts[part]);
            GeminiAnswerPart read = default;
            read.Read(ref scan);
            if (read.IsThought || read.Text.Length <= 2) continue;
            var text = new TextMeasure();
            text.Add(read.Text);
            places.Add(new Place(part, first, text.Bytes));
            first += text.Bytes;
        }
        return places;
    }

    private static JsonFold Support(ReadOnlySpan<byte> json, List<Place> places)
    {
        var support = new JsonFold();
        support.Replace(json);
        if (json[0] != (byte)'{') return support;
        support = new JsonFold();
        support.Add("{}"u8);
        var members = JsonScan.Inside(json);
        while (members.Next())
        {
            if (members.Is("segment"u8) && members.Kind == JsonTokenType.StartObject) Segment(support.Member(members.Name), members.Value, places);
            else support.Member(members.Name).Replace(members.Value);
        }
        return support;
    }

    private static void Segment(JsonFold segment, ReadOnlySpan<byte> json, List<Place> places)
    {
        segment.Add("{}"u8);
        // Zeros are left out.
        long part = 0, start = 0, end = 0;
        var members = JsonScan.Inside(json);
        while (members.Next())
        {
            segment.Member(members.Name).Replace(members.Value);
            if (members.Is("partIndex"u8)) part = members.Long() ?? 0;
            else if (members.Is("startIndex"u8)) start = members.Long() ?? 0;
            else if (members.Is("endIndex"u8)) end = members.Long() ?? 0;
        }
        int at = places.FindLastIndex(place => place.First <= start);
        if (part != 0 || at < 0 || places[at] is { Part: 0 } || start >= places[at].First + places[at].Bytes) return;
        Set(segment, "partIndex"u8, places[at].Part);
        Set(segment, "startIndex"u8, start - places[at].First);
        Set(segment, "endIndex"u8, Math.Min(end - places[at].First, places[at].Bytes));
    }

    private static void Set(JsonFold segment, ReadOnlySpan<byte> name, long value) =>
        segment.Member(name).Replace(Encoding.ASCII.GetBytes(value.ToString(System.Globalization.CultureInfo.InvariantCulture)));
}
