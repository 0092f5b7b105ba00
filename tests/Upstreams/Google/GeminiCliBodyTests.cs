using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams.Google;

public sealed class GeminiCliBodyTests
{
    private readonly GoogleRig _rig = new("geminicli");

    private Task<JsonElement> Sent(string body, string model = "gemini-2.5-pro", string protocol = "gemini") => _rig.SentAsync(protocol, model, body);

    [Fact]
    public async Task ForwardedBody_GoesIntoItsEnvelope()
    {
        await Sent("""
            { "model":"models/x","stream":true, "system_instruction":"be brief", "contents":[{"parts":[{"text":"h\u00e9 <b>"}]}],
              "safety_settings":[{"category":"A","threshold":"OFF"}], "labels":{"a_b":"c"},"cached_content":"cachedContents/1","service_tier":"flex","store":true,
              "generation_config":{"temperature":0.50,"top_k":64,"max_output_tokens":9} }
            """);
        string session = JsonDocument.Parse(_rig.Upstream.Bodies[0]).RootElement.GetProperty("request").GetProperty("session_id").GetString()!;
        Assert.True(Guid.TryParse(session, out _));
        Assert.Equal(
            """{"model":"gemini-2.5-pro","project":"my-project-123","user_prompt_id":"req_test","request":{"contents":[{"role":"user","parts":[{"text":"h\u00e9 <b>"}]}],"systemInstruction":{"role":"user","parts":[{"text":"be brief"}]},"safetySettings":[{"category":"A","threshold":"OFF"}],"labels":{"a_b":"c"},"cachedContent":"cachedContents/1","generationConfig":{"temperature":0.50,"topK":64,"maxOutputTokens":9},"session_id":"""
            + $"\"{session}\"}}}}", _rig.Upstream.Bodies[0]);
        Assert.Equal("https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent?alt=sse", _rig.Upstream.Addresses[0].AbsoluteUri);
    }

    [Fact]
    public async Task Session_IsTheSameForAllTurnsOfAConversation()
    {
        string Session(JsonElement body) => body.GetProperty("request").GetProperty("session_id").GetString()!;
        string first = Session(await Sent("""{"contents":[{"role":"user","parts":[{"text":"one"}]}]}"""));
        string later = Session(await Sent("""{"contents":[{"role":"user","parts":[{"text":"one"}]},{"role":"model","parts":[{"text":"two"}]},{"role":"user","parts":[{"text":"three"}]}]}"""));
        string other = Session(await Sent("""{"contents":[{"role":"user","parts":[{"text":"three"}]}]}"""));
        Assert.Equal(first, later);
        Assert.NotEqual(first, other);
        Assert.Equal("mine", Session(await Sent("""{"session_id":"mine","contents":[{"parts":[{"text":"one"}]}]}""")));
    }

    [Fact]
    public async Task Contents_AreBroughtUnderTheRules_AndKeptOtherwise()
    {
        JsonElement sent = await Sent("""
            {"contents":[{"role":"model","parts":[{"text":""},{"text":"thinking","thought":true},{"text":"hi"}]},{"role":"function","parts":[]},{"role":"assistant","parts":[{"text":""}]},
              {"role":"user","parts":[{"inline_data":{"mime_type":"image/png","data":"iVBO"}},{"fileData":{"file_uri":"gs://b/c","mimeType":"a/b"},"video_metadata":{"start_offset":"1s"}}]}]}
            """);
        Assert.Equal(
            """[{"role":"user","parts":[{"text":"(continued)"}]},{"role":"model","parts":[{"text":"hi"}]},{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"iVBO"}},{"fileData":{"fileUri":"gs://b/c","mimeType":"a/b"},"videoMetadata":{"startOffset":"1s"}}]}]""",
            sent.GetProperty("request").GetProperty("contents").GetRawText());
    }

