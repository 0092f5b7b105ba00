using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Tests.Protocols.OpenAIChat;

public sealed class OpenAIChatRequestWriterTests
{
    private static readonly OpenAIChatTraits s_official = new() { IsOfficial = true, DeveloperRole = true };

    private static string Write(ChatRequest request, OpenAIChatTraits? traits = null)
    {
        var output = new ArrayBufferWriter<byte>();
        new OpenAIChatProtocol(traits).WriteRequest(output, request);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static JsonElement Json(ChatRequest request, OpenAIChatTraits? traits = null) => JsonDocument.Parse(Write(request, traits)).RootElement;

    private static ChatRequest Chat(string body) => new OpenAIChatProtocol().ReadRequest(JsonDocument.Parse(body).RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "deep-1", Stream = false });

    private static ChatRequest Responses(string body) => new OpenAIResponsesProtocol().ReadRequest(JsonDocument.Parse(body).RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "deep-1", Stream = true });

    private static ChatRequest Turns(params Turn[] turns) => new() { Model = "deep-1", Turns = turns };

    private static Turn User(params Part[] parts) => new(TurnRole.User, parts);

    private static Turn Assistant(params Part[] parts) => new(TurnRole.Assistant, parts);

    private static TextPart Text(string text) => new(new JsonText(text));

    private static ToolCallPart Call(string id, string arguments = "{}") => new(id, "f", Encoding.UTF8.GetBytes(arguments));

    [Fact]
    public void ChatRequest_ComesBackTheSame() =>
        Assert.Equal("""
            {"model":"deep-1","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://h/x.png"}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"id\": 9007199254740993}"}}]},{"role":"tool","tool_call_id":"c","content":"r"},{"role":"user","content":"go \u00e9"}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"id":{"type":"integer","maximum":1e400}}}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"max_tokens":5,"temperature":0.70,"top_p":0.9,"stop":["x"],"seed":7}
            """.Replace("\\u00e9", "é"),
            Write(Chat("""
                {"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://h/x.png"}}]},
                {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"id\": 9007199254740993}"}}]},{"role":"tool","tool_call_id":"c","content":"r"},{"role":"user","content":"go é"}],
                "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"$schema":"x","type":"object","properties":{"id":{"type":"integer","maximum":1e400}}}}}],
                "tool_choice":{"type":"function","function":{"name":"f"}},"max_tokens":5,"temperature":0.70,"top_p":0.9,"stop":"x","seed":7}
                """)));

    [Fact]
    public void SameRequest_GivesTheSameBytes()
    {
        ChatRequest request = Turns(User(Text("q")), Assistant(new ToolCallPart(null, "f", "{}"u8.ToArray())), User(new ToolResultPart(null, "f", [Text("r")])));
        Assert.Equal(Write(request), Write(request));
    }

    [Fact]
    public void E02_TextBesideResult_ToolMessageAndUserMessage() =>
        Assert.Equal("""[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"},{"role":"user","content":"and?"}]""",
            Json(Turns(Assistant(Call("c")), User(new ToolResultPart("c", null, [Text("r")]), Text("and?")))).GetProperty("messages").GetRawText());

    [Fact]
    public void ImageOfTheAssistant_StandsApartFromItsText() =>
        Assert.Equal("[image omitted]\n\nb",
            Json(Turns(User(Text("q")), Assistant(new MediaPart(MediaKind.Image, new Base64Source("image/png", "AAAA")), Text("b")))).GetProperty("messages")[1].GetProperty("content").GetString());

    [Fact]
    public void TextsAroundACall_StandApart_PiecesOfOneDoNot() =>
        Assert.Equal("ab\n\nc", Json(Turns(User(Text("q")), Assistant(Text("a"), Text("b"), Call("x"), Text("c")), User(new ToolResultPart("x", null, [Text("r")])))).GetProperty("messages")[1].GetProperty("content").GetString());

    [Fact]
    public void Strict_IsToldWhereItWasAskedFor() =>
        Assert.Equal([true, null, null], Json(Chat("""{"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"f","strict":true}},{"type":"function","function":{"name":"g","strict":false}},{"type":"function","function":{"name":"h"}}]}"""))
            .GetProperty("tools").EnumerateArray().Select(static tool => tool.GetProperty("function").TryGetProperty("strict", out JsonElement strict) ? strict.GetBoolean() : (bool?)null));

    [Fact]
    public void ReplayReasoning_IsThereWithoutCallsToo() =>
        Assert.Equal("hm", Json(Turns(User(Text("q")), Assistant(new ThinkingPart("hm"), Text("a")), User(Text("b"))), new OpenAIChatTraits { ReplayReasoning = true })
            .GetProperty("messages")[1].GetProperty("reasoning_content").GetString());

    [Theory]
    [InlineData(true, "developer")]
    [InlineData(false, "system")]
    public void LaterInstruction_HasTheRoleOfTheFirst(bool isDeveloper, string role)
    {
        ChatRequest request = Turns(User(Text("q")), new Turn(TurnRole.System, [Text("note")]), User(Text("go"))) with { System = [Text("s")] };
        Assert.Equal([role, "user", role, "user"], Json(request, new OpenAIChatTraits { DeveloperRole = isDeveloper, MidSystem = true }).GetProperty("messages").EnumerateArray().Select(static one => one.GetProperty("role").GetString()!));
    }

    [Theory]
    [InlineData("wav", "wav")]
    [InlineData("mp3", "mp3")]
    public void Sound_KeepsItsFormat(string format, string expected) =>
        Assert.Equal($$$"""{"type":"input_audio","input_audio":{"data":"AAAA","format":"{{{expected}}}"}}""",
            Json(Chat($$$"""{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"{{{format}}}"}}]}]}""")).GetProperty("messages")[0].GetProperty("content")[0].GetRawText());

    [Fact]
    public void FileOfTheClientsProvider_GoesOnAsItIs() =>
        Assert.Equal("""{"type":"file","file":{"file_id":"f1"}}""",
            Json(Chat("""{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f1"}}]}]}""")).GetProperty("messages")[0].GetProperty("content")[0].GetRawText());

    [Fact]
    public void AnswerFormat_KeepsItsDescription() =>
        Assert.Equal("what it is", Json(Chat("""{"messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"what it is","schema":{"type":"object"}}}}""")).GetProperty("response_format").GetProperty("json_schema").GetProperty("description").GetString());

    [Theory]
    [InlineData("required", "fg")]
    [InlineData("required", "f")]
    [InlineData("auto", "fg")]
    public void AllowedTools_AtOpenAI_AreNamed(string mode, string names)
    {
        string named = string.Join(',', names.Select(static name => $$$"""{"type":"function","function":{"name":"{{{name}}}"}}"""));
        JsonElement body = Json(Chat($$$"""
            {"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}},{"type":"function","function":{"name":"h"}}],
             "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"{{{mode}}}","tools":[{{{named}}}]} } }
            """), s_official);
        Assert.Equal(3, body.GetProperty("tools").GetArrayLength());
        Assert.Equal(names.Length == 1 ? named : $$$"""{"type":"allowed_tools","allowed_tools":{"mode":"{{{mode}}}","tools":[{{{named}}}]}}""", body.GetProperty("tool_choice").GetRawText());
    }

    [Theory]
    [InlineData("required", "g", "fg", "\"required\"")]
    [InlineData("required", "h", "fg", "\"required\"")]
    [InlineData("auto", "f", "f", "\"auto\"")]
    [InlineData("auto", "g", "fgh", "\"auto\"")]
    public void AllowedTools_Elsewhere_AreAllThatIsDeclared_UnlessTheHistoryUsesOthers(string mode, string used, string declared, string choice)
    {
        string allowed = mode == "auto" ? """{"type":"function","function":{"name":"f"}}""" : """{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}""";
        JsonElement body = Json(Chat($$$"""
            {"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"{{{used}}}","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],
             "tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}},{"type":"function","function":{"name":"h"}}],
             "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"{{{mode}}}","tools":[{{{allowed}}}]} } }
            """));
        Assert.Equal(declared, string.Concat(body.GetProperty("tools").EnumerateArray().Select(static tool => tool.GetProperty("function").GetProperty("name").GetString())));
        Assert.Equal(choice, body.GetProperty("tool_choice").GetRawText());
    }

    [Fact]
    public void E22_BrokenArgumentsInHistory_AreWrapped() =>
        Assert.Equal("{\"_raw\":\"{\\\"a\\\":\"}", Json(Turns(Assistant(Call("c", "{\"a\":")))).GetProperty("messages")[0].GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetString());

    [Fact]
    public void E38_ReplayReasoning_IsOnEveryAssistantMessageWithCalls()
    {
        ChatRequest request = Turns(User(Text("q")), Assistant(new ThinkingPart("hm"), Call("a")), User(new ToolResultPart("a", null, [])), Assistant(Call("b")), User(new ToolResultPart("b", null, [])), Assistant(Text("done")));
        JsonElement messages = Json(request, new OpenAIChatTraits { ReplayReasoning = true }).GetProperty("messages");
        Assert.Equal(["hm", "", null], messages.EnumerateArray().Where(static one => one.GetProperty("role").GetString() == "assistant").Select(static one => one.TryGetProperty("reasoning_content", out JsonElement text) ? text.GetString() : null));
        Assert.DoesNotContain("reasoning_content", Write(request));
    }

    [Fact]
    public void E41_MidSystem_IsASystemMessageOrUserText()
    {
        ChatRequest request = Turns(User(Text("q")), new Turn(TurnRole.System, [Text("note")]), Assistant(Text("a")));
        Assert.Equal("""{"role":"system","content":"note"}""", Json(request, new OpenAIChatTraits { MidSystem = true }).GetProperty("messages")[1].GetRawText());
        Assert.Equal("""{"role":"user","content":"<system-reminder>\nnote\n</system-reminder>"}""", Json(request, new OpenAIChatTraits { MidSystem = false }).GetProperty("messages")[1].GetRawText());
        Assert.Equal(2, Json(request, new OpenAIChatTraits { MidSystem = false, StrictAlternation = true }).GetProperty("messages").GetArrayLength());
    }

    [Theory]
    [InlineData("qwen-3", false, false, "user")]
    [InlineData("qwen-3", true, false, "system")]
    [InlineData("qwen-3", false, true, "system")]
    [InlineData("openai/gpt-6", false, false, "system")]
    public void MidSystem_WhereTheModelIsNotKnownToTakeIt_IsUserText(string model, bool isTold, bool isOfficial, string role)
    {
        ChatRequest request = Turns(User(Text("q")), new Turn(TurnRole.System, [Text("note")])) with { Model = model };
        var traits = new OpenAIChatTraits { IsOfficial = isOfficial, Models = new ModelTable(isTold ? [("qwen*", new ModelFacts { HasMidSystem = true })] : []) };
        Assert.Equal(role, Json(request, traits).GetProperty("messages")[1].GetProperty("role").GetString());
    }

    [Fact]
    public void E46_ImageInToolResult_FollowsAfterAllToolMessages()
    {
        var image = new MediaPart(MediaKind.Image, new Base64Source("image/jpg", "iVBORw0KGgoAAAANSUhEUg"));
        JsonElement messages = Json(Turns(Assistant(Call("a"), Call("b")), User(new ToolResultPart("a", null, [Text("shot"), image]), new ToolResultPart("b", null, [Text("ok")])))).GetProperty("messages");
        Assert.Equal("shot\n[image 1 follows in the next message]", messages[1].GetProperty("content").GetString());
        Assert.Equal("ok", messages[2].GetProperty("content").GetString());
        Assert.Equal("""[{"type":"text","text":"[image 1 of tool result a]"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="}}]""", messages[3].GetProperty("content").GetRawText());
    }

    [Theory]
    [InlineData(true, "boom", "Error: boom")]
    [InlineData(true, "Error: boom", "Error: boom")]
    [InlineData(false, "boom", "boom")]
    public void E47_IsError_IsAPrefix(bool isError, string text, string expected) =>
        Assert.Equal(expected, Json(Turns(Assistant(Call("a")), User(new ToolResultPart("a", null, [Text(text)]) { IsError = isError }))).GetProperty("messages")[1].GetProperty("content").GetString());

    [Fact]
    public void E51_CustomTool_IsNativeOrWrapped()
    {
        ChatRequest request = Responses("""
            {"input":[{"role":"user","content":"q"},{"type":"custom_tool_call","call_id":"c","name":"p","input":"a\nb"},{"type":"custom_tool_call_output","call_id":"c","output":"ok"}],
             "tools":[{"type":"custom","name":"p","description":"d","format":{"type":"grammar","syntax":"lark","definition":"g"}}],"tool_choice":{"type":"custom","name":"p"}}
            """);
        JsonElement native = Json(request, s_official);
        Assert.Equal("""[{"type":"custom","custom":{"name":"p","description":"d","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"g"}}}}]""", native.GetProperty("tools").GetRawText());
        Assert.Equal("""[{"id":"c","type":"custom","custom":{"name":"p","input":"a\nb"}}]""", native.GetProperty("messages")[1].GetProperty("tool_calls").GetRawText());
        Assert.Equal("""{"type":"custom","custom":{"name":"p"}}""", native.GetProperty("tool_choice").GetRawText());
        JsonElement wrapped = Json(request);
        Assert.Equal("""{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}""", wrapped.GetProperty("tools")[0].GetProperty("function").GetProperty("parameters").GetRawText());
        Assert.Equal("{\"input\":\"a\\nb\"}", wrapped.GetProperty("messages")[1].GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetString());
        Assert.Equal("""{"type":"function","function":{"name":"p"}}""", wrapped.GetProperty("tool_choice").GetRawText());
    }

    [Fact]
    public void E55_FiveStops_FourAreSent() =>
        Assert.Equal(["1", "2", "3", "4"], Json(Turns(User(Text("q"))) with { Stop = ["1", "2", "3", "4", "5"] }).GetProperty("stop").EnumerateArray().Select(static one => one.GetString()));

    [Fact]
    public void E73_LongUserId_IsHashed()
    {
        ChatRequest request = Turns(User(Text("q"))) with { EndUserId = new string('u', 150) };
        Assert.Matches("^[0-9a-f]{64}$", Json(request).GetProperty("user").GetString());
        Assert.Matches("^[0-9a-f]{64}$", Json(request, s_official).GetProperty("safety_identifier").GetString());
    }

    [Theory]
    [InlineData("gpt-6.1-sol", "max_completion_tokens", false)]
    [InlineData("openai/o3", "max_completion_tokens", false)]
    [InlineData("gpt-4o", "max_completion_tokens", true)]
    [InlineData("deepseek-chat", "max_tokens", true)]
    [InlineData("olmo-2", "max_tokens", true)]
    public void ParametersFollowTheModel(string model, string limit, bool samples)
    {
        using JsonDocument number = JsonDocument.Parse("0.5");
        JsonElement body = Json(Turns(User(Text("q"))) with { Model = model, MaxTokens = 9, Stop = ["x"], Sampling = new Sampling { Temperature = number.RootElement, TopK = number.RootElement } });
        Assert.Equal(9, body.GetProperty(limit).GetInt64());
        Assert.Equal(samples, body.TryGetProperty("temperature", out _));
        Assert.Equal(samples, body.TryGetProperty("stop", out _));
        Assert.False(body.TryGetProperty("top_k", out _));
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(null, 0L, "none")]
    [InlineData(null, 1024L, "low")]
    [InlineData(null, 8192L, "medium")]
    [InlineData(null, 31999L, "xhigh")]
    [InlineData(null, -1L, null)]
    [InlineData(ReasoningEffort.Max, 5L, "max")]
    public void Effort_IsToldOrDerived(ReasoningEffort? effort, long? budget, string? word)
    {
        ChatRequest request = Turns(User(Text("q"))) with { Reasoning = new ReasoningRequest { Effort = effort, Budget = budget } };
        Assert.Equal(word, Json(request).TryGetProperty("reasoning_effort", out JsonElement told) ? told.GetString() : null);
        Assert.False(Json(request with { Model = "gpt-4o" }).TryGetProperty("reasoning_effort", out _));
    }

    [Fact]
    public void StreamOptions_AreAlwaysAskedFor()
    {
        ChatRequest request = Turns(User(Text("q"))) with { Stream = true };
        Assert.Contains("\"stream\":true,\"stream_options\":{\"include_usage\":true}", Write(request));
    }

    [Fact]
    public void StrictServer_GetsCallIdsOfNineCharacters()
    {
        JsonElement messages = Json(Turns(User(Text("q")), Assistant(Call("toolu_01AbC"), Call("D681PevKs")), User(new ToolResultPart("toolu_01AbC", null, [Text("1")]), new ToolResultPart("D681PevKs", null, [Text("2")]))),
            new OpenAIChatTraits { IsStrict = true }).GetProperty("messages");
        string[] ids = [.. messages[1].GetProperty("tool_calls").EnumerateArray().Select(static call => call.GetProperty("id").GetString()!)];
        Assert.Matches("^[a-z0-9]{9}$", ids[0]);
        Assert.Equal("D681PevKs", ids[1]);
        Assert.Equal(ids, messages.EnumerateArray().Skip(2).Select(static message => message.GetProperty("tool_call_id").GetString()));
    }

    [Fact]
    public void RefusalAlone_IsContentWhereRefusalsAreNotKnown()
    {
        ChatRequest request = Turns(User(Text("q")), Assistant(new RefusalPart(new JsonText("no"))), User(Text("why")));
        Assert.Equal("""{"role":"assistant","content":"no"}""", Json(request).GetProperty("messages")[1].GetRawText());
        Assert.Equal("""{"role":"assistant","content":null,"refusal":"no"}""", Json(request, s_official).GetProperty("messages")[1].GetRawText());
    }

    [Fact]
    public void StrictFalse_IsNotSaid()
    {
        string body = Write(Responses("""{"input":"q","tools":[{"type":"function","name":"a","strict":false},{"type":"function","name":"b","strict":true}]}"""));
        Assert.DoesNotContain("\"strict\":false", body);
        Assert.Contains("\"strict\":true", body);
    }

    [Fact]
    public void DocumentOfText_IsText_WhateverItsEncoding()
    {
        const string Body = """{"input":[{"role":"user","content":[{"type":"input_file","filename":"a.txt","file_data":"data:text/plain;charset=utf-8;base64,aGVsbG8="},{"type":"input_file","filename":"a.json","file_data":"data:application/json;base64,e30="},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}]}]}""";
        JsonElement content = Json(Responses(Body)).GetProperty("messages")[0].GetProperty("content");
        Assert.Equal(["<document title=\"a.txt\">hello</document>", "<document title=\"a.json\">{}</document>"], content.EnumerateArray().Take(2).Select(static part => part.GetProperty("text").GetString()));
        Assert.Equal("file", content[2].GetProperty("type").GetString());
    }

    [Fact]
    public void MessagesThatFollowEachOther_DoNotRunTogether() => Assert.Equal("a.b\n\nc", Json(Responses(
        """{"input":["q",{"role":"assistant","content":[{"type":"output_text","text":"a."},{"type":"output_text","text":"b"}],"phase":"commentary"},{"role":"assistant","content":"c"},{"role":"user","content":"r"}]}"""))
        .GetProperty("messages")[1].GetProperty("content").GetString());

    [Fact]
    public void StrictServer_GetsNoMemberOfItsOwnChoosing()
    {
        ChatRequest request = Responses("""{"input":"q","user":"u","prompt_cache_key":"k","service_tier":"flex","reasoning":{"effort":"high"},"text":{"verbosity":"low"},"max_output_tokens":9}""");
        Assert.Equal(["model", "messages", "max_tokens", "stream"], Json(request, new OpenAIChatTraits { IsStrict = true }).EnumerateObject().Select(static member => member.Name));
    }

    [Theory]
    [InlineData("openai/gpt-oss-120b", false, false)]
    [InlineData("llama-4", false, false)]
    [InlineData("gpt-6.1", false, true)]
    [InlineData("anything", true, true)]
    public void CacheKey_GoesWhereItIsKnown(string model, bool isOfficial, bool isSent)
    {
        ChatRequest request = Responses("""{"input":"q","prompt_cache_key":"k","text":{"verbosity":"low"},"max_output_tokens":9}""") with { Model = model };
        JsonElement body = Json(request, new OpenAIChatTraits { IsOfficial = isOfficial });
        Assert.Equal(isSent, body.TryGetProperty("prompt_cache_key", out _));
        Assert.Equal(isSent, body.TryGetProperty("verbosity", out _));
        Assert.Equal(model.StartsWith("gpt"), body.TryGetProperty("max_completion_tokens", out _));
    }

    [Fact]
    public void ToolChoiceSubset_IsAllowedToolsOrFewerTools()
    {
        ChatRequest request = Chat("""
            {"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}],"parallel_tool_calls":false,
             "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"b"}}]}}}
            """) with { ToolChoice = new ToolChoice(ToolChoiceMode.Auto, ["b"]) };
        JsonElement official = Json(request, s_official);
        Assert.Equal("""{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"b"}}]}}""", official.GetProperty("tool_choice").GetRawText());
        Assert.Equal(2, official.GetProperty("tools").GetArrayLength());
        Assert.False(official.GetProperty("parallel_tool_calls").GetBoolean());
        JsonElement other = Json(request);
        Assert.Equal("auto", other.GetProperty("tool_choice").GetString());
        Assert.Equal("b", Assert.Single(other.GetProperty("tools").EnumerateArray()).GetProperty("function").GetProperty("name").GetString());
    }

    [Fact]
    public void ServerTool_IsDroppedBesideOthers_RefusedAlone()
    {
        Assert.Single(Json(Responses("""{"input":"q","tools":[{"type":"web_search"},{"type":"function","name":"f"}]}""")).GetProperty("tools").EnumerateArray());
        ChatRequest alone = Responses("""{"input":"q","tools":[{"type":"web_search"}]}""");
        Assert.Equal((ErrorKind.Unsupported, "tools[0]"), Refused(alone));
        Assert.Equal((ErrorKind.Unsupported, "tool_choice"), Refused(Responses("""{"input":"q","tools":[{"type":"web_search"},{"type":"function","name":"f"}],"tool_choice":{"type":"web_search"}}""")));
        Assert.Contains("\"web_search_options\":{}", Write(alone, new OpenAIChatTraits { WebSearch = true }));
    }

    [Theory]
    [InlineData("""{"input":"q","previous_response_id":"r"}""", "previous_response_id")]
    [InlineData("""{"input":[{"type":"item_reference","id":"msg_1"}]}""", "input[0]")]
    [InlineData("""{"input":[{"type":"compaction","encrypted_content":"x"}]}""", "input[0]")]
    [InlineData("""{"input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]}""", "input[0].content[0]")]
    [InlineData("""{"input":[{"role":"user","content":[{"type":"input_file","file_url":"https://h/a.pdf"}]}]}""", "input[0].content[0]")]
    [InlineData("""{"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/bmp;base64,AAAA"}]}]}""", "input[0].content[0]")]
    [InlineData("""{"input":"q","tool_choice":"required"}""", "tool_choice")]
    public void WhatCannotBeSaid_IsRefusedWithItsPath(string body, string path) => Assert.Equal((ErrorKind.Unsupported, path), Refused(Responses(body)));

    private static (ErrorKind, string?) Refused(ChatRequest request)
    {
        ProxyError error = Assert.Throws<ProtocolException>(() => Write(request)).Error;
        return (error.Kind, error.Param);
    }

    [Fact]
    public void E36_ReasoningReference_IsDropped() =>
        Assert.Equal("""[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]""",
            Json(Responses("""{"input":[{"role":"user","content":"q"},{"type":"item_reference","id":"rs_1"},{"role":"assistant","content":[{"type":"output_text","text":"a"}]}]}""")).GetProperty("messages").GetRawText());

    [Fact]
    public void TrailingAssistant_MeansPrefillOnlyFromMessages()
    {
        ChatRequest request = Turns(User(Text("q")), Assistant(Text("The answer is")));
        Assert.Equal(2, Json(request).GetProperty("messages").GetArrayLength());
        Assert.Contains("Continue your last message", Json(request with { Protocol = "anthropic" }).GetProperty("messages")[2].GetProperty("content").GetString());
        Assert.Throws<ProtocolException>(() => Write(request with { Protocol = "anthropic" }, new OpenAIChatTraits { RefusesPrefill = true }));
    }

    [Fact]
    public void ModelFacts_DecideWhatIsSent()
    {
        using JsonDocument number = JsonDocument.Parse("0.5");
        ChatRequest request = Turns(User(Text("q"))) with
        {
            System = [Text("s")], MaxTokens = 128000, Sampling = new Sampling { Temperature = number.RootElement }, Reasoning = new ReasoningRequest { Effort = ReasoningEffort.High },
        };
        var traits = new OpenAIChatTraits
        {
            Models = new ModelTable([("deep-*", new ModelFacts { MaxOutputTokens = 8000, HasSampling = false, HasSystem = false, Thinking = ThinkingControl.None })]),
        };
        Assert.Equal("""{"model":"deep-1","messages":[{"role":"user","content":[{"type":"text","text":"s"},{"type":"text","text":"q"}]}],"max_tokens":8000}""", Write(request, traits));
    }

    [Theory]
    [InlineData("google/gemini-3-pro", true)]
    [InlineData("deep-1", false)]
    public void GeminiSignature_GoesBackToGeminiOnly(string model, bool isSent)
    {
        var seal = new Seal(SealKind.Thought, SealEnvelope.Gemini, "sig");
        ChatRequest request = Turns(User(Text("q")), Assistant(new ThinkingPart("") { Seal = seal }, Call("a"), Call("b") with { Seal = seal with { Value = "own" } })) with { Model = model };
        JsonElement calls = Json(request).GetProperty("messages")[1].GetProperty("tool_calls");
        Assert.Equal(isSent ? ["sig", "own"] : [null, null],
            calls.EnumerateArray().Select(static call => call.TryGetProperty("extra_content", out JsonElement extra) ? extra.GetProperty("google").GetProperty("thought_signature").GetString() : null));
    }

    [Fact]
    public void JsonObject_NeedsTheWord()
    {
        var format = new OutputFormat((JsonElement?)null);
        Assert.Contains("JSON", Json(Turns(User(Text("q"))) with { Output = format }).GetProperty("messages")[0].GetProperty("content").GetString());
        Assert.Equal("user", Json(Turns(User(Text("give json"))) with { Output = format }).GetProperty("messages")[0].GetProperty("role").GetString());
    }

    [Fact]
    public void E20_RootAnyOf_MovesIntoTheDescription()
    {
        JsonElement function = Json(Chat("""
            {"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"anyOf":[{"properties":{"a":{"type":"string"},"b":{"type":"array"}},"required":["a","b"]},{"$ref":"#/$defs/X"}],
             "$defs":{"X":{"properties":{"a":{"type":"integer"},"c":{"type":"object"}},"required":["a"]}}}}}]}
            """)).GetProperty("tools")[0].GetProperty("function");
        Assert.StartsWith("d\n\nThe arguments must match {\"anyOf\":", function.GetProperty("description").GetString());
        JsonElement schema = function.GetProperty("parameters");
        Assert.False(schema.TryGetProperty("anyOf", out _));
        Assert.Equal("""{"a":{"type":"string"},"b":{"type":"array","items":{}},"c":{"type":"object","properties":{}}}""", schema.GetProperty("properties").GetRawText());
        Assert.Equal("""["a"]""", schema.GetProperty("required").GetRawText());
    }

    [Theory]
    [InlineData("""{"allOf":[{"$ref":"#/$defs/A"},{"properties":{"b":{"type":"object"}},"required":["b"]}],"$defs":{"A":{"properties":{"a":{"type":["array","null"]}},"required":["a"]}},"required":["z"],"properties":{"z":{"type":"array","prefixItems":[{"type":"string"}]}}}""",
        """{"type":"object","$defs":{"A":{"properties":{"a":{"type":["array","null"],"items":{}}},"required":["a"]}},"properties":{"z":{"type":"array","prefixItems":[{"type":"string"}]},"a":{"type":["array","null"],"items":{}},"b":{"type":"object","properties":{}}},"required":["z","a","b"]}""")]
    [InlineData("""{"anyOf":[{"$ref":"other.json"},{"$ref":"#/$defs/gone"},{"$ref":5},{"properties":{"a":{"$ref":"#/x","type":"object"}},"required":["a"]},{"properties":5}]}""",
        """{"type":"object","properties":{"a":{"$ref":"#/x","type":"object"}}}""")]
    [InlineData("""{"oneOf":[{"required":["a",5]},{"required":["b","a"]}],"properties":{"a":{}},"anyOf":5,"required":["b"]}""",
        """{"type":"object","properties":{"a":{}},"required":["b","a"]}""")]
    [InlineData("true", """{"type":"object","properties":{}}""")]
    public void E20_RootComposition_BecomesOneObject(string schema, string expected) =>
        Assert.Equal(expected, Json(Turns(User(Text("q"))) with { Tools = [new ToolDefinition(ToolKind.Function, "f") { Schema = JsonDocument.Parse(schema).RootElement }] })
            .GetProperty("tools")[0].GetProperty("function").GetProperty("parameters").GetRawText());

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false,"$schema":"s"}""", true)]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"],"additionalProperties":false,"$defs":{"A":{"anyOf":[{"type":"string"},{"type":"null"}]}}}""", true)]
    [InlineData("""{"type":"object","properties":{},"additionalProperties":false}""", true)]
    [InlineData("""{"type":"object","additionalProperties":false}""", true)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":true}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"description":"anything"}},"required":["a"],"additionalProperties":false}""", false)]
    [InlineData("""{"type":"object","properties":{"a":true},"required":["a"],"additionalProperties":false}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"anyOf":{"type":"string"}}},"required":["a"],"additionalProperties":false}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"object"}]}},"required":["a"],"additionalProperties":false}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a"],"additionalProperties":false}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}},"required":["a"],"additionalProperties":false}""", false)]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", false)]
    [InlineData("""{"type":"object","properties":{},"additionalProperties":false,"anyOf":[]}""", false)]
    [InlineData("[]", false)]
    public void StrictSubset_IsKnown(string schema, bool fits) => Assert.Equal(fits, OpenAIStrictSchema.Fits(JsonDocument.Parse(schema).RootElement));

    [Fact]
    public void E19_PropertiesCalledLikeKeywords_AreKept() =>
        Assert.Equal("""{"type":"object","properties":{"$id":{"type":"string"},"x-a":{"enum":[{"$schema":1}]},"items":{"type":"string","default":{"$comment":"c"}},"type":{},"anyOf":true},"required":["$id"]}""",
            Json(Chat("""
                {"messages":[{"role":"user","content":"q"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","x-b":1,"$comment":"c","properties":{"$id":{"type":"string"},"x-a":{"enum":[{"$schema":1}]},"items":{"type":"string","default":{"$comment":"c"}},"type":{},"anyOf":true},"required":["$id"]}}}]}
                """)).GetProperty("tools")[0].GetProperty("function").GetProperty("parameters").GetRawText());
}
