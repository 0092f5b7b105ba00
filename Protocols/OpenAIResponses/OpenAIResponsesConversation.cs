using System.Buffers;
using System.Text.Json;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>Conversations that a client goes on with by <c>previous_response_id</c>, on the raw JSON: items are spliced, never written anew.</summary>
/// <remarks>Bodies must have been checked as JSON. Of duplicate members the last one counts, as everywhere.</remarks>
public static class OpenAIResponsesConversation
{
    /// <summary>The same request with the stored items in front of its own and without <c>previous_response_id</c>; not a byte else changes.</summary>
    /// <param name="stored">Raw items with commas between: the stored input, and after it the stored output.</param>
    public static byte[] Expand(ReadOnlySpan<byte> body, params ReadOnlySpan<byte[]> stored)
    {
        var output = new ArrayBufferWriter<byte>(body.Length + 1024);
        int copied = 0;
        (Range previous, Range input) = Find(body);
        bool hasInput = !input.Equals(default(Range));
        if (!hasInput)
        {
            // No new items at all: the stored ones are the input.
            int brace = body.IndexOf((byte)'{') + 1;
            output.Write(body[..brace]);
            output.Write("\"input\":["u8);
            Join(output, stored, default);
            output.Write("],"u8);
            copied = brace;
        }
        bool previousFirst = !previous.Equals(default(Range)) && (!hasInput || previous.Start.Value < input.Start.Value);
        if (previousFirst) Cut(output, body, previous, ref copied);
        if (hasInput)
        {
            output.Write(body[copied..input.Start.Value]);
            output.Write("["u8);
            Join(output, stored, Items(body[input]));
            output.Write("]"u8);
            copied = input.End.Value;
        }
        if (!previousFirst && !previous.Equals(default(Range))) Cut(output, body, previous, ref copied);
        output.Write(body[copied..]);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The same request with whole items in the place of the <c>item_reference</c>s that <paramref name="find"/> knows; null where it knows none.</summary>
    /// <param name="find">By the decoded item id; null: not one of ours.</param>
    public static byte[]? Resolve(ReadOnlySpan<byte> body, Func<string, byte[]?> find)
    {
        (_, Range input) = Find(body);
        if (input.Equals(default(Range)) || body[input.Start] != (byte)'[') return null;
        ArrayBufferWriter<byte>? output = null;
        int copied = 0;
        var scan = new JsonScan(body[input]);
        while (scan.Next())
        {
            if (scan.Kind != JsonTokenType.StartObject || ReferencedId(scan.Value) is not { } id || find(id) is not { } item) continue;
            output ??= new ArrayBufferWriter<byte>(body.Length + 1024);
            int start = input.Start.Value + scan.Start;
            output.Write(body[copied..start]);
            output.Write(item);
            copied = start + scan.Value.Length;
        }
        output?.Write(body[copied..]);
        return output?.WrittenSpan.ToArray();
    }

    /// <summary>Each of the raw <paramref name="items"/> (commas between) that has an id.</summary>
    public static IReadOnlyList<(string Id, byte[] Item)> ItemsById(ReadOnlySpan<byte> items)
    {
        var found = new List<(string, byte[])>();
        byte[] array = [(byte)'[', .. items, (byte)']'];
        var scan = new JsonScan(array);
        while (scan.Next())
        {
            string? id = null;
            var item = new JsonScan(scan.Value);
            while (item.Next())
            {
                if (item.Is("id"u8) && item.IsString) id = RawJson.Decode(item.Value);
            }
            if (id is not null) found.Add((id, scan.Value.ToArray()));
        }
        return found;
    }

    /// <summary>The request's own input items, raw with commas between; a string becomes a user message. Empty: none.</summary>
    public static byte[] InputItems(ReadOnlySpan<byte> body)
    {
        (_, Range input) = Find(body);
        return input.Equals(default(Range)) ? [] : Items(body[input]);
    }

    /// <summary>Id, time and output items of a response object; null where it has no id or no output.</summary>
    public static (string Id, long Created, byte[] Output)? Answer(ReadOnlySpan<byte> response)
    {
        string id = "";
        long created = 0;
        byte[]? output = null;
        var scan = new JsonScan(response);
        while (scan.Next())
        {
            if (scan.Is("id"u8) && scan.IsString) id = RawJson.Decode(scan.Value);
            else if (scan.Is("created_at"u8)) created = scan.Long() ?? 0;
            else if (scan.Is("output"u8) && scan.Kind == JsonTokenType.StartArray) output = Items(scan.Value);
        }
        return id.Length == 0 || output is null ? null : (id, created, output);
    }

    /// <summary>The client wants its answer kept, which is the default.</summary>
    public static bool IsToBeStored(ReadOnlySpan<byte> body)
    {
        bool isStored = true;
        var scan = new JsonScan(body);
        while (scan.Next())
        {
            if (scan.Is("store"u8)) isStored = scan.Kind != JsonTokenType.False;
        }
        return isStored;
    }

    /// <summary>The decoded <c>previous_response_id</c>; null: none.</summary>
    public static string? PreviousId(ReadOnlySpan<byte> body)
    {
        string? id = null;
        var scan = new JsonScan(body);
        while (scan.Next())
        {
            if (scan.Is("previous_response_id"u8)) id = scan.IsString ? RawJson.Decode(scan.Value) : null;
        }
        return id;
    }

    /// <summary>Where the values of the two members stand, the last of each; an empty range: the member is missing or <c>null</c>.</summary>
    private static (Range Previous, Range Input) Find(ReadOnlySpan<byte> body)
    {
        Range previous = default, input = default;
        var scan = new JsonScan(body);
        while (scan.Next())
        {
            if (scan.Is("previous_response_id"u8)) previous = scan.Start..(scan.Start + scan.Value.Length);
            else if (scan.Is("input"u8)) input = scan.Start..(scan.Start + scan.Value.Length);
        }
        return (previous, input);
    }

    // The type may be missing or null: then the id is all that there is.
    private static string? ReferencedId(ReadOnlySpan<byte> item)
    {
        string? id = null;
        bool isOther = false;
        var scan = new JsonScan(item);
        while (scan.Next())
        {
            if (scan.Is("id"u8) && scan.IsString) id = RawJson.Decode(scan.Value);
            else if (scan.Is("type"u8)) isOther = !scan.IsNull && !scan.Value.SequenceEqual("\"item_reference\""u8);
            else if (scan.Is("role"u8)) isOther = true;
            if (isOther) return null;
        }
        return id;
    }

    private static byte[] Items(ReadOnlySpan<byte> input)
    {
        if (input[0] == (byte)'"') return [.. "{\"type\":\"message\",\"role\":\"user\",\"content\":"u8, .. input, .. "}"u8];
        if (input[0] != (byte)'[') return input.SequenceEqual("null"u8) ? [] : input.ToArray();
        return input[1..^1].Trim(" \t\r\n"u8).ToArray();
    }

    private static void Join(ArrayBufferWriter<byte> output, ReadOnlySpan<byte[]> stored, ReadOnlySpan<byte> own)
    {
        bool isSecond = false;
        foreach (byte[] items in stored) Add(items);
        Add(own);

        void Add(ReadOnlySpan<byte> items)
        {
            if (items.IsEmpty) return;
            if (isSecond) output.Write(","u8);
            output.Write(items);
            isSecond = true;
        }
    }

    /// <summary>Copies up to the member whose value that is and leaves it out, with one of its commas.</summary>
    private static void Cut(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> body, Range value, ref int copied)
    {
        // The name is the last string before the value; a quote inside it would be escaped.
        int quote = body[..value.Start.Value].LastIndexOf((byte)'"');
        int start = body[..quote].LastIndexOf((byte)'"'), end = value.End.Value;
        while (body[end] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') end++;
        if (body[end] == (byte)',')
        {
            output.Write(body[copied..start]);
            copied = end + 1;
            return;
        }
        ReadOnlySpan<byte> before = body[copied..start].TrimEnd(" \t\r\n"u8);
        output.Write(before is [.., (byte)','] ? before[..^1] : before);
        copied = value.End.Value;
    }
}
