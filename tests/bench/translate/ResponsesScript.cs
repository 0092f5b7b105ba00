using System.Text;

namespace Aiproxy.Bench;

/// <summary>Responses: a delta holds one token. What is done is told whole, and all of it again at the end.</summary>
public sealed class ResponsesScript : StreamScript
{
    private readonly List<string> _done = [];
    private int _item;

    protected override void Begin()
    {
        Event("response.created", $$"""  "response":{{Response("in_progress")}}  """);
        Event("response.in_progress", $$"""  "response":{{Response("in_progress")}}  """);
    }

    protected override void Thinking(int deltas)
    {
        string id = $"rs_Bench{_item}";
        Added($$"""{"id":"{{id}}","type":"reasoning","summary":[]}""");
        Part(id, "reasoning_summary_part.added", "summary_index", "summary_text", "");
        string text = Deltas(id, "reasoning_summary_text", "summary_index", deltas, "");
        Event("response.reasoning_summary_text.done", $$"""  "item_id":"{{id}}","output_index":{{_item}},"summary_index":0,"text":"{{text}}"  """);
        Part(id, "reasoning_summary_part.done", "summary_index", "summary_text", text);
        Done($$"""{"id":"{{id}}","type":"reasoning","summary":[{"type":"summary_text","text":"{{text}}"}],"encrypted_content":"{{new string('E', 800)}}"}""");
    }

    protected override void Text(int deltas)
    {
        string id = $"msg_Bench{_item}";
        Added($$"""{"id":"{{id}}","type":"message","status":"in_progress","content":[],"role":"assistant"}""");
        Part(id, "content_part.added", "content_index", "output_text", "");
        string text = Deltas(id, "output_text", "content_index", deltas, "\"logprobs\":[],");
        Event("response.output_text.done", $$"""  "item_id":"{{id}}","output_index":{{_item}},"content_index":0,"text":"{{text}}","logprobs":[]  """);
        Part(id, "content_part.done", "content_index", "output_text", text);
        Done($$"""{"id":"{{id}}","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"{{text}}"}],"role":"assistant"}""");
    }

    protected override void Call(int number, int deltas)
    {
        string id = $"fc_Bench{_item}";
        Added($$"""{"id":"{{id}}","type":"function_call","status":"in_progress","arguments":"","call_id":"call_Bench{{number}}","name":"write_file"}""");
        var all = new StringBuilder();
        foreach (string piece in Arguments(deltas))
        {
            all.Append(piece);
            Event("response.function_call_arguments.delta", $$"""  "item_id":"{{id}}","output_index":{{_item}},"delta":"{{piece}}","obfuscation":"k3J9sLq0"  """);
        }
        Event("response.function_call_arguments.done", $$"""  "item_id":"{{id}}","output_index":{{_item}},"arguments":"{{all}}"  """);
        Done($$"""{"id":"{{id}}","type":"function_call","status":"completed","arguments":"{{all}}","call_id":"call_Bench{{number}}","name":"write_file"}""");
    }

    protected override void End() => Event("response.completed", $$"""  "response":{{Response("completed")}}  """);

    private string Deltas(string id, string kind, string part, int count, string more)
    {
        var all = new StringBuilder();
        for (int i = 0; i < count; i++)
        {
            string piece = Words.Next(1);
            all.Append(piece);
            Event($"response.{kind}.delta", $$"""  "item_id":"{{id}}","output_index":{{_item}},"{{part}}":0,"delta":"{{piece}}",{{more}}"obfuscation":"k3J9sLq0"  """);
        }
        return all.ToString();
    }

    private void Part(string id, string type, string index, string kind, string text) =>
        Event("response." + type, $$$"""  "item_id":"{{{id}}}","output_index":{{{_item}}},"{{{index}}}":0,"part":{"type":"{{{kind}}}","text":"{{{text}}}"}  """);

    private void Added(string item) => Event("response.output_item.added", $$"""  "output_index":{{_item}},"item":{{item}}  """);

    private void Done(string item)
    {
        Event("response.output_item.done", $$"""  "output_index":{{_item}},"item":{{item}}  """);
        _done.Add(item);
        _item++;
    }

    private string Response(string status) => $$$"""
        {"id":"resp_BenchBenchBench","object":"response","created_at":1795000000,"status":"{{{status}}}","background":false,"error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"gpt-5.1","output":[{{{string.Join(',', _done)}}}],"parallel_tool_calls":true,"store":false,"temperature":1,"tool_choice":"auto","tools":[],"top_p":1,"truncation":"disabled","usage":{{{(status == "completed" ? """{"input_tokens":1241,"input_tokens_details":{"cached_tokens":1200},"output_tokens":20000,"output_tokens_details":{"reasoning_tokens":20},"total_tokens":21241}""" : "null")}}},"user":null}
        """;

    private void Event(string type, string members) => Add($$$"""
        event: {{{type}}}
        data: {"type":"{{{type}}}","sequence_number":{{{Events}}},{{{members.Trim()}}}}


        """);
}
