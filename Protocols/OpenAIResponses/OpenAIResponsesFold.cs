using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>The response object of a stream's terminal event as it came. Some servers leave its <c>output</c> empty; then it is made of the finished items. Sources
/// that came as events alone are put to the text that they belong to.</summary>
public sealed class OpenAIResponsesFold : IAnswerFold
{
    private readonly List<(long Index, byte[] Item)> _items = [];
    private readonly List<Source> _sources = [];
    private byte[]? _response;

    private sealed record Source(byte[] ItemId, long? Output, long Content, byte[] Annotation);

    public void Take(in Frame frame)
    {
        ReadOnlySpan<byte> data = frame.Data.Trim(" \t\r\n"u8);
        if (!JsonSlice.IsObject(data)) return;
        var told = new ResponsesEvent(data, frame.Event);
        if (told.Is("response.output_item.done"u8))
        {
            if (JsonSlice.IsObject(told.Item)) TakeItem(told.OutputIndex ?? (_items.Count == 0 ? 0 : _items.Max(static one => one.Index) + 1), told.Item);
        }
        else if (told.Is("response.output_text.annotation.added"u8))
        {
            if (JsonSlice.IsObject(told.Annotation)) _sources.Add(new Source(told.ItemId.ToArray(), told.OutputIndex, told.ContentIndex ?? 0, told.Annotation.ToArray()));
        }
        else if (told.Is("response.completed"u8) || told.Is("response.incomplete"u8) || told.Is("response.done"u8))
        {
            _response = told.Response.ToArray();
        }
    }

    public void Write(IBufferWriter<byte> output)
    {
        if (_sources.Count == 0)
        {
            WriteResponse(output);
            return;
        }
        var whole = new ArrayBufferWriter<byte>();
        WriteResponse(whole);
        output.Write(JsonEdit.Member(whole.WrittenSpan, "output", Cited).Over(whole.WrittenSpan));
    }

    /// <summary>Told again it counts as told last; some servers give several items one index.</summary>
    private void TakeItem(long index, ReadOnlySpan<byte> item)
    {
        byte[] told = item.ToArray();
        int known = _items.FindIndex(one => one.Index == index && OpenAIResponsesItemList.IsSame(one.Item, told));
        if (known < 0) _items.Add((index, told));
        else _items[known] = (index, told);
    }

    private JsonEdit.Change Cited(ReadOnlySpan<byte> items)
    {
        long place = 0;
        return JsonEdit.Items(items, item =>
        {
            List<Source> sources = SourcesOf(item, place++);
            return sources.Count == 0 ? default : JsonEdit.Member(item, "content", parts => Cited(parts, sources));
        });
    }

    private static JsonEdit.Change Cited(ReadOnlySpan<byte> parts, List<Source> sources)
    {
        long place = 0;
        return JsonEdit.Items(parts, part =>
        {
            byte[][] told = [.. sources.Where(one => one.Content == place).Select(static one => one.Annotation)];
            place++;
            return told.Length == 0 || HasSources(part) ? default : JsonEdit.Change.To(JsonEdit.With(part, "annotations", List(told)));
        });
    }

    private List<Source> SourcesOf(ReadOnlySpan<byte> item, long place)
    {
        byte[] id = [];
        var members = JsonSlice.Members(item);
        while (members.Next())
        {
            if (members.Is("id"u8)) id = members.Inner.ToArray();
        }
        return _sources.FindAll(one => one.Output == place || (id.Length > 0 && one.ItemId.AsSpan().SequenceEqual(id)));
    }

    private static bool HasSources(ReadOnlySpan<byte> part)
    {
        bool has = false;
        var members = JsonSlice.Members(part);
        while (members.Next())
        {
            if (members.Is("annotations"u8)) has = JsonSlice.Elements(members.Value).Next();
        }
        return has;
    }

    private static byte[] List(byte[][] elements)
    {
        var json = new ArrayBufferWriter<byte>();
        foreach (byte[] element in elements)
        {
            json.Write(json.WrittenCount == 0 ? "["u8 : ","u8);
            json.Write(element);
        }
        json.Write("]"u8);
        return json.WrittenSpan.ToArray();
    }

    private void WriteResponse(IBufferWriter<byte> output)
    {
        ReadOnlySpan<byte> response = _response;
        ReadOnlySpan<byte> told = default;
        int at = 0;
        var members = JsonSlice.Members(response);
        while (members.Next())
        {
            if (!members.Is("output"u8)) continue;
            told = members.Value;
            at = members.Start;
        }
        var items = JsonSlice.Elements(told);
        if (_items.Count == 0 || items.Next())
        {
            output.Write(response);
            return;
        }
        output.Write(told.IsEmpty ? "{\"output\":["u8 : response[..at]);
        if (!told.IsEmpty) output.Write("["u8);
        bool isSecond = false;
        foreach ((_, byte[] item) in _items.OrderBy(static one => one.Index))
        {
            if (isSecond) output.Write(","u8);
            isSecond = true;
            output.Write(item);
        }
        output.Write("]"u8);
        if (!told.IsEmpty)
        {
            output.Write(response[(at + told.Length)..]);
            return;
        }
        ReadOnlySpan<byte> rest = response.IsEmpty ? "}"u8 : response[1..].TrimStart(" \t\r\n"u8);
        if (rest[0] != (byte)'}') output.Write(","u8);
        output.Write(rest);
    }
}
