using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Tests.Protocols.OpenAIResponses;

public sealed class OpenAIResponsesRequestWriterTests
{
    private static JsonElement Json(ChatRequest request, OpenAIResponsesTraits? traits = null)
    {
        var output = new ArrayBufferWriter<byte>();
        new OpenAIResponsesProtocol(traits).WriteRequest(output, request);
        return JsonDocument.Parse(output.WrittenMemory.ToArray()).RootElement;
    }

    private static ChatRequest Chat(string body) => new OpenAIChatProtocol().ReadRequest(JsonDocument.Parse(body).RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "gpt-x", Stream = true });

    private static ChatRequest Turns(params Turn[] turns) => new() { Model = "gpt-x", Turns = turns };

    private static Turn User(params Part[] parts) => new(TurnRole.User, parts);

    private static Turn Assistant(params Part[] parts) => new(TurnRole.Assistant, parts);

    private static TextPart Text(string text) => new(new JsonText(text));

    private static ToolCallPart Call(string id) => new(id, "f", "{}"u8.ToArray());

    [Fact]
    public void ModelWithoutReasoning_IsNotAskedForItsProofs()
    {
        ChatRequest request = new() { Model = "gpt-4o", Turns = [User(Text("q"))], Verbosity = "low" };
        Assert.False(Json(request).TryGetProperty("include", out _));
        Assert.False(Json(request).TryGetProperty("text", out _));
        Assert.True(Json(request with { Model = "gpt-6" }).TryGetProperty("include", out _));
    }

    [Fact]
    public void OnlyInstructions_AreTheInput()
    {
        JsonElement body = Json(new ChatRequest { Model = "gpt-x", System = [Text("s")], Turns = [] });
        Assert.Equal("""[{"type":"message","role":"developer","content":"s"}]""", body.GetProperty("input").GetRawText());
        Assert.False(body.TryGetProperty("instructions", out _));
    }

    [Fact]
    public void ChatRequest_IsTranslated_E35_WithoutItemIds() =>
        Assert.Equal("""
            {"model":"gpt-x","instructions":"s","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t","annotations":[]}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{\"id\": 9007199254740993}"},{"type":"function_call_output","call_id":"c","output":"r"},{"type":"message","role":"developer","content":"note"}],"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":false}],"tool_choice":"required","parallel_tool_calls":false,"max_output_tokens":16,"temperature":0.70,"top_p":0.9,"safety_identifier":"u","reasoning":{"effort":"low","summary":"auto"},"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object","properties":{}},"strict":false}},"prompt_cache_key":"k","service_tier":"flex","store":false,"include":["reasoning.encrypted_content"],"stream":true}
            """,
            Json(Chat("""
                {"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
                {"role":"assistant","content":"t","reasoning_content":"dropped","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"id\": 9007199254740993}"}}]},{"role":"tool","tool_call_id":"c","content":"r"},{"role":"system","content":"note"}],
                "tools":[{"type":"function","function":{"name":"f","description":"d"}}],"tool_choice":"required","parallel_tool_calls":false,"max_tokens":1,"temperature":0.70,"top_p":0.9,"user":"u","reasoning_effort":"low","prompt_cache_key":"k","service_tier":"flex","stop":["x"],"seed":1,"frequency_penalty":1,
                "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}
                """)).GetRawText());

    [Fact]
    public void E50_StrictIsAlwaysTold()
    {
        JsonElement tools = Json(Chat("""{"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b","strict":true}}]}""")).GetProperty("tools");
        Assert.Equal([false, true], tools.EnumerateArray().Select(static tool => tool.GetProperty("strict").GetBoolean()));
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(100, 100)]
    public void E56_SmallLimit_IsRaised(long asked, long sent) => Assert.Equal(sent, Json(Turns(User(Text("q"))) with { MaxTokens = asked }).GetProperty("max_output_tokens").GetInt64());

    [Fact]
    public void ReasoningItem_GoesBackOnlyToItsIssuerAndBeforeItsItem()
    {
        ThinkingPart own = new("t") { Seal = new Seal(SealKind.Encrypted, "up", "enc") }, foreign = new("x") { Seal = new Seal(SealKind.Thinking, "anthropic", "sig") };
        ThinkingPart raw = new(default(JsonText)) { Seal = new Seal(SealKind.Encrypted, "", "raw") }, other = new("y") { Seal = new Seal(SealKind.Encrypted, "other", "enc2") };
        ChatRequest request = Turns(User(Text("q")), Assistant(own, foreign, raw, other, Text("a"), own, Call("c")), User(new ToolResultPart("c", null, [])), Assistant(Text("b"), own));
        JsonElement input = Json(request, new OpenAIResponsesTraits { Issuer = "up" }).GetProperty("input");
        Assert.Equal(["message", "reasoning", "reasoning", "message", "reasoning", "function_call", "function_call_output", "message"], input.EnumerateArray().Select(static item => item.GetProperty("type").GetString()));
        Assert.Equal("""{"type":"reasoning","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"enc"}""", input[1].GetRawText());
        Assert.Equal("""{"type":"reasoning","summary":[],"encrypted_content":"raw"}""", input[2].GetRawText());
        Assert.Equal(1, Json(request).GetProperty("input").EnumerateArray().Count(static item => item.GetProperty("type").GetString() == "reasoning"));
    }

    [Fact]
    public void ImageInToolResult_StaysInTheOutput() =>
        Assert.Equal("""[{"type":"input_text","text":"Error: "},{"type":"input_text","text":"shot"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]""",
            Json(Turns(Assistant(Call("c")), User(new ToolResultPart("c", null, [Text("shot"), new MediaPart(MediaKind.Image, new Base64Source("image/png", "AAAA"))]) { IsError = true })))
                .GetProperty("input")[1].GetProperty("output").GetRawText());

    [Fact]
    public void AssistantTurn_KeepsRefusalsAndThePlaceOfImages() =>
        Assert.Equal("""[{"type":"output_text","text":"a","annotations":[]},{"type":"output_text","text":"[image omitted]","annotations":[]},{"type":"refusal","refusal":"no"}]""",
            Json(Turns(Assistant(Text("a"), new MediaPart(MediaKind.Image, new Base64Source("image/png", "AAAA")), new RefusalPart("no")), User(Text("q"))))
                .GetProperty("input")[0].GetProperty("content").GetRawText());

    [Theory]
    [InlineData("""{"type":"input_file","file_url":"https://h/a.pdf"}""", """{"type":"input_file","file_url":"https://h/a.pdf"}""")]
    [InlineData("""{"type":"input_file","file_id":"f1"}""", """{"type":"input_file","file_id":"f1"}""")]
    [InlineData("""{"type":"input_image","file_id":"f2"}""", """{"type":"input_image","file_id":"f2"}""")]
    public void FilesOfTheClient_GoOnAsTheyAre(string part, string expected) =>
        Assert.Equal(expected, Json(Own($$"""{"input":[{"role":"user","content":[{{part}}]}]}""")).GetProperty("input")[0].GetProperty("content")[0].GetRawText());

    [Theory]
    [InlineData("""{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]}""", """{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]}""")]
    [InlineData("""{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},{"type":"custom","name":"p"}]}""", """{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},{"type":"custom","name":"p"}]}""")]
    [InlineData("""{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]}""", """{"type":"function","name":"f"}""")]
    [InlineData("\"required\"", "\"required\"")]
    [InlineData("\"none\"", "\"none\"")]
    [InlineData("\"auto\"", "\"auto\"")]
    public void ToolChoice_AllForms(string choice, string expected) =>
        Assert.Equal(expected, Json(Own($$"""{"input":"q","tools":[{"type":"function","name":"f"},{"type":"custom","name":"p"}],"tool_choice":{{choice}}}""")).GetProperty("tool_choice").GetRawText());

    [Theory]
    [InlineData("""{"type":"json_object"}""", """{"type":"json_object"}""")]
    [InlineData("""{"type":"json_schema","name":"n","description":"what it is","schema":{"type":"object","properties":{}},"strict":true}""",
        """{"type":"json_schema","name":"n","description":"what it is","schema":{"type":"object","properties":{}},"strict":true}""")]
    public void AnswerFormat_KeepsItsForm(string format, string expected) =>
        Assert.Equal(expected, Json(Own($$$"""{"input":"q","text":{"format":{{{format}}}}}""")).GetProperty("text").GetProperty("format").GetRawText());

    private static ChatRequest Own(string body) =>
        new OpenAIResponsesProtocol().ReadRequest(JsonDocument.Parse(body).RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "gpt-x", Stream = false });

    [Fact]
    public void Codex_WantsDeveloperMessageAndBareParameters()
    {
        JsonElement body = Json(Turns(User(Text("q"))) with { System = [Text("s1"), Text("s2")], MaxTokens = 99, EndUserId = "u", ServiceTier = "flex" },
            new OpenAIResponsesTraits { InstructionsAsDeveloper = true, BareParameters = true, AlwaysStreams = true });
        Assert.Equal("", body.GetProperty("instructions").GetString());
        Assert.Equal("""{"type":"message","role":"developer","content":"s1\n\ns2"}""", body.GetProperty("input")[0].GetRawText());
        Assert.True(body.GetProperty("stream").GetBoolean());
        foreach (string name in new[] { "max_output_tokens", "temperature", "safety_identifier", "service_tier" }) Assert.False(body.TryGetProperty(name, out _), name);
    }

    [Fact]
    public void CacheKey_IsStableAndDerived()
    {
        ChatRequest request = Turns(User(Text("q"))) with { System = [Text("s")], EndUserId = "u" };
        string? key = Json(request).GetProperty("prompt_cache_key").GetString();
        Assert.Equal(key, Json(request with { Turns = [User(Text("other"))] }).GetProperty("prompt_cache_key").GetString());
        Assert.NotEqual(key, Json(request with { EndUserId = "v" }).GetProperty("prompt_cache_key").GetString());
        Assert.InRange(key!.Length, 16, 64);
    }

    [Fact]
    public void SaidNothingOfReasoning_NothingIsSent()
    {
        Assert.False(Json(Turns(User(Text("q")))).TryGetProperty("reasoning", out _));
        Assert.False(Json(Turns(User(Text("q"))) with { Reasoning = new ReasoningRequest { Visible = false } }).TryGetProperty("reasoning", out _));
        Assert.Equal("""{"effort":"none"}""", Json(Turns(User(Text("q"))) with { Reasoning = new ReasoningRequest { Effort = ReasoningEffort.None } }).GetProperty("reasoning").GetRawText());
        Assert.Equal("""{"summary":"auto"}""", Json(Turns(User(Text("q"))) with { Reasoning = new ReasoningRequest { Adaptive = true } }).GetProperty("reasoning").GetRawText());
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]}]}""", "messages[0].content[0]")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}""", "messages[0].content[0]")]
    [InlineData("""{"messages":[],"n":2}""", "n")]
    [InlineData("""{"messages":[{"role":"user","content":"q"}],"web_search_options":{}}""", "web_search_options")]
    public void WhatCannotBeSaid_IsRefusedWithItsPath(string body, string path)
    {
        ProxyError error = Assert.Throws<ProtocolException>(() => Json(Chat(body))).Error;
        Assert.Equal((ErrorKind.Unsupported, path), (error.Kind, error.Param));
    }

    [Fact]
    public void LoneSurrogates_AreRefusedOrReplaced_NeverThrown()
    {
        foreach (IUpstreamProtocol target in new IUpstreamProtocol[] { new OpenAIChatProtocol(), new OpenAIResponsesProtocol() })
        {
            ChatRequest request = Chat("""{"messages":[{"role":"system","content":"\ud800"},{"role":"user","content":"\udc00"},{"role":"assistant","content":"\ud800","tool_calls":[{"id":"\ud800","function":{"name":"\ud800","arguments":"{\"a\":\"\ud800\"}"}}]}],"tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{"\ud800":{"default":"\ud800"}}}}}]}""");
            try
            {
                target.WriteRequest(new ArrayBufferWriter<byte>(), request);
            }
            catch (ProtocolException fault)
            {
                Assert.Equal(ErrorKind.InvalidRequest, fault.Error.Kind);
            }
        }
    }

    [Fact]
    public void ResponsesRequest_KeepsItsWords()
    {
        ChatRequest request = new OpenAIResponsesProtocol().ReadRequest(JsonDocument.Parse("""
            {"input":[{"role":"user","content":"q"},{"type":"web_search_call","id":"ws_1","status":"completed"},{"type":"function_call","namespace":"ns","name":"g","call_id":"c1","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"o"}],
             "tools":[{"type":"web_search"},{"type":"namespace","name":"ns","tools":[{"type":"function","name":"g","parameters":{"type":"object"}}]},{"type":"custom","name":"p","format":{"type":"text"}}],"tool_choice":{"type":"custom","name":"p"}}
            """).RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = false });
        JsonElement body = Json(request);
        Assert.Equal("""[{"type":"web_search"},{"type":"function","name":"ns__g","parameters":{"type":"object","properties":{}},"strict":false},{"type":"custom","name":"p","format":{"type":"text"}}]""", body.GetProperty("tools").GetRawText());
        Assert.Equal("""{"type":"custom","name":"p"}""", body.GetProperty("tool_choice").GetRawText());
        Assert.Equal(["message", "web_search_call", "function_call", "function_call_output"], body.GetProperty("input").EnumerateArray().Select(static item => item.GetProperty("type").GetString()));
    }
}