    [Fact]
    public async Task CallsAndResponses_ArePaired_AndTheirContentIsLeftAlone()
    {
        const string Args = """{ "title":"t", "default": 1.0, "format":"f", "my_key": {"$ref":"#/x","properties":{"a":1}}, "\u00e4":"\ud83d\ude00" }""";
        JsonElement sent = await Sent("""
            {"contents":[{"role":"user","parts":[{"text":"go"}]},{"role":"model","parts":[{"function_call":{"name":"9 lives","args":ARGS}},{"functionCall":{"name":"b","args":{}}}]},
              {"role":"user","parts":[{"function_response":{"name":"9 lives","response":ARGS}}]},{"role":"user","parts":[{"functionResponse":{"name":"b","response":"plain"}}]}],
             "tools":[{"function_declarations":[{"name":"9 lives","description":"d","parameters_json_schema":{"type":"object","properties":{"my_key":{"type":"object","title":"T"}}}}]},{"functionDeclarations":[{"name":"b"}]},{"google_search":{}}],
             "tool_config":{"function_calling_config":{"mode":"ANY","allowed_function_names":["9 lives","b"]}}}
            """.Replace("ARGS", Args));
        JsonElement request = sent.GetProperty("request");
        string contents = request.GetProperty("contents").GetRawText();
        Assert.Contains("{\"functionCall\":{\"name\":\"_9_lives\",\"args\":" + Args + "}}", contents);
        Assert.Contains("{\"functionResponse\":{\"name\":\"_9_lives\",\"response\":" + Args + "}},{\"functionResponse\":{\"name\":\"b\",\"response\":{\"result\":\"plain\"}}}", contents);
        Assert.Equal(
            """[{"functionDeclarations":[{"name":"_9_lives","description":"d","parameters":{"type":"object","properties":{"my_key":{"type":"object","properties":{}}}}},{"name":"b"}]}]""",
            request.GetProperty("tools").GetRawText());
        Assert.Equal("""{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["_9_lives","b"]}}""", request.GetProperty("toolConfig").GetRawText());
    }

    [Theory]
    [InlineData("gemini-3-flash", """{"thinkingLevel":"HIGH","thinkingBudget":9,"include_thoughts":true}""", """{"thinkingLevel":"high","includeThoughts":true}""")]
    [InlineData("gemini-3-flash", """{"thinkingBudget":9}""", """{"thinkingBudget":9}""")]
    [InlineData("gemini-2.5-pro", """{"thinkingLevel":"LOW","thinkingBudget":-1}""", """{"thinkingBudget":-1}""")]
    [InlineData("gemini-2.5-pro", """{"thinkingLevel":"LOW"}""", """{"thinkingBudget":1024}""")]
    public async Task LevelAndBudget_AreNeverBothSent(string model, string asked, string expected)
    {
        JsonElement sent = await Sent($$$"""{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"thinkingConfig":{{{asked}}}}}""", model);
        Assert.Equal(expected, sent.GetProperty("request").GetProperty("generationConfig").GetProperty("thinkingConfig").GetRawText());
    }

    [Fact]
    public async Task Gemini3_UnsignedCallOfTheCurrentTurn_GetsTheDocumentedStandIn()
    {
        JsonElement sent = await Sent("""
            {"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"name":"old","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"old","response":{}}}]},
              {"role":"user","parts":[{"text":"b"}]},{"role":"model","parts":[{"functionCall":{"name":"x","args":{}}},{"functionCall":{"name":"y","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"x","response":{}}},{"functionResponse":{"name":"y","response":{}}}]},
              {"role":"model","parts":[{"functionCall":{"name":"z","args":{}},"thought_signature":"c2ln"}]},{"role":"user","parts":[{"functionResponse":{"name":"z","response":{}}}]}]}
            """, "gemini-3-pro-preview");
        string contents = sent.GetProperty("request").GetProperty("contents").GetRawText();
        Assert.Contains("""{"functionCall":{"name":"x","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"y","args":{}}}""", contents);
        Assert.Contains("""{"functionCall":{"name":"old","args":{}}}""", contents);
        Assert.Contains("""{"functionCall":{"name":"z","args":{}},"thoughtSignature":"c2ln"}""", contents);
    }

