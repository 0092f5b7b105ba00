using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>What must be remembered of a forwarded stream so that fillers and a failure fit into it.</summary>
/// <remarks>Numbers, the response object, the finished items.</remarks>
public sealed class OpenAIResponsesCopy
{
    /// <summary>Finished items kept for a failure event, in bytes; beyond it the rest is left out. A client has seen them all anyway.</summary>
    public const int MaxItemBytes = 1024 * 1024;

    /// <summary>The response object echoes the request's tools; a larger one is replaced by a bare one.</summary>
    private const int MaxResponseBytes = 256 * 1024;

    private readonly List<byte[]> _items = [];
    private byte[]? _response;
    private byte[] _id = [];
    private int _itemBytes;
    private long _next;
    private bool _isCreated, _isFull;

    /// <summary>An event went to the client.</summary>
    public void Saw(in ResponsesEvent told)
    {
        _next = Math.Max(_next, told.SequenceNumber is { } number and < long.MaxValue ? number : _next) + 1;
        if (!_isCreated && JsonSlice.IsObject(told.Response)) Created(told.Response);
        if (!told.Is("response.output_item.done"u8) || _isFull || !JsonSlice.IsObject(told.Item)) return;
        if (_itemBytes + told.Item.Length > MaxItemBytes)
        {
            _isFull = true;
            return;
        }
        _itemBytes += told.Item.Length;
        _items.Add(OneLine(told.Item));
    }

    public void WriteKeepalive(IBufferWriter<byte> output)
    {
        // Client libraries throw on any event that comes before response.created. A filler takes no number away: the upstream's next event comes with it.
        if (_isCreated) new OpenAIResponsesEvents(output, _next).Keepalive();
        else output.Write(": keepalive\n\n"u8);
    }

    public void WriteFailure(IBufferWriter<byte> output, ProxyError error)
    {
        var events = new OpenAIResponsesEvents(output, _next);
        if (!_isCreated)
        {
            _id = Encoding.ASCII.GetBytes("resp_" + Guid.NewGuid().ToString("N"));
            events.Begin("response.created"u8);
            output.Write("\"response\":"u8);
            WriteResponse(output, "in_progress"u8, null);
            events.End();
        }
        events.Begin("response.failed"u8);
        output.Write("\"response\":"u8);
        WriteResponse(output, "failed"u8, error);
        events.End();
        _next = events.Next;
        _isCreated = true;
    }

    private void Created(ReadOnlySpan<byte> response)
    {
        _isCreated = true;
        if (response.Length <= MaxResponseBytes) _response = OneLine(response);
        var members = JsonSlice.Members(response);
        while (members.Next())
        {
            if (members.Is("id"u8)) _id = JsonSlice.Inner(members.Value).ToArray();
        }
    }

    private void WriteResponse(IBufferWriter<byte> output, ReadOnlySpan<byte> status, ProxyError? error)
    {
        if (_response is null)
        {
            var bare = new OpenAIResponsesObject.State(_id, 0, OpenAIResponsesEcho.Write(new WriterOptions { Stream = true, Model = "", Created = 0, IdSeed = "" })) { Error = error };
            OpenAIResponsesObject.Write(output, bare, status, WriteItems, null);
            return;
        }
        output.Write("{"u8);
        var members = JsonSlice.Members(_response);
        while (members.Next())
        {
            if (members.Is("status"u8) || members.Is("error"u8) || members.Is("output"u8) || members.Is("usage"u8)) continue;
            output.Write("\""u8);
            output.WriteEscaped(members.Name);
            output.Write("\":"u8);
            output.Write(members.Value);
            output.Write(","u8);
        }
        OpenAIResponsesObject.WriteOutcome(output, status, error, WriteItems, null);
        output.Write("}"u8);
    }

    private void WriteItems(IBufferWriter<byte> output)
    {
        for (int i = 0; i < _items.Count; i++)
        {
            if (i > 0) output.Write(","u8);
            output.Write(_items[i]);
        }
    }

    /// <summary>A line end between JSON tokens would end the SSE line; inside of strings there is none.</summary>
    private static byte[] OneLine(ReadOnlySpan<byte> json)
    {
        byte[] copy = json.ToArray();
        foreach (ref byte one in copy.AsSpan())
        {
            if (one is (byte)'\n' or (byte)'\r') one = (byte)' ';
        }
        return copy;
    }
}
