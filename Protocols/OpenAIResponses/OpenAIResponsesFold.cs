using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>The response object of a stream's terminal event as it came. Some servers leave its <c>output</c> empty; then it is made of the finished items.</summary>
public sealed class OpenAIResponsesFold : IAnswerFold
{
    private readonly SortedList<long, byte[]> _items = [];
    private byte[]? _response;

    public void Take(in Frame frame)
    {
        ReadOnlySpan<byte> data = frame.Data.Trim(" \t\r\n"u8);
        if (!JsonSlice.IsObject(data)) return;
        var told = new ResponsesEvent(data, frame.Event);
        if (told.Is("response.output_item.done"u8))
        {
            long index = told.OutputIndex ?? (_items.Count == 0 ? 0 : _items.Keys[^1] + 1);
            if (JsonSlice.IsObject(told.Item)) _items[index] = told.Item.ToArray();
        }
        else if (told.Is("response.completed"u8) || told.Is("response.incomplete"u8) || told.Is("response.done"u8))
        {
            _response = told.Response.ToArray();
        }
    }

    public void Write(IBufferWriter<byte> output)
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
        foreach (byte[] item in _items.Values)
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