    [Theory]
    [InlineData("anthropic", """{"model":"m","stream":true,"max_tokens":99,"system":"s","messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"b"},{"type":"tool_use","id":"t1","name":"f","input":{"title":"x","default":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"ok"}]}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{"title":{"type":"string","format":"uri"}},"$schema":"x"}}]}""")]
    [InlineData("openai", """{"model":"m","stream":true,"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"title\":\"x\",\"default\":1}"}}]},{"role":"tool","tool_call_id":"t1","content":"ok"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"title":{"type":"string","format":"uri"}},"$schema":"x"}}}]}""")]
    [InlineData("responses", """{"model":"m","stream":true,"instructions":"s","input":[{"role":"user","content":"a"},{"type":"function_call","call_id":"t1","name":"f","arguments":"{\"title\":\"x\",\"default\":1}"},{"type":"function_call_output","call_id":"t1","output":"ok"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{"title":{"type":"string","format":"uri"}},"$schema":"x"}}]}""")]
    [InlineData("gemini", """{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"title":"x","default":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"ok"}}}]}],"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object","properties":{"title":{"type":"string","format":"uri"}},"$schema":"x"}}]}]}""")]
    public async Task EveryClient_IsUnderstood(string protocol, string body)
    {
        foreach (string model in (string[])["gemini-2.5-flash", "gemini-3-pro-preview"])
        {
            JsonElement request = (await Sent(body, model, protocol)).GetProperty("request");
            Assert.Equal("""[{"functionDeclarations":[{"name":"f","parameters":{"type":"object","properties":{"title":{"type":"string","description":"(format: uri)"}}}}]}]""", request.GetProperty("tools").GetRawText());
            Assert.Contains("\"args\":{\"title\":\"x\",\"default\":1}", request.GetProperty("contents").GetRawText());
            Assert.Contains("\"response\":{\"result\":\"ok\"}", request.GetProperty("contents").GetRawText());
            Assert.Equal("s", request.GetProperty("systemInstruction").GetProperty("parts")[0].GetProperty("text").GetString());
        }
    }

    [Fact]
    public async Task RemoteImage_IsRefused_SinceNobodyFetchesIt()
    {
        using var test = new TestExchange(body: """{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}]}""");
        Attempt attempt = await _rig.SendAsync(test, "gemini-3-pro-preview");
        Assert.Equal(OutcomeKind.CannotSay, attempt.Outcome.Kind);
        Assert.Equal("messages[0].content[0]", attempt.Outcome.Error!.Param);
    }

    [Fact]
    public async Task ResponseSchema_IsCleaned()
    {
        JsonElement sent = await Sent("""{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"a":{"enum":["x","y"]}},"additionalProperties":false,"$schema":"s"}}}""");
        Assert.Equal("""{"type":"object","properties":{"a":{"type":"string","enum":["x","y"]}},"additionalProperties":false}""",
            sent.GetProperty("request").GetProperty("generationConfig").GetProperty("responseJsonSchema").GetRawText());
    }

    [Theory]
    [InlineData("""{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"t","thought":true,"thoughtSignature":"c2ln"},{"text":"yo"}]}],"generationConfig":{"topK":1}}""")]
    [InlineData("""{"generateContentRequest":{"model":"models/x","systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"yo"}]}],"tools":[{"googleSearch":{}}]}}""")]
    public async Task Count_AsksForTheContentsAlone(string body)
    {
        using var test = new TestExchange("gemini", stream: false, body: body, model: "gemini-2.5-pro", operation: Operation.CountTokens);
        _rig.Upstream.Answers(200, "{}");
        Attempt attempt = await _rig.SendAsync(test, "gemini-2.5-pro");
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        _rig.Checked();
        Assert.Equal("https://cloudcode-pa.googleapis.com/v1internal:countTokens", _rig.Upstream.Addresses[0].AbsoluteUri);
        Assert.Equal("""{"request":{"model":"models/gemini-2.5-pro","contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"yo"}]}]}}""", _rig.Upstream.Bodies[0]);
        Assert.Equal("""{"totalTokens":0}""", test.Client.Text);
    }
}
