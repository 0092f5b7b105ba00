namespace Aiproxy.Bench;

/// <summary>A small request in each client protocol: one tool, thinking shown, a stream.</summary>
public static class ClientBody
{
    private const string Schema = """{"type":"object","properties":{"path":{"type":"string"},"text":{"type":"string"}},"required":["path","text"]}""";

    public static string Of(string protocol) => protocol switch
    {
        "anthropic" => $$"""
            {"model":"bench","max_tokens":32000,"stream":true,"thinking":{"type":"enabled","budget_tokens":8000},
            "tools":[{"name":"write_file","description":"Writes a file.","input_schema":{{Schema}}}],"messages":[{"role":"user","content":"Go on."}]}
            """,
        "openai" => $$$"""
            {"model":"bench","stream":true,"stream_options":{"include_usage":true},"reasoning_effort":"medium",
            "tools":[{"type":"function","function":{"name":"write_file","description":"Writes a file.","parameters":{{{Schema}}}}}],"messages":[{"role":"user","content":"Go on."}]}
            """,
        "responses" => $$$"""
            {"model":"bench","stream":true,"store":false,"reasoning":{"effort":"medium","summary":"auto"},"include":["reasoning.encrypted_content"],
            "tools":[{"type":"function","name":"write_file","description":"Writes a file.","parameters":{{{Schema}}}}],"input":[{"role":"user","content":"Go on."}]}
            """,
        _ => $$$"""
            {"generationConfig":{"thinkingConfig":{"includeThoughts":true}},
            "tools":[{"functionDeclarations":[{"name":"write_file","description":"Writes a file.","parameters":{{{Schema}}}}]}],"contents":[{"role":"user","parts":[{"text":"Go on."}]}]}
            """,
    };
}
