namespace Aiproxy.Bench;

/// <summary>Messages: a delta holds a few words.</summary>
public sealed class AnthropicScript : StreamScript
{
    private const int WordsPerDelta = 4;
    private int _index;

    protected override void Begin()
    {
        Add($$$"""
            event: message_start
            data: {"type":"message_start","message":{"id":"msg_01Bench","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":41,"cache_creation_input_tokens":0,"cache_read_input_tokens":1200,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard"}} }


            """);
        Add($$$"""
            event: ping
            data: {"type": "ping"}


            """);
    }

    protected override void Thinking(int deltas)
    {
        Start("""{"type":"thinking","thinking":"","signature":""}""");
        for (int i = 0; i < deltas; i++) Delta($$"""{"type":"thinking_delta","thinking":"{{Words.Next(WordsPerDelta)}}"}""");
        Delta($$"""{"type":"signature_delta","signature":"{{new string('S', 400)}}"}""");
        Stop();
    }

    protected override void Text(int deltas)
    {
        Start("""{"type":"text","text":""}""");
        for (int i = 0; i < deltas; i++) Delta($$"""{"type":"text_delta","text":"{{Words.Next(WordsPerDelta)}}"}""");
        Stop();
    }

    protected override void Call(int number, int deltas)
    {
        Start($$$"""{"type":"tool_use","id":"toolu_01Bench{{{number}}}","name":"write_file","input":{}}""");
        foreach (string piece in Arguments(deltas)) Delta($$"""{"type":"input_json_delta","partial_json":"{{piece}}"}""");
        Stop();
    }

    protected override void End()
    {
        Add($$$"""
            event: message_delta
            data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":41,"cache_creation_input_tokens":0,"cache_read_input_tokens":1200,"output_tokens":20000} }


            """);
        Add($$$"""
            event: message_stop
            data: {"type":"message_stop"}


            """);
    }

    private void Start(string block) => Add($$$"""
        event: content_block_start
        data: {"type":"content_block_start","index":{{{_index}}},"content_block":{{{block}}} }


        """);

    private void Delta(string delta) => Add($$$"""
        event: content_block_delta
        data: {"type":"content_block_delta","index":{{{_index}}},"delta":{{{delta}}} }


        """);

    private void Stop() => Add($$$"""
        event: content_block_stop
        data: {"type":"content_block_stop","index":{{{_index++}}} }


        """);
}
