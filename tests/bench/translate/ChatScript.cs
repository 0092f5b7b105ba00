namespace Aiproxy.Bench;

/// <summary>Chat: a delta holds one token. Thinking comes as <c>reasoning_content</c>.</summary>
public sealed class ChatScript : StreamScript
{
    protected override void Begin() => Chunk("""{"role":"assistant","content":"","refusal":null}""");

    protected override void Thinking(int deltas)
    {
        for (int i = 0; i < deltas; i++) Chunk($$"""{"reasoning_content":"{{Words.Next(1)}}"}""");
    }

    protected override void Text(int deltas)
    {
        for (int i = 0; i < deltas; i++) Chunk($$"""{"content":"{{Words.Next(1)}}"}""");
    }

    protected override void Call(int number, int deltas)
    {
        Chunk($$$"""{"tool_calls":[{"index":{{{number}}},"id":"call_Bench{{{number}}}","type":"function","function":{"name":"write_file","arguments":""}}]}""");
        foreach (string piece in Arguments(deltas)) Chunk($$$"""{"tool_calls":[{"index":{{{number}}},"function":{"arguments":"{{{piece}}}"}}]}""");
    }

    protected override void End()
    {
        Add($$$"""
            data: {"id":"chatcmpl-BenchBenchBenchBenchBench","object":"chat.completion.chunk","created":1795000000,"model":"gpt-5.1","service_tier":"default","system_fingerprint":"fp_bench","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}


            """);
        Add($$$"""
            data: {"id":"chatcmpl-BenchBenchBenchBenchBench","object":"chat.completion.chunk","created":1795000000,"model":"gpt-5.1","service_tier":"default","system_fingerprint":"fp_bench","choices":[],"usage":{"prompt_tokens":1241,"completion_tokens":20000,"total_tokens":21241,"prompt_tokens_details":{"cached_tokens":1200,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0} } }


            """);
        Add($$$"""
            data: [DONE]


            """);
    }

    private void Chunk(string delta) => Add($$$"""
        data: {"id":"chatcmpl-BenchBenchBenchBenchBench","object":"chat.completion.chunk","created":1795000000,"model":"gpt-5.1","service_tier":"default","system_fingerprint":"fp_bench","choices":[{"index":0,"delta":{{{delta}}},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x1yQz8"}


        """);
}
