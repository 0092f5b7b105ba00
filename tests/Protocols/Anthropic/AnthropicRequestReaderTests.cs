using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Anthropic;

public sealed class AnthropicRequestReaderTests
{
    private static readonly AnthropicProtocol Protocol = new();

    private static ChatRequest Read(string members) => Protocol.ReadRequest(JsonDocument.Parse("{\"model\":\"m\"," + members + "}").RootElement, Head());

    private static ChatRequest ReadBlocks(string blocks, string role = "user") => Read($$"""
        "messages":[{"role":"{{role}}","content":[{{blocks}}]}]
        """);

    private static RequestHead Head() => new() { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = true };

    private const string Hi = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

    [Fact]
    public void Scalars_AreRead()
    {
        ChatRequest request = Read(Hi + """
            ,"max_tokens":100,"temperature":0.70,"top_p":0.9,"top_k":5,"stop_sequences":["a","b"],"metadata":{"user_id":"u"},"service_tier":"auto",
            "speed":"fast","context_management":{"edits":[]},"unknown":1,"cache_control":{"type":"ephemeral"}
            """);
        Assert.Equal((100, "u", "auto"), (request.MaxTokens, request.EndUserId, request.ServiceTier));
        Assert.Equal(("0.70", "0.9", "5"), (request.Sampling.Temperature?.GetRawText(), request.Sampling.TopP?.GetRawText(), request.Sampling.TopK?.GetRawText()));
        Assert.Equal(["a", "b"], request.Stop);
        Assert.Equal(32, request.CacheKey!.Length);
        Assert.Empty(request.Untranslatable);
        Assert.Equal("hi", ((TextPart)request.Turns[0].Parts[0]).Text.ToString());
    }

    [Theory]
    [InlineData("\"max_tokens\":0", "max_tokens")]
    [InlineData("\"container\":\"c\"", "container")]
    [InlineData("\"mcp_servers\":[{}]", "mcp_servers")]
    [InlineData("\"thread\":{\"type\":\"continue\"}", "thread")]
    [InlineData("\"compaction\":{\"type\":\"summarize\"}", "compaction")]
    [InlineData("\"output_config\":{\"format\":{\"type\":\"regex\"}}", "output_config.format")]
    public void WhatChangesTheMeaning_IsUntranslatable(string member, string path) => Assert.Equal([path], Read(Hi + "," + member).Untranslatable.Select(item => item.Path));

    [Theory]
    [InlineData("\"mcp_servers\":[]")]
    [InlineData("\"thread\":{\"type\":\"create\"}")]
    [InlineData("\"container\":null")]
    public void EmptyForms_AreHarmless(string member) => Assert.Empty(Read(Hi + "," + member).Untranslatable);

    [Theory]
    [InlineData("\"system\":\"s\"", "s")]
    [InlineData("\"system\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\"}},{\"type\":\"text\",\"text\":\"b\"}]", "a|b")]
    [InlineData("\"system\":null", "")]
    public void System_KeepsItsBlocks(string member, string expected) =>
        Assert.Equal(expected, string.Join('|', Read(Hi + "," + member).System.Select(part => part.Text.ToString())));

    [Fact]
    public void Media_AllSources()
    {
        IReadOnlyList<Part> parts = ReadBlocks("""
            {"type":"image","source":{"type":"base64","media_type":"image/jpg","data":"QUJD"}},
            {"type":"image","source":{"type":"url","url":"https://x/y.png"}},
            {"type":"image","source":{"type":"url","url":"data:image/png;base64,QUJD"}},
            {"type":"image","source":{"type":"file","file_id":"f1"}},
            {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QUJD"},"title":"T"},
            {"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"}},
            {"type":"document","source":{"type":"content","content":"inner"}},
            {"type":"document","source":{"type":"content","content":[{"type":"text","text":"x"}]}},
            {"type":"search_result","source":"s","title":"R","content":[{"type":"text","text":"found"}]}
            """).Turns[0].Parts;
        var media = parts.Cast<MediaPart>().ToList();
        Assert.Equal("image/jpeg", ((Base64Source)media[0].Source).MediaType);
        Assert.IsType<UrlSource>(media[1].Source);
        Assert.Equal(("image/png", "QUJD"), (((Base64Source)media[2].Source).MediaType, ((Base64Source)media[2].Source).Data.ToString()));
        Assert.Equal("anthropic", ((FileSource)media[3].Source).Protocol);
        Assert.Equal("T", media[4].Title.ToString());
        Assert.Equal("words", ((TextSource)media[5].Source).Text.ToString());
        Assert.Single(((PartsSource)media[6].Source).Parts);
        Assert.Single(((PartsSource)media[7].Source).Parts);
        Assert.Equal("R", media[8].Title.ToString());
        Assert.Equal("messages[0].content[8]", media[8].Path);
    }

