using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Tests.Protocols.OpenAIChat;

public sealed class OpenAIChatRequestReaderTests
{
    private static readonly OpenAIChatProtocol s_protocol = new();

    private static ChatRequest Read(string body) => s_protocol.ReadRequest(JsonDocument.Parse(body).RootElement,
        new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = false });

    private static ChatRequest Messages(string messages) => Read($$"""{"model":"m","messages":{{messages}}}""");

    private static string Describe(ChatRequest request) => string.Join(" / ", request.Turns.Select(static turn => $"{turn.Role}[{string.Join(", ", turn.Parts.Select(Describe))}]"));

    private static string Describe(Part part) => part switch
    {
        TextPart text => text.Text.ToString(),
        ThinkingPart thinking => $"thinking {thinking.Text}",
        RefusalPart refusal => $"refusal {refusal.Text}",
        ToolCallPart call => $"call {call.Id} {call.Name} {Encoding.UTF8.GetString(call.Arguments.Span)}{(call.IsCustom ? " custom" : "")}",
        ToolResultPart result => $"result {result.CallId}{result.Name} {string.Join("+", result.Content.Select(Describe))}",
        MediaPart { Source: Base64Source source } media => $"{media.Kind} {source.MediaType} {source.Data}",
        MediaPart { Source: UrlSource source } media => $"{media.Kind} {source.Url}",
        MediaPart media => $"{media.Kind} file",
        ForeignPart foreign => $"foreign {foreign.Type}",
        _ => "?",
    };

    [Fact]
    public void PartsOfMessages_AreRead()
    {
        ChatRequest request = Read("""
            {"messages":[{"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":[{"type":"text","text":"q"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},
            {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"x"},{"type":"text","text":"t"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"r"}],"is_error":true},{"type":"tool_result","tool_use_id":"toolu_2","content":"r2"},{"type":"text","text":"go"}]}],
            "tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto"}}
            """);
        Assert.Empty(request.Untranslatable);
        Assert.IsType<Base64Source>(Assert.IsType<MediaPart>(request.Turns[0].Parts[1]).Source);
        ToolCallPart call = Assert.IsType<ToolCallPart>(request.Turns[1].Parts[2]);
        Assert.Equal(("toolu_1", "f", "{\"a\": 1}"), (call.Id, call.Name, Encoding.UTF8.GetString(call.Arguments.Span)));
        ToolResultPart result = Assert.IsType<ToolResultPart>(request.Turns[2].Parts[0]);
        Assert.Equal(("toolu_1", true, "r"), (result.CallId, result.IsError, ((TextPart)result.Content[0]).Text.ToString()));
        Assert.Equal("r2", ((TextPart)((ToolResultPart)request.Turns[2].Parts[1]).Content[0]).Text.ToString());
        Assert.Equal("f", request.Tools[0].Name);
    }

    [Fact]
    public void Conversation_BecomesTurns() =>
        Assert.Equal("User[q] / Assistant[thinking hm, a, call c1 f {\"x\": 1}, call c2 p \"raw\\ntext\" custom] / User[result c1 r1, result c2 r2] / User[more] / System[note] / Assistant[end, refusal no]",
            Describe(Messages("""
                [{"role":"developer","content":"sys"},{"role":"system","content":[{"type":"text","text":"sys2"}]},{"role":"user","content":"q","name":"bob"},
                 {"role":"assistant","content":"a","reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}},{"id":"c2","type":"custom","custom":{"name":"p","input":"raw\ntext"}}]},
                 {"role":"tool","tool_call_id":"c1","content":"r1"},{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"r2"}]},{"role":"user","content":"more"},
                 {"role":"system","content":"note"},{"role":"assistant","content":[{"type":"text","text":"end"},{"type":"refusal","refusal":"no"}]}]
                """)));

    [Fact]
    public void LeadingSystemMessages_AreTheSystemPrompt() =>
        Assert.Equal(["a", "b", "c"], Messages("""[{"role":"developer","content":"a"},{"role":"system","content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]},{"role":"user","content":"q"}]""").System.Select(static part => part.Text.ToString()));

    [Fact]
    public void E44_NullContent_GivesToolPartsOnly() =>
        Assert.Equal("Assistant[call c f {}]", Describe(Messages("""[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}}]}]""")));

    [Theory]
    [InlineData("""{"role":"assistant","reasoning":"hm","content":"a"}""", "Assistant[thinking hm, a]")]
    [InlineData("""{"role":"assistant","reasoning":{"effort":"low"},"content":"a"}""", "Assistant[a]")]
    [InlineData("""{"role":"assistant","reasoning_content":"hm","reasoning":"hm","content":"a"}""", "Assistant[thinking hm, a]")]
    [InlineData("""{"role":"assistant","content":null,"refusal":"no"}""", "Assistant[refusal no]")]
    [InlineData("""{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":" null "}}]}""", "Assistant[call c f {}]")]
    [InlineData("""{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":null}}]}""", "Assistant[call c f {}]")]
    [InlineData("""{"role":"user","content":["plain",{"type":"input_text","text":"b"}]}""", "User[plain, b]")]
    public void Message_AllForms(string message, string expected) => Assert.Equal(expected, Describe(Messages($"[{message}]")));

    [Fact]
    public void DeprecatedFunctions_AreTools()
    {
        ChatRequest request = Read("""{"messages":[{"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"r"}],"functions":[{"name":"f","parameters":{"type":"object"}}],"function_call":{"name":"f"}}""");
        Assert.Equal("Assistant[call  f {}] / User[result f r]", Describe(request));
        Assert.Equal("f", Assert.Single(request.Tools).Name);
        Assert.Equal((ToolChoiceMode.Any, "f"), (request.ToolChoice!.Mode, request.ToolChoice.Names[0]));
    }

    [Fact]
    public void Media_IsSplit() =>
        Assert.Equal("User[Image image/png AAAA, Image https://h/x.png, Document application/pdf BBBB, Document file, Audio audio/mpeg CCCC]", Describe(Messages("""
            [{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},{"type":"image_url","image_url":"https://h/x.png"},
              {"type":"file","file":{"file_data":"data:application/pdf;base64,BBBB","filename":"a.pdf"}},{"type":"file","file":{"file_id":"f1"}},{"type":"input_audio","input_audio":{"data":"CCCC","format":"mp3"}}]}]
            """)));

    [Fact]
    public void Tools_AreReadNestedAndFlat()
    {
        ChatRequest request = Read("""
            {"messages":[],"tools":[{"type":"function","function":{"name":"a","description":"d","parameters":{"type":"object"},"strict":true}},{"type":"function","name":"b"},
             {"type":"custom","custom":{"name":"c","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"x"}}}},{"type":"web_search"}]}
            """);
        Assert.Equal(["a Function True", "b Function ", "c Custom ", "web_search Foreign "], request.Tools.Select(static tool => $"{tool.Name} {tool.Kind} {tool.Strict}"));
        Assert.Null(request.Tools[1].Schema);
        Assert.Equal("grammar", request.Tools[2].Raw!.Value.GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("\"auto\"", "Auto ")]
    [InlineData("\"none\"", "None ")]
    [InlineData("\"required\"", "Any ")]
    [InlineData("""{"type":"function","function":{"name":"f"}}""", "Any f")]
    [InlineData("""{"type":"function","name":"f"}""", "Any f")]
    [InlineData("""{"type":"custom","custom":{"name":"f"}}""", "Any f custom")]
    [InlineData("""{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]}}""", "Any f,g")]
    [InlineData("""{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]}""", "Auto f")]
    [InlineData("""{"type":"auto"}""", "Auto ")]
    [InlineData("""{"type":"none"}""", "None ")]
    [InlineData("""{"type":"any"}""", "Any ")]
    [InlineData("""{"type":"web_search_preview"}""", "Any  foreign")]
    public void ToolChoice_AllForms(string choice, string expected)
    {
        ToolChoice read = Read($$"""{"messages":[],"tool_choice":{{choice}}}""").ToolChoice!;
        Assert.Equal(expected, $"{read.Mode} {string.Join(",", read.Names)}{(read.IsCustom ? " custom" : "")}{(read.Foreign is null ? "" : " foreign")}");
    }

    [Fact]
    public void Parameters_AreRead()
    {
        ChatRequest request = Read("""
            {"messages":[],"max_tokens":5,"max_completion_tokens":7,"temperature":0.70,"top_p":1,"frequency_penalty":-1.5,"presence_penalty":0,"seed":12345678901234567890,"stop":["a","","b"],"reasoning_effort":"xhigh",
             "parallel_tool_calls":false,"user":"u","safety_identifier":"s","prompt_cache_key":"k","service_tier":"flex","stream_options":{"include_usage":true},"store":true,"verbosity":"low","metadata":{"a":"b"},"logprobs":false,"n":1,"logit_bias":{},"modalities":["text"],
             "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}}}
            """);
        Assert.Equal(7, request.MaxTokens);
        Assert.Equal(("0.70", "12345678901234567890"), (request.Sampling.Temperature!.Value.GetRawText(), request.Sampling.Seed!.Value.GetRawText()));
        Assert.Equal(["a", "b"], request.Stop);
        Assert.Equal(ReasoningEffort.XHigh, request.Reasoning!.Effort);
        Assert.Null(request.Reasoning.Visible);
        Assert.Equal((false, "s", "k", "flex", true), (request.ParallelTools, request.EndUserId, request.CacheKey, request.ServiceTier, request.IncludeUsage));
        Assert.Equal(("n", true), (request.Output!.Name, request.Output.Strict));
        Assert.Empty(request.Untranslatable);
    }

    [Theory]
    [InlineData("\"n\":2", "n")]
    [InlineData("\"logit_bias\":{\"1\":5}", "logit_bias")]
    [InlineData("\"logprobs\":true", "logprobs")]
    [InlineData("\"modalities\":[\"text\",\"audio\"]", "modalities")]
    [InlineData("\"audio\":{\"voice\":\"x\"}", "audio")]
    [InlineData("\"moderation\":{\"model\":\"x\",\"policy\":{\"input\":{\"mode\":\"block\"}}}", "moderation")]
    public void MeaningWithoutAWord_IsUntranslatable(string member, string path) => Assert.Equal(path, Assert.Single(Read($$"""{"messages":[],{{member}}}""").Untranslatable).Path);

    [Fact]
    public void EmptyCallId_IsNone() =>
        Assert.Null(((ToolCallPart)Messages("""[{"role":"assistant","tool_calls":[{"id":"","function":{"name":"f"}}]}]""").Turns[0].Parts[0]).Id);

    [Fact]
    public void SpokenAnswerInHistory_IsUntranslatable() =>
        Assert.Equal("messages[0].audio", Assert.Single(Messages("""[{"role":"assistant","content":"a","audio":{"id":"audio_1"}}]""").Untranslatable).Path);

    [Theory]
    [InlineData("none", ReasoningEffort.None)]
    [InlineData("minimal", ReasoningEffort.Minimal)]
    [InlineData("low", ReasoningEffort.Low)]
    [InlineData("medium", ReasoningEffort.Medium)]
    [InlineData("high", ReasoningEffort.High)]
    [InlineData("xhigh", ReasoningEffort.XHigh)]
    [InlineData("max", ReasoningEffort.Max)]
    public void Effort_AllWords(string word, ReasoningEffort expected) => Assert.Equal(expected, Read($$"""{"messages":[],"reasoning_effort":"{{word}}"}""").Reasoning!.Effort);

    [Fact]
    public void TextFormat_IsNoFormat() => Assert.Null(Read("""{"messages":[],"response_format":{"type":"text"}}""").Output);

    [Fact]
    public void UnknownPart_IsUntranslatable() => Assert.Equal("messages[0].content[0]", Assert.Single(Messages("""[{"role":"user","content":[{"type":"hologram"}]}]""").Untranslatable).Path);

    [Theory]
    [InlineData("{}", "messages")]
    [InlineData("""{"messages":"x"}""", "messages")]
    [InlineData("""{"messages":[5]}""", "messages[0]")]
    [InlineData("""{"messages":[{"role":"user","content":5}]}""", "messages[0].content")]
    [InlineData("""{"messages":[{"content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"messages":[{"role":"wizard","content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"text"}]}]}""", "messages[0].content[0].text")]
    [InlineData("""{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"arguments":"{}"}}]}]}""", "messages[0].tool_calls[0].function.name")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}""", "messages[0].content[0].image_url.url")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":5}}]}]}""", "messages[0].content[0].image_url.url")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"input_audio"}]}]}""", "messages[0].content[0].input_audio")]
    [InlineData("""{"messages":[],"parallel_tool_calls":"no"}""", "parallel_tool_calls")]
    [InlineData("""{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":5}}}""", "response_format.json_schema.schema")]
    [InlineData("""{"messages":[{"role":"function","content":"r"}]}""", "messages[0].name")]
    [InlineData("""{"messages":[],"temperature":"hot"}""", "temperature")]
    [InlineData("""{"messages":[],"max_tokens":1.5e300}""", "max_tokens")]
    [InlineData("""{"messages":[],"tools":[{"type":"function","function":{}}]}""", "tools[0].function.name")]
    [InlineData("""{"messages":[],"tool_choice":"maybe"}""", "tool_choice")]
    [InlineData("""{"messages":[],"stop":[1]}""", "stop[0]")]
    [InlineData("""{"messages":[],"reasoning_effort":"huge"}""", "reasoning_effort")]
    public void WrongType_NamesItsPath(string body, string path)
    {
        var fault = Assert.Throws<ProtocolException>(() => Read(body));
        Assert.Equal((ErrorKind.InvalidRequest, path), (fault.Error.Kind, fault.Error.Param));
    }

    [Fact]
    public void LoneSurrogate_DoesNotThrow() => Assert.Equal("User[\uFFFD]", Describe(Messages("""[{"role":"user","content":[{"type":"text","text":"\ud800"}]}]""")));

    [Fact]
    public void GeminiSignature_IsASeal() =>
        Assert.Equal(new Seal(SealKind.Thought, "", "sig"), ((ToolCallPart)Messages("""[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"},"extra_content":{"google":{"thought_signature":"sig"}}}]}]""").Turns[0].Parts[0]).Seal);

    [Theory]
    [InlineData("""{"google":{"thought_signature":5}}""")]
    [InlineData("""{"google":"sig"}""")]
    [InlineData("\"sig\"")]
    public void WhatIsNoSignature_IsNoSeal(string extra) =>
        Assert.Null(((ToolCallPart)Messages($$"""[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"},"extra_content":{{extra}} }]}]""").Turns[0].Parts[0]).Seal);

    [Fact]
    public void WrappedSignature_IsASealOfItsIssuer_OneOfAnotherKindIsNone()
    {
        foreach (SealKind kind in new[] { SealKind.Thought, SealKind.Thinking })
        {
            string wrapped = SealEnvelope.Wrap(new Seal(kind, SealEnvelope.Gemini, "c2ln"));
            Seal? read = ((ToolCallPart)Messages($$$"""[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"},"extra_content":{"google":{"thought_signature":"{{{wrapped}}}" } } }]}]""").Turns[0].Parts[0]).Seal;
            Assert.Equal(kind == SealKind.Thought ? "c2ln" : null, read?.Value);
        }
    }

    [Fact]
    public void Head_NamesModelStreamAndTokens()
    {
        byte[] body = Encoding.UTF8.GetBytes("""{"model":"a", "x":{"model":"no"}, "stream":true, "model":"b\u0063"}""");
        RequestHead head = s_protocol.ReadHead(new RequestTarget(Operation.Generate), "", body);
        Assert.Equal(("bc", true), (head.Model, head.Stream));
        Assert.Equal(["\"a\"", "\"b\\u0063\""], head.ModelTokens.Select(range => Encoding.UTF8.GetString(body[range])));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"model":5}""")]
    [InlineData("""{"model":""}""")]
    [InlineData("""{"model":"a"} x""")]
    [InlineData("""{"model":"a","stream":"yes"}""")]
    public void BadHead_IsRefused(string body) =>
        Assert.Equal(ErrorKind.InvalidRequest, Assert.Throws<ProtocolException>(() => s_protocol.ReadHead(new RequestTarget(Operation.Generate), "", Encoding.UTF8.GetBytes(body))).Error.Kind);

    [Fact]
    public void BadJson_TellsLineAndColumn() =>
        Assert.Contains("line 2, column 3", Assert.Throws<ProtocolException>(() => s_protocol.ReadHead(new RequestTarget(Operation.Generate), "", "{\"model\":\"a\",\n  oops}"u8)).Message);

    [Theory]
    [InlineData("/v1/chat/completions", true)]
    [InlineData("/v1/chat/completions/x", false)]
    [InlineData("/v1/messages", false)]
    public void Match_KnowsItsPath(string path, bool isOurs) => Assert.Equal(isOurs, s_protocol.Match(path) is not null);
}
