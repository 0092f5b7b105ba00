using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Upstreams.Codex;

/// <summary>The events of a Codex stream as a strict Responses client expects them: the back end's own events are swallowed, an empty output in the last event is filled
/// from the items that were streamed, shortened names are the client's again.</summary>
/// <param name="clientNames">null: no name was shortened.</param>
public sealed class CodexFrames(IFrameReader inner, IReadOnlyDictionary<string, string>? clientNames) : IFrameReader
{
    // As a whole answer may be.
    private const long MostHeldBytes = AnswerDelivery.MaxWholeBytes;

    private readonly SortedDictionary<long, byte[]> _items = [];
    private long _held;
    private byte[] _made = [];

    public bool HasPartialFrame => inner.HasPartialFrame;

    public ValueTask<bool> FillAsync(CancellationToken cancellationToken) => inner.FillAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    public bool TryRead(out Frame frame)
    {
        while (inner.TryRead(out frame))
        {
            if (frame.Data.IsEmpty || frame.Data[0] != (byte)'{') return true;
            EventHead head = Head(frame);
            if (head.Type is null) return true;
            // "codex.rate_limits, other unknown types: swallow; must not reach strict clients"
            if (!head.Type.StartsWith("response.", StringComparison.Ordinal) && head.Type is not "error") continue;
            if (head.Type == "response.output_item.done") Keep(frame.Data, head.Index);
            byte[]? data = clientNames is null ? null : Renamed(frame.Data);
            if (head.Type is "response.completed" or "response.incomplete") data = Filled(data ?? frame.Data.ToArray());
            // Some clients go by the event line, which the back end may leave out.
            if (data is null && !frame.Event.IsEmpty) return true;
            data ??= frame.Data.ToArray();
            _made = [.. "event: "u8, .. System.Text.Encoding.UTF8.GetBytes(head.Type), .. "\ndata: "u8, .. data, .. "\n\n"u8];
            frame = new Frame { Event = frame.Event, Data = data, Raw = _made };
            return true;
        }
        return false;
    }

    private readonly record struct EventHead(string? Type, long Index);

    // "event: line may be absent; use type in the data JSON"
    private static EventHead Head(in Frame frame)
    {
        string? type = null;
        long index = -1;
        try
        {
            var members = new JsonScan(frame.Data);
            while (members.Next())
            {
                if (members.Is("type"u8) && members.IsString) type = RawJson.Decode(members.Value);
                else if (members.Is("output_index"u8) && members.Kind == JsonTokenType.Number && System.Buffers.Text.Utf8Parser.TryParse(members.Value, out long number, out _)) index = number;
            }
        }
        catch (JsonException)
        {
            // The dialect's reader tells it.
            return default;
        }
        return new EventHead(type, index);
    }

    private void Keep(ReadOnlySpan<byte> data, long index)
    {
        if (index < 0) index = _items.Count;
        Member(data, "item", item =>
        {
            _held += item.Length;
            if (_held > MostHeldBytes) throw new FrameException(FrameFault.TooLong, $"the items of the answer are longer than {MostHeldBytes} bytes");
            _items[index] = (clientNames is null ? default : OfItem(item)).Over(item);
            return default;
        });
    }

    private byte[] Filled(byte[] data)
    {
        if (_items.Count == 0) return data;
        return Member(data, "response", response =>
        {
            bool hasOutput = false;
            Change change = Member(response, "output", output =>
            {
                hasOutput = output[0] == (byte)'[' && new JsonScan(output).Next();
                return hasOutput ? default : Change.To(All());
            });
            if (hasOutput) return default;
            return change.IsNone ? Change.To(With(response, "output", All())) : change;
        }).Over(data);
    }

    private byte[] All()
    {
        var all = new List<byte> { (byte)'[' };
        foreach (byte[] item in _items.Values)
        {
            if (all.Count > 1) all.Add((byte)',');
            all.AddRange(item);
        }
        all.Add((byte)']');
        return [.. all];
    }

    private byte[]? Renamed(ReadOnlySpan<byte> data) => Members(data, (name, value) =>
    {
        if (name.SequenceEqual("item"u8)) return OfItem(value);
        if (name.SequenceEqual("name"u8)) return ClientName(value);
        return name.SequenceEqual("response"u8) ? Member(value, "output", output => Items(output, OfItem)) : default;
    }).Text;

    private Change OfItem(ReadOnlySpan<byte> item) => Member(item, "name", ClientName);

    private Change ClientName(ReadOnlySpan<byte> token) =>
        token[0] == (byte)'"' && clientNames!.TryGetValue(RawJson.Decode(token), out string? name) ? Change.To(RawJson.Encode(name)) : default;
}
