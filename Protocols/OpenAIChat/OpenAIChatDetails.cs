using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>The reasoning of a Chat answer as servers tell it that want it back unchanged: <c>reasoning_details</c> (OpenRouter), <c>thinking_blocks</c> (LiteLLM).</summary>
/// <remarks>A seal's value is one JSON object with these members. Streams tell entries in pieces; the pieces of one entry, known by its index or by following each other, are put together:
/// texts are joined, of everything else the last told counts.</remarks>
public sealed class OpenAIChatDetails
{
    private static readonly string[] s_members = ["reasoning_details", "thinking_blocks"];

    private readonly List<Entry> _entries = [];
    private int _arrays;

    private sealed class Entry(int member, int array)
    {
        public readonly int Member = member;

        /// <summary>Pieces of one array are entries of their own.</summary>
        public int Array = array;

        public readonly List<Field> Fields = [];

        public ReadOnlySpan<byte> Get(string name) => Fields.Find(field => field.Name == name) is { } found ? found.Value : default;
    }

    /// <summary>A member of an entry. A text that came in pieces is <c>Joined</c>, the inside of a JSON string.</summary>
    private sealed class Field(string name, byte[] value)
    {
        public readonly string Name = name;
        public byte[] Value = value;
        public ArrayBufferWriter<byte>? Joined;
    }

    public bool HasAny => _entries.Count > 0;

    /// <summary><c>reasoning_details</c> of a delta or message.</summary>
    public void ReadDetails(ReadOnlySpan<byte> array) => Read(array, 0);

    /// <summary><c>thinking_blocks</c> of a delta or message.</summary>
    public void ReadBlocks(ReadOnlySpan<byte> array) => Read(array, 1);

    /// <summary>What was read since the last time, as a JSON string token for a seal.</summary>
    public byte[] Take()
    {
        byte[] token = ByteOutput.Quote([.. "{"u8, .. Members(), .. "}"u8]);
        _entries.Clear();
        return token;
    }

    /// <summary>The seals of one message as its members, with commas between; empty: none.</summary>
    /// <param name="seals">Values of such seals in their order. One that is no JSON is none of ours, and left out.</param>
    public static byte[] Join(IEnumerable<string> seals)
    {
        var details = new OpenAIChatDetails();
        foreach (string seal in seals)
        {
            try
            {
                details.ReadSeal(Encoding.UTF8.GetBytes(seal));
            }
            catch (JsonException)
            {
                // A client may send back what it likes.
            }
        }
        return details.Members();
    }

    private void ReadSeal(ReadOnlySpan<byte> json)
    {
        var members = JsonSlice.NewMembers(json);
        while (members.Next())
        {
            int member = Array.IndexOf(s_members, Encoding.UTF8.GetString(members.Name));
            if (member >= 0) Read(members.Value, member);
        }
    }

    private void Read(ReadOnlySpan<byte> array, int member)
    {
        _arrays++;
        var elements = JsonSlice.Elements(array);
        while (elements.Next())
        {
            if (!JsonSlice.IsObject(elements.Value)) continue;
            var piece = new Entry(member, _arrays);
            var fields = JsonSlice.Members(elements.Value);
            while (fields.Next()) piece.Fields.Add(new Field(Encoding.UTF8.GetString(fields.Name), fields.Value.ToArray()));
            if (Find(piece) is { } entry) Merge(entry, piece);
            else _entries.Add(piece);
        }
    }

    /// <summary>The entry that a piece goes on with; null: it is a new one.</summary>
    private Entry? Find(Entry piece)
    {
        for (int i = _entries.Count - 1; i >= 0; i--)
        {
            Entry entry = _entries[i];
            if (entry.Member != piece.Member) continue;
            bool isSame = entry.Array != piece.Array && entry.Get("type").SequenceEqual(piece.Get("type"));
            ReadOnlySpan<byte> index = piece.Get("index");
            if (!index.IsEmpty)
            {
                if (isSame && index.SequenceEqual(entry.Get("index"))) return entry;
                continue;
            }
            bool isText = !(piece.Get("text").IsEmpty && piece.Get("summary").IsEmpty && piece.Get("thinking").IsEmpty && piece.Get("signature").IsEmpty);
            return isSame && isText && !JsonSlice.IsText(entry.Get("signature")) ? entry : null;
        }
        return null;
    }

    private static void Merge(Entry entry, Entry piece)
    {
        entry.Array = piece.Array;
        foreach (Field told in piece.Fields)
        {
            if (entry.Fields.Find(field => field.Name == told.Name) is not { } known) entry.Fields.Add(told);
            else if (told.Name is "text" or "summary" or "thinking" && JsonSlice.IsString(told.Value) && JsonSlice.IsString(known.Value)) Append(known, told.Value);
            else if (JsonSlice.IsTruthy(told.Value)) known.Value = told.Value;
        }
    }

    private static void Append(Field text, ReadOnlySpan<byte> token)
    {
        if (text.Joined is null)
        {
            text.Joined = new ArrayBufferWriter<byte>();
            text.Joined.Write(JsonSlice.Inner(text.Value));
        }
        text.Joined.Write(token[1..^1]);
    }

    private byte[] Members()
    {
        var json = new ArrayBufferWriter<byte>();
        for (int member = 0; member < s_members.Length; member++)
        {
            bool isSecond = false;
            foreach (Entry entry in _entries)
            {
                if (entry.Member != member) continue;
                if (!isSecond && json.WrittenCount > 0) json.Write(","u8);
                json.Write(isSecond ? ","u8 : Encoding.UTF8.GetBytes($"\"{s_members[member]}\":["));
                isSecond = true;
                Write(json, entry);
            }
            if (isSecond) json.Write("]"u8);
        }
        return json.WrittenSpan.ToArray();
    }

    private static void Write(ArrayBufferWriter<byte> json, Entry entry)
    {
        for (int i = 0; i < entry.Fields.Count; i++)
        {
            json.Write(i == 0 ? "{"u8 : ","u8);
            json.Write(RawJson.Encode(entry.Fields[i].Name));
            json.Write(":"u8);
            if (entry.Fields[i].Joined is { } text) json.WriteQuoted(text.WrittenSpan);
            else json.WriteOneLine(entry.Fields[i].Value);
        }
        json.Write(entry.Fields.Count == 0 ? "{}"u8 : "}"u8);
    }
}
