using System.Text;
using System.Text.Json;

namespace Aiproxy.Tests.StreamInvariants;

/// <summary>One output item of a Responses stream: its parts, its deltas, and that its done event says what the deltas said.</summary>
public sealed class ResponsesItem
{
    private readonly Node _added;
    private readonly string _type;
    private readonly Dictionary<(string List, long Index), Part> _parts = [];
    private readonly StringBuilder _input = new();
    private bool _inputDone;

    public ResponsesItem(Node added)
    {
        _added = added;
        Id = added.Name("id");
        _type = added.Name("type");
        if (_type is not ("function_call" or "custom_tool_call")) return;
        added.Name("call_id");
        added.Name("name");
        added.CheckText(InputName, "");
    }

    public string Id { get; }

    /// <summary>The item as its done event has it.</summary>
    public JsonElement? Done { get; private set; }

    private string InputName => _type == "function_call" ? "arguments" : "input";

    /// <summary>An event inside the item; <paramref name="kind"/> without <c>response.</c>.</summary>
    public void Take(Node data, string kind)
    {
        data.CheckText("item_id", Id);
        data.Check(Done is null, "the item is done already");
        switch (kind)
        {
            case "content_part.added": Open(data, "content", "content_index"); break;
            case "reasoning_summary_part.added": Open(data, "summary", "summary_index"); break;
            case "content_part.done": Close(data, "content", "content_index"); break;
            case "reasoning_summary_part.done": Close(data, "summary", "summary_index"); break;
            case "output_text.delta": Append(data, "content", "content_index", "output_text"); break;
            case "refusal.delta": Append(data, "content", "content_index", "refusal"); break;
            case "reasoning_text.delta": Append(data, "content", "content_index", "reasoning_text"); break;
            case "reasoning_summary_text.delta": Append(data, "summary", "summary_index", "summary_text"); break;
            case "output_text.done": Say(data, "content", "content_index", "text"); break;
            case "refusal.done": Say(data, "content", "content_index", "refusal"); break;
            case "reasoning_text.done": Say(data, "content", "content_index", "text"); break;
            case "reasoning_summary_text.done": Say(data, "summary", "summary_index", "text"); break;
            case "output_text.annotation.added": OpenPart(data, "content", "content_index"); break;
            case "function_call_arguments.delta" or "custom_tool_call_input.delta":
                CheckInputKind(data, kind);
                data.Check(!_inputDone, "a delta after its done");
                _input.Append(data.Text("delta"));
                break;
            case "function_call_arguments.done" or "custom_tool_call_input.done":
                CheckInputKind(data, kind);
                data.Check(!_inputDone, "second done of the arguments");
                data.CheckText(InputName, _input.ToString());
                _inputDone = true;
                break;
            default:
                data.Check(_type.EndsWith("_call", StringComparison.Ordinal) && kind.StartsWith(_type, StringComparison.Ordinal), "unknown event type for this item");
                break;
        }
    }

    /// <summary>The item's done event.</summary>
    public void Finish(Node item)
    {
        item.Check(Done is null, "second output_item.done");
        item.CheckText("id", Id);
        item.CheckText("type", _type);
        if (item.Optional("status") is not null) item.Check(item.Text("status") is "completed" or "incomplete", "status must be completed or incomplete");
        foreach (((string list, long index), Part part) in _parts)
        {
            item.Check(part.IsDone, $"part {index} of {list} is still open");
            IReadOnlyList<Node> parts = item[list].Items;
            item.Check(index < parts.Count, $"part {index} of {list} is missing");
            parts[(int)index].CheckText(TextName(part.Type), part.Text.ToString());
        }
        if (_type is "function_call" or "custom_tool_call")
        {
            item.Check(_inputDone, $"the done event of its {InputName} is missing");
            item.CheckText(InputName, _input.ToString());
            item.CheckText("call_id", _added.Text("call_id"));
            item.CheckText("name", _added.Text("name"));
        }
        if (_type == "message") item.Check(item["content"].Items.Count == _parts.Count, "content has parts that were never announced");
        Done = item.Json;
    }

    private static string TextName(string partType) => partType == "refusal" ? "refusal" : "text";

    private void CheckInputKind(Node data, string kind) =>
        data.Check(kind.StartsWith(_type == "function_call" ? "function_call_arguments" : "custom_tool_call_input", StringComparison.Ordinal) && _type is "function_call" or "custom_tool_call",
            $"does not fit an item of type {_type}");

    private void Open(Node data, string list, string indexName)
    {
        data.CheckNumber(indexName, _parts.Keys.Count(key => key.List == list));
        string type = data["part"].Name("type");
        bool fits = (_type, list, type) switch
        {
            ("message", "content", "output_text" or "refusal") => true,
            ("reasoning", "summary", "summary_text") => true,
            ("reasoning", "content", "reasoning_text") => true,
            _ => false,
        };
        data.Check(fits, $"part {type} in {list} of an item of type {_type}");
        data["part"].CheckText(TextName(type), "");
        _parts.Add((list, data.Number(indexName)), new Part(type));
    }

    private Part OpenPart(Node data, string list, string indexName)
    {
        data.Check(_parts.TryGetValue((list, data.Number(indexName)), out Part? part), "the part was never added");
        data.Check(!part!.IsDone, "the part is done already");
        return part;
    }

    private void Append(Node data, string list, string indexName, string type)
    {
        Part part = OpenPart(data, list, indexName);
        data.Check(part.Type == type, $"a delta of {type} in a part of type {part.Type}");
        data.Check(!part.IsSaid, "a delta after its done");
        part.Text.Append(data.Text("delta"));
    }

    private void Say(Node data, string list, string indexName, string member)
    {
        Part part = OpenPart(data, list, indexName);
        data.Check(!part.IsSaid, "second done");
        data.CheckText(member, part.Text.ToString());
        part.IsSaid = true;
    }

    private void Close(Node data, string list, string indexName)
    {
        Part part = OpenPart(data, list, indexName);
        data.Check(part.IsSaid, "the done event of its text is missing");
        data["part"].CheckText("type", part.Type);
        data["part"].CheckText(TextName(part.Type), part.Text.ToString());
        part.IsDone = true;
    }

    private sealed class Part(string type)
    {
        public string Type => type;

        public StringBuilder Text { get; } = new();

        public bool IsSaid { get; set; }

        public bool IsDone { get; set; }
    }
}