    [Fact]
    public void Thinking_NativeWrappedAndUnsigned()
    {
        string gemini = SealEnvelope.Wrap(new Seal(SealKind.Thought, "", "Z2Vt")), encrypted = SealEnvelope.Wrap(new Seal(SealKind.Encrypted, "up", "enc"));
        var parts = ReadBlocks($$"""
            {"type":"thinking","thinking":"a","signature":"sig"},
            {"type":"thinking","thinking":"","signature":"{{gemini}}"},
            {"type":"thinking","thinking":"sum","signature":"{{encrypted}}"},
            {"type":"thinking","thinking":"c","signature":"{{SealEnvelope.Nothing}}"},
            {"type":"thinking","thinking":"d","signature":""},
            {"type":"redacted_thinking","data":"opaque"}
            """, "assistant").Turns[0].Parts.Cast<ThinkingPart>().ToList();
        Assert.Equal(new Seal(SealKind.Thinking, "", "sig"), parts[0].Seal);
        Assert.Equal(new Seal(SealKind.Thought, "gemini", "Z2Vt"), parts[1].Seal);
        Assert.Equal((SealKind.Encrypted, "enc", "sum"), (parts[2].Seal!.Kind, parts[2].Seal!.Value, parts[2].Text.ToString()));
        Assert.True(SealEnvelope.IsIssuer(parts[2].Seal!.Issuer, "up"));
        Assert.Null(parts[3].Seal);
        Assert.Null(parts[4].Seal);
        Assert.Equal((true, "opaque"), (parts[5].IsRedacted, parts[5].Seal!.Value));
    }

    [Fact]
    public void E24_CallsAndResults()
    {
        ChatRequest request = Read("""
            "messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"id": 9007199254740993}},{"type":"tool_use","id":"t2","name":"g"}]},
             {"role":"user","content":[{"type":"tool_result","tool_use_id":"t2","is_error":true,"content":"bad"},{"type":"tool_result","tool_use_id":"t1","is_error":null},
              {"type":"tool_result","tool_use_id":"t3","content":[{"type":"text","text":"x"},{"type":"tool_reference","tool_name":"WebFetch"}]}]}]
            """);
        var calls = request.Turns[0].Parts.Cast<ToolCallPart>().ToList();
        var results = request.Turns[1].Parts.Cast<ToolResultPart>().ToList();
        Assert.Equal("""{"id": 9007199254740993}""", Encoding.UTF8.GetString(calls[0].Arguments.Span));
        Assert.Equal("{}", Encoding.UTF8.GetString(calls[1].Arguments.Span));
        Assert.Equal([true, false, false], results.Select(result => result.IsError));
        Assert.Empty(results[1].Content);
        Assert.Equal("Tool WebFetch is now available.", ((TextPart)results[2].Content[1]).Text.ToString());
    }

    [Fact]
    public void E41_SystemTurnInTheMiddle_KeepsItsPlace()
    {
        ChatRequest request = Read("""
            "messages":[{"role":"user","content":"a"},{"role":"system","content":[{"type":"text","text":"b"}]},{"role":"assistant","content":"c"}]
            """);
        Assert.Equal([TurnRole.User, TurnRole.System, TurnRole.Assistant], request.Turns.Select(turn => turn.Role));
    }

