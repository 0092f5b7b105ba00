using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Sets values in a JSON text by replacing just their bytes: order, blanks, escapes, number forms and members we do not know stay as they are.</summary>
public static class JsonSplice
{
    private const int MostLevels = 256;

    /// <summary>The options under which auth files are read, here and elsewhere.</summary>
    public static readonly JsonDocumentOptions DocumentOptions = new() { MaxDepth = MostLevels };

    /// <summary>Of equal member names all are set. A value that is a string of the same text already stays as it is.</summary>
    /// <remarks>Throws <see cref="JsonException"/> for what is no JSON; a byte order mark is no JSON.</remarks>
    public static byte[] Apply(ReadOnlySpan<byte> json, IReadOnlyList<JsonEdit> edits)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MostLevels });
        var cuts = new List<Cut>();
        if (reader.Read()) Walk(ref reader, json, edits, 0, cuts);
        // To the end: a broken rest must not pass as edited.
        while (reader.Read()) { }
        return Spliced(json, cuts);
    }

    private static void Walk(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, IReadOnlyList<JsonEdit> edits, int depth, List<Cut> cuts)
    {
        if (edits.LastOrDefault(edit => edit.Path.Count == depth) is { } here) Replace(ref reader, here, cuts);
        else if (edits.Count > 0 && reader.TokenType == JsonTokenType.StartObject) WalkObject(ref reader, json, edits, depth, cuts);
        else if (edits.Count > 0 && reader.TokenType == JsonTokenType.StartArray) WalkArray(ref reader, json, edits, depth, cuts);
        else reader.Skip();
    }

    private static void Replace(ref Utf8JsonReader reader, JsonEdit edit, List<Cut> cuts)
    {
        int start = (int)reader.TokenStartIndex;
        bool isSame = reader.TokenType == JsonTokenType.String && edit.Value is [(byte)'"', ..] && IsSameText(ref reader, edit.Value);
        reader.Skip();
        if (!isSame) cuts.Add(new Cut(start, (int)reader.BytesConsumed, edit.Value));
    }

    private static bool IsSameText(ref Utf8JsonReader reader, byte[] value)
    {
        var other = new Utf8JsonReader(value);
        try
        {
            return other.Read() && reader.ValueTextEquals(other.GetString());
        }
        catch (InvalidOperationException)
        {
            // What stands there is no Unicode.
            return false;
        }
    }

    private static void WalkObject(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, IReadOnlyList<JsonEdit> edits, int depth, List<Cut> cuts)
    {
        int brace = (int)reader.TokenStartIndex;
        var missing = edits.Where(edit => edit.IsAdded && edit.Path.Count == depth + 1).ToList();
        Member? last = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int nameStart = (int)reader.TokenStartIndex;
            int nameEnd = NameEnd(json, nameStart);
            var matching = new List<JsonEdit>();
            foreach (JsonEdit edit in edits)
            {
                if (IsNamed(ref reader, edit.Path[depth])) matching.Add(edit);
            }

            missing.RemoveAll(matching.Contains);
            reader.Read();
            int valueStart = (int)reader.TokenStartIndex;
            Walk(ref reader, json, matching, depth + 1, cuts);
            last = new Member(nameStart, nameEnd, valueStart, (int)reader.BytesConsumed);
        }

        if (missing.Count > 0) Add(json, missing, brace, last, cuts);
    }

    private static void WalkArray(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, IReadOnlyList<JsonEdit> edits, int depth, List<Cut> cuts)
    {
        for (int index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
        {
            string step = index.ToString(System.Globalization.CultureInfo.InvariantCulture);
            Walk(ref reader, json, [.. edits.Where(edit => edit.Path[depth] == step)], depth + 1, cuts);
        }
    }

    /// <summary>Behind the last member, with the blanks that stand before and inside that one.</summary>
    private static void Add(ReadOnlySpan<byte> json, List<JsonEdit> missing, int brace, Member? last, List<Cut> cuts)
    {
        var added = new List<byte>();
        ReadOnlySpan<byte> colon = ":"u8;
        ReadOnlySpan<byte> lead = default;
        if (last is { } member)
        {
            int leadStart = member.NameStart;
            while (json[leadStart - 1] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') leadStart--;
            lead = json[leadStart..member.NameStart];
            colon = json[member.NameEnd..member.ValueStart];
        }

        foreach (JsonEdit edit in missing)
        {
            if (last is not null || added.Count > 0) added.Add((byte)',');
            added.AddRange(lead);
            added.AddRange(JsonEdit.Quote(edit.Path[^1]));
            added.AddRange(colon);
            added.AddRange(edit.Value);
        }

        int place = last?.ValueEnd ?? brace + 1;
        cuts.Add(new Cut(place, place, [.. added]));
    }

    private static bool IsNamed(ref Utf8JsonReader reader, string name)
    {
        try
        {
            return reader.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            // A name that is no Unicode is none of ours.
            return false;
        }
    }

    /// <summary>Behind the closing quote of a name that was read without error.</summary>
    private static int NameEnd(ReadOnlySpan<byte> json, int start)
    {
        int at = start + 1;
        while (json[at] != (byte)'"') at += json[at] == (byte)'\\' ? 2 : 1;
        return at + 1;
    }

    private static byte[] Spliced(ReadOnlySpan<byte> json, List<Cut> cuts)
    {
        var output = new List<byte>(json.Length + 1024);
        int done = 0;
        foreach (Cut cut in cuts)
        {
            output.AddRange(json[done..cut.Start]);
            output.AddRange(cut.Value);
            done = cut.End;
        }

        output.AddRange(json[done..]);
        return [.. output];
    }

    /// <summary>Offsets in bytes; cuts come in ascending order because the text is walked once.</summary>
    private readonly record struct Cut(int Start, int End, byte[] Value);

    private readonly record struct Member(int NameStart, int NameEnd, int ValueStart, int ValueEnd);
}
