using System.Text.Json;

namespace Aiproxy.Tests.StreamInvariants;

/// <summary>What every Responses stream towards a client obeys: response.created first, sequence numbers 0, 1, 2 ..., every added item done, one terminal whose
/// output is the done items. Comments anywhere before the end, keepalive events after response.created, never an error event.</summary>
public sealed class ResponsesStream
{
    private readonly bool _forwarded;
    private readonly List<ResponsesItem> _items = [];
    private readonly HashSet<string> _ids = [];
    private long _next;
    private string? _responseId;
    private StreamEnd? _end;

    private ResponsesStream(bool forwarded) => _forwarded = forwarded;

    /// <param name="forwarded">The bytes are an upstream's: keepalive events of ours stand outside its numbering.</param>
    public static StreamEnd Check(ReadOnlySpan<byte> sse, bool forwarded = false)
    {
        var stream = new ResponsesStream(forwarded);
        foreach (SseBlock block in SseBlock.ReadAll(sse)) stream.Take(block);
        return stream._end ?? throw Node.Broken("end of the stream", "no terminal event came");
    }

    private void Take(SseBlock block)
    {
        if (_end is not null) throw Node.Broken(block.Where, "something follows the end of the stream");
        if (block.IsComment) return;

        Node data = Node.ParseObject(block.Data!, block.Where);
        string type = data.Name("type");
        data.Check(block.Event == type, $"event line is '{block.Event}', type is '{type}'");
        data = data with { Where = $"{block.Where} ({type})" };
        if (_forwarded && type == "keepalive") data.Number("sequence_number");
        else data.CheckNumber("sequence_number", _next++);
        data.Check(_responseId is not null || type == "response.created", "comes before response.created");
        switch (type)
        {
            case "keepalive": break;
            case "response.created":
                data.Check(_responseId is null, "second response.created");
                Lifecycle(data, "in_progress", "queued");
                break;
            case "response.in_progress": Lifecycle(data, "in_progress"); break;
            case "response.queued": Lifecycle(data, "queued"); break;
            case "response.output_item.added": Add(data); break;
            case "response.output_item.done": ItemAt(data).Finish(data["item"]); break;
            case "response.completed" or "response.incomplete" or "response.failed": Terminal(data, type["response.".Length..]); break;
            default:
                data.Check(type.StartsWith("response.", StringComparison.Ordinal), "event type that clients do not know");
                ItemAt(data).Take(data, type["response.".Length..]);
                break;
        }
    }

    private Node Response(Node data, params string[] statuses)
    {
        Node response = data["response"];
        string id = response.Name("id");
        response.Check(_responseId is null || _responseId == id, $"id changed from {_responseId} to {id}");
        _responseId = id;
        response.CheckText("object", "response");
        response.Name("model");
        response.Check(statuses.Contains(response.Text("status")), $"status must be {string.Join(" or ", statuses)}");
        return response;
    }

    private void Lifecycle(Node data, params string[] statuses)
    {
        Node response = Response(data, statuses);
        response.Check(response["output"].Items.Count == 0, "output must be empty");
        response.Check(response.Optional("usage") is null, "usage belongs into the terminal event");
        response.Check(_items.Count == 0, "comes after an item");
    }

    private void Add(Node data)
    {
        data.CheckNumber("output_index", _items.Count);
        var item = new ResponsesItem(data["item"]);
        data.Check(_ids.Add(item.Id), $"item id {item.Id} is used twice");
        _items.Add(item);
    }

    private ResponsesItem ItemAt(Node data)
    {
        long index = data.Number("output_index");
        data.Check(index < _items.Count, $"item {index} was never added");
        return _items[(int)index];
    }

    private void Terminal(Node data, string status)
    {
        Node response = Response(data, status);
        if (status == "failed")
        {
            response["error"].Name("code");
            response["error"].Name("message");
        }
        else
        {
            response.Check(response.Optional("error") is null, "error must be null");
            response.Check(_items.All(item => item.Done is not null), $"item {_items.FindIndex(item => item.Done is null)} was never done");
            if (status == "incomplete") response["incomplete_details"].Name("reason");
            Usage(response["usage"]);
        }
        JsonElement[] done = [.. _items.Where(item => item.Done is not null).Select(item => item.Done!.Value)];
        IReadOnlyList<Node> output = response["output"].Items;
        response.Check(output.Count == done.Length, $"output has {output.Count} items, {done.Length} are done");
        for (int i = 0; i < done.Length; i++) output[i].Check(JsonElement.DeepEquals(output[i].Json, done[i]), "differs from its output_item.done");
        _end = status == "failed" ? StreamEnd.Failed : StreamEnd.Finished;
    }

    private static void Usage(Node usage)
    {
        usage.CheckNumber("total_tokens", usage.Number("input_tokens") + usage.Number("output_tokens"));
        usage["input_tokens_details"].Number("cached_tokens");
        usage["output_tokens_details"].Number("reasoning_tokens");
    }
}