    [Fact]
    public void RedactedThinking_IsItsProof() =>
        Assert.Equal(new Seal(SealKind.Redacted, "", "c2ln"), ((ThinkingPart)ReadBlocks("""{"type":"redacted_thinking","data":"c2ln"}""", "assistant").Turns[0].Parts[0]).Seal);

    [Fact]
    public void ForeignBlocks_AreKeptRaw_AndThoseOfTheUserRefused()
    {
        Assert.Empty(ReadBlocks("""{"type":"server_tool_use","id":"s","name":"web_search","input":{}}""", "assistant").Untranslatable);
        ChatRequest request = ReadBlocks("""{"type":"container_upload","file_id":"f"}""");
        Assert.Equal("container_upload", ((ForeignPart)request.Turns[0].Parts[0]).Type);
        Assert.Equal("messages[0].content[0]", request.Untranslatable[0].Path);
        Assert.Equal("messages[0].content[0].content[0]", Assert.Single(ReadBlocks("""{"type":"tool_result","tool_use_id":"t","content":[{"type":"hologram"}]}""").Untranslatable).Path);
    }

    [Fact]
    public void Tools_AllKinds()
    {
        IReadOnlyList<ToolDefinition> tools = Read(Hi + """
            ,"tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"strict":true,"cache_control":{"type":"ephemeral"},"defer_loading":true},
             {"type":"custom","name":"g","input_schema":{"type":"object"}},{"type":"bash_20250124","name":"bash"},{"type":"web_search_20250305","name":"web_search"},
             {"name":"DeferredToolPlaceholder","input_schema":{"type":"object"},"defer_loading":true}]
            """).Tools;
        Assert.Equal([("f", ToolKind.Function), ("g", ToolKind.Function), ("bash", ToolKind.Foreign), ("web_search", ToolKind.Foreign)], tools.Select(tool => (tool.Name, tool.Kind)));
        Assert.Equal((true, true, "d"), (tools[0].Strict, tools[0].CacheHint, tools[0].Description.ToString()));
    }

    [Theory]
    [InlineData("{\"type\":\"auto\"}", ToolChoiceMode.Auto, "", null)]
    [InlineData("{\"type\":\"auto\",\"disable_parallel_tool_use\":true}", ToolChoiceMode.Auto, "", false)]
    [InlineData("{\"type\":\"any\"}", ToolChoiceMode.Any, "", null)]
    [InlineData("{\"type\":\"none\"}", ToolChoiceMode.None, "", null)]
    [InlineData("{\"type\":\"tool\",\"name\":\"f\"}", ToolChoiceMode.Any, "f", null)]
    public void ToolChoice_AllForms(string choice, ToolChoiceMode mode, string names, bool? parallel)
    {
        ChatRequest request = Read(Hi + ",\"tool_choice\":" + choice);
        Assert.Equal((mode, names, parallel), (request.ToolChoice!.Mode, string.Join(',', request.ToolChoice.Names), request.ParallelTools));
    }

