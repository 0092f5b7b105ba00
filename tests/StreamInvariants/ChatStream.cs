namespace Aiproxy.Tests.StreamInvariants;

/// <summary>What every Chat stream towards a client obeys: chunks of one id, the role first, dense tool indices, one finish_reason a choice, the usage chunk if it was
/// asked for, [DONE]; or an error and no [DONE]. Comments anywhere before the end, no event lines.</summary>
public sealed class ChatStream
{
    private readonly bool _usageAsked;
    private readonly bool _forwarded;
    private readonly Dictionary<long, Choice> _choices = [];
    private (string Id, long Created, string Model)? _identity;
    private bool _usageSeen;
    private StreamEnd? _end;

    private ChatStream(bool usageAsked, bool forwarded)
    {
        _usageAsked = usageAsked;
        _forwarded = forwarded;
    }

    /// <param name="forwarded">The bytes are an upstream's: the role may be repeated.</param>
    public static StreamEnd Check(ReadOnlySpan<byte> sse, bool usageAsked, bool forwarded = false)
    {
        var stream = new ChatStream(usageAsked, forwarded);
        foreach (SseBlock block in SseBlock.ReadAll(sse)) stream.Take(block);
        return stream._end ?? throw Node.Broken("end of the stream", "neither [DONE] nor an error came");
    }

    private void Take(SseBlock block)
    {
        if (_end is not null) throw Node.Broken(block.Where, "something follows the end of the stream");
        if (block.IsComment) return;
        if (block.Event is not null) throw Node.Broken(block.Where, $"event line '{block.Event}' in a Chat stream");
        if (block.Data == "[DONE]")
        {
            Done(block.Where);
            return;
        }
        Node chunk = Node.ParseObject(block.Data!, block.Where);
        if (chunk.Optional("error") is Node error)
        {
            error.Name("message");
            error.Name("type");
            _end = StreamEnd.Failed;
            return;
        }
        Identity(chunk);
        IReadOnlyList<Node> choices = chunk["choices"].Items;
        Usage(chunk, choices.Count == 0);
        chunk.Check(choices.Count > 0 || _choices.Count > 0, "a chunk without choices before the first role");
        foreach (Node choice in choices) TakeChoice(choice);
    }

    private void Identity(Node chunk)
    {
        chunk.CheckText("object", "chat.completion.chunk");
        var identity = (chunk.Name("id"), chunk.Number("created"), chunk.Name("model"));
        chunk.Check(_identity is null || _identity == identity, $"id, created, model changed from {_identity} to {identity}");
        _identity = identity;
    }

    private void Usage(Node chunk, bool noChoices)
    {
        if (chunk.Optional("usage") is not Node usage) return;
        chunk.Check(_usageAsked, "usage was not asked for");
        chunk.Check(!_usageSeen, "second usage");
        chunk.Check(noChoices, "usage belongs into a chunk with empty choices");
        chunk.Check(_choices.Count > 0 && _choices.Values.All(choice => choice.Finish is not null), "usage before finish_reason");
        _usageSeen = true;
        usage.CheckNumber("total_tokens", usage.Number("prompt_tokens") + usage.Number("completion_tokens"));
    }

    private void TakeChoice(Node node)
    {
        long index = node.Number("index");
        Node delta = node["delta"];
        bool first = !_choices.TryGetValue(index, out Choice? choice);
        if (first) _choices.Add(index, choice = new Choice());
        string? role = delta.Optional("role") is null ? null : delta.Text("role");
        node.Check(!first || role == "assistant", "the first chunk of a choice must have delta.role 'assistant'");
        node.Check(first || role is null || _forwarded, "second delta.role");
        node.Check(choice!.Finish is null || !HasContent(delta), "content after finish_reason");
        if (delta.Optional("tool_calls") is Node calls)
        {
            foreach (Node call in calls.Items) TakeCall(call, choice);
        }
        if (node.Optional("finish_reason") is null) return;
        node.Check(choice.Finish is null, "second finish_reason");
        choice.Finish = node.Name("finish_reason");
        node.Check(choice.Finish is "stop" or "length" or "tool_calls" or "content_filter" or "function_call", $"unknown finish_reason '{choice.Finish}'");
        node.Check(choice.Finish != "tool_calls" || choice.CallIds.Count > 0, "finish_reason tool_calls without a call");
        node.Check(choice.Finish != "stop" || choice.CallIds.Count == 0, "finish_reason stop after a call");
    }

    private static bool HasContent(Node delta) =>
        delta.Optional("tool_calls") is not null || new[] { "content", "refusal", "reasoning_content" }.Any(name => delta.Optional(name) is not null && delta.Text(name).Length > 0);

    private static void TakeCall(Node call, Choice choice)
    {
        long index = call.Number("index");
        call.Check(index <= choice.CallIds.Count, $"index {index} leaves a hole, {choice.CallIds.Count} is next");
        if (index < choice.CallIds.Count)
        {
            call.Check(call.Optional("id") is null || call.Text("id") == choice.CallIds[(int)index], "the id of a call changed");
        }
        else
        {
            string id = call.Name("id");
            call.Check(!choice.CallIds.Contains(id), "two calls have one id");
            choice.CallIds.Add(id);
            string type = call.Name("type");
            call.Check(type is "function" or "custom", $"unknown type '{type}'");
            call[type].Name("name");
        }
        if (call.Optional("function") is Node function && function.Optional("arguments") is not null) function.Text("arguments");
    }

    private void Done(string where)
    {
        if (_choices.Count == 0) throw Node.Broken(where, "[DONE] without any choice");
        foreach ((long index, Choice choice) in _choices)
        {
            if (choice.Finish is null) throw Node.Broken(where, $"[DONE] but choice {index} has no finish_reason");
        }
        if (_usageAsked && !_usageSeen) throw Node.Broken(where, "usage was asked for and did not come");
        _end = StreamEnd.Finished;
    }

    private sealed class Choice
    {
        public List<string> CallIds { get; } = [];

        public string? Finish { get; set; }
    }
}
