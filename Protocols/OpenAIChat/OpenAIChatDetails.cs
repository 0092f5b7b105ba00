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

    private sealed class Entry(int member)
    {
        public readonly int Member = member;

        /// <summary>Pieces of one array are entries of their own.</summary>
        public int Array;

        /// <summary>Raw values; a text that may grow is without its last quote.</summary>
        public readonly List<(byte[] Name, ArrayBufferWriter<byte> Value)> Fields = [];

        public ArrayBufferWriter<byte>? Find(ReadOnlySpan<byte> name)
        {
            foreach ((byte[] told, ArrayBufferWriter<byte> value) in Fields)
            {
                if (name.SequenceEqual(told)) return value;
            }
            return null;
        }

        public ReadOnlySpan<byte> Get(ReadOnlySpan<byte> name) => Find(name) is { } value ? value.WrittenSpan : default;
    }

    /// <summary>By what a piece is known as the next of an entry.</summary>
    private readonly ref struct Mark
    {
        public readonly ReadOnlySpan<byte> Type, Index;
        public readonly bool IsText;

        public Mark(ReadOnlySpan<byte> piece)
        {
            var fields = JsonSlice.Members(piece);
            while (fields.Next())
            {
                if (fields.Is("type"u8)) Type = fields.Value;
                else if (fields.Is("index"u8)) Index = fields.Value;
                else IsText |= Grows(fields.Name) || fields.Is("signature"u8);
            }
        }
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

    /// <summary>The value of one of the two members, of all that was read.</summary>
    /// <param name="isBlocks"><c>thinking_blocks</c>.</param>
    public byte[] List(bool isBlocks)
    {
        var json = new ArrayBufferWriter<byte>();
        WriteList(json, isBlocks ? 1 : 0);
        return json.WrittenSpan.ToArray();
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
            Entry? entry = Find(new Mark(elements.Value), member);
            if (entry is null) _entries.Add(entry = new Entry(member));
            entry.Array = _arrays;
            var fields = JsonSlice.Members(elements.Value);
            while (fields.Next()) Merge(entry, fields.Name, fields.Value);
        }
    }

    /// <summary>The entry that a piece goes on with; null: it is a new one.</summary>
    private Entry? Find(in Mark piece, int member)
    {
        for (int i = _entries.Count - 1; i >= 0; i--)
        {
            Entry entry = _entries[i];
            if (entry.Member != member) continue;
            bool isSame = entry.Array != _arrays && entry.Get("type"u8).SequenceEqual(piece.Type);
            if (!piece.Index.IsEmpty)
            {
                if (isSame && piece.Index.SequenceEqual(entry.Get("index"u8))) return entry;
                continue;
            }
            return isSame && piece.IsText && !JsonSlice.IsText(entry.Get("signature"u8)) ? entry : null;
        }
        return null;
    }

    private static void Merge(Entry entry, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        bool isGrowing = Grows(name) && JsonSlice.IsString(value);
        ReadOnlySpan<byte> told = isGrowing ? value[..^1] : value;
        if (entry.Find(name) is not { } known)
        {
            known = new ArrayBufferWriter<byte>(Math.Max(told.Length, 1));
            entry.Fields.Add((name.ToArray(), known));
            known.Write(told);
        }
        else if (isGrowing && known.WrittenCount > 0 && known.WrittenSpan[0] == (byte)'"')
        {
            known.Write(told[1..]);
        }
        else if (JsonSlice.IsTruthy(value) && !known.WrittenSpan.SequenceEqual(told))
        {
            known.ResetWrittenCount();
            known.Write(told);
        }
    }

    private static bool Grows(ReadOnlySpan<byte> name) => name.SequenceEqual("text"u8) || name.SequenceEqual("summary"u8) || name.SequenceEqual("thinking"u8);

    private byte[] Members()
    {
        var json = new ArrayBufferWriter<byte>();
        for (int member = 0; member < s_members.Length; member++)
        {
            if (!_entries.Exists(entry => entry.Member == member)) continue;
            json.Write(Encoding.UTF8.GetBytes(json.WrittenCount == 0 ? $"\"{s_members[member]}\":" : $",\"{s_members[member]}\":"));
            WriteList(json, member);
        }
        return json.WrittenSpan.ToArray();
    }

    private void WriteList(ArrayBufferWriter<byte> json, int member)
    {
        bool isSecond = false;
        json.Write("["u8);
        foreach (Entry entry in _entries)
        {
            if (entry.Member != member) continue;
            if (isSecond) json.Write(","u8);
            isSecond = true;
            Write(json, entry);
        }
        json.Write("]"u8);
    }

    private static void Write(ArrayBufferWriter<byte> json, Entry entry)
    {
        json.Write("{"u8);
        for (int i = 0; i < entry.Fields.Count; i++)
        {
            (byte[] name, ArrayBufferWriter<byte> value) = entry.Fields[i];
            json.Write(i == 0 ? "\""u8 : ",\""u8);
            json.WriteEscaped(name);
            json.Write("\":"u8);
            json.WriteOneLine(value.WrittenSpan);
            if (Grows(name) && value.WrittenSpan[0] == (byte)'"') json.Write("\""u8);
        }
        json.Write("}"u8);
    }
}