    [Theory]
    [InlineData("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2048,\"display\":\"omitted\"}", null, 2048L, false, false)]
    [InlineData("\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":\"xhigh\"}", ReasoningEffort.XHigh, null, true, null)]
    [InlineData("\"thinking\":{\"type\":\"disabled\"}", ReasoningEffort.None, null, false, null)]
    [InlineData("\"thinking\":{\"type\":\"between_tools\"}", ReasoningEffort.None, null, false, null)]
    [InlineData("\"output_config\":{\"effort\":\"low\"}", ReasoningEffort.Low, null, false, null)]
    [InlineData("\"output_config\":{\"effort\":\"medium\"}", ReasoningEffort.Medium, null, false, null)]
    [InlineData("\"output_config\":{\"effort\":\"high\"}", ReasoningEffort.High, null, false, null)]
    [InlineData("\"output_config\":{\"effort\":\"max\"}", ReasoningEffort.Max, null, false, null)]
    [InlineData("\"thinking\":{\"type\":\"brand_new\"},\"output_config\":{\"effort\":\"low\"}", ReasoningEffort.Low, null, false, null)]
    [InlineData("\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"}", null, null, true, true)]
    public void Reasoning_AllForms(string members, ReasoningEffort? effort, long? budget, bool adaptive, bool? visible) =>
        Assert.Equal(new ReasoningRequest { Effort = effort, Budget = budget, Adaptive = adaptive, Visible = visible }, Read(Hi + "," + members).Reasoning);

    [Theory]
    [InlineData("\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}}")]
    [InlineData("\"output_format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}")]
    public void OutputFormat_BothPlaces(string member) => Assert.Equal("""{"type":"object"}""", Read(Hi + "," + member).Output!.Schema!.Value.GetRawText());

    [Theory]
    [InlineData("\"messages\":{}", "messages")]
    [InlineData("\"x\":1", "messages")]
    [InlineData("\"messages\":[{\"role\":\"bot\",\"content\":\"a\"}]", "messages[0].role")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":5}]}]", "messages[0].content[0].text")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"}]}]", "messages[0].content[0].type")]
    [InlineData("\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":[]}]}]", "messages[0].content[0].input")]
    [InlineData(Hi + ",\"max_tokens\":\"x\"", "max_tokens")]
    [InlineData(Hi + ",\"max_tokens\":1.5", "max_tokens")]
    [InlineData(Hi + ",\"tools\":[{}]", "tools[0].name")]
    [InlineData(Hi + ",\"stop_sequences\":[1]", "stop_sequences[0]")]
    public void WrongTypes_ThrowWithTheirPath(string members, string path) =>
        Assert.Equal(path, Assert.Throws<ProtocolException>(() => Read(members)).Error.Param);

    [Fact]
    public void Head_ListsAllModelTokensAndTheLastCounts()
    {
        byte[] body = "{\"model\":\"a\",\"messages\":[{\"model\":\"no\"}],\"stream\":true, \"model\" : \"b\\u0063\"}"u8.ToArray();
        RequestHead head = Protocol.ReadHead(new RequestTarget(Operation.Generate), "", body);
        Assert.Equal(("bc", true), (head.Model, head.Stream));
        Assert.Equal(["\"a\"", "\"b\\u0063\""], head.ModelTokens.Select(range => Encoding.UTF8.GetString(body[range])));
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("{\"model\":\"a\",}", null)]
    [InlineData("[]", null)]
    [InlineData("{}", "model")]
    [InlineData("{\"model\":5}", "model")]
    [InlineData("{\"model\":\"\"}", "model")]
    [InlineData("{\"model\":\"a\",\"stream\":\"yes\"}", "stream")]
    [InlineData("{\"model\":\"a\"} x", null)]
    public void Head_BrokenBodies_Throw(string body, string? param)
    {
        ProxyError error = Assert.Throws<ProtocolException>(() => Protocol.ReadHead(new RequestTarget(Operation.Generate), "", Encoding.UTF8.GetBytes(body))).Error;
        Assert.Equal((ErrorKind.InvalidRequest, param), (error.Kind, error.Param));
    }

    [Fact]
    public void Head_Depth_IsBounded()
    {
        string deep = "{\"model\":\"a\",\"x\":" + new string('[', 255) + new string(']', 255) + "}", deeper = "{\"model\":\"a\",\"x\":" + new string('[', 257) + new string(']', 257) + "}";
        Assert.Equal("a", Protocol.ReadHead(new RequestTarget(Operation.Generate), "", Encoding.UTF8.GetBytes(deep)).Model);
        Assert.Throws<ProtocolException>(() => Protocol.ReadHead(new RequestTarget(Operation.Generate), "", Encoding.UTF8.GetBytes(deeper)));
    }

    [Theory]
    [InlineData("/v1/messages", Operation.Generate)]
    [InlineData("/v1/messages/count_tokens", Operation.CountTokens)]
    [InlineData("/v1/messages/batches", null)]
    [InlineData("/v1/chat/completions", null)]
    public void Match_KnowsItsPaths(string path, Operation? operation) => Assert.Equal(operation, Protocol.Match(path)?.Operation);
}
