using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams.Google;

public sealed class AntigravityBodyTests
{
    private const string Claude = "claude-opus-4-6-thinking";

    private readonly GoogleRig _rig = new("antigravity");

    private async Task<JsonElement> Request(string body, string model = "gemini-3-flash", string protocol = "gemini") => (await _rig.SentAsync(protocol, model, body)).GetProperty("request");

    private static string Tools(string schema) => $$$""","tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{{{schema}}}}]}]""";

    [Fact]
    public async Task Envelope_IsWholeAndForeignMembersAreGone()
    {
        JsonElement sent = await _rig.SentAsync("gemini", "gemini-3-flash", """
            {"contents":[{"parts":[{"text":"hi"}]}],"safetySettings":[{}],"model":"m","stream":true,"messages":[],"max_tokens":5,"temperature":1,"system":"x","thinking":{},"metadata":{"a":1},
             "generationConfig":{"maxOutputTokens":99,"temperature":0.2,"stopSequences":["x"]},"userAgent":"me","sessionId":"mine"}
            """);
        string id = sent.GetProperty("requestId").GetString()!;
        Assert.Equal(
            """{"project":"my-project-123","model":"gemini-3-flash","userAgent":"antigravity","requestType":"agent","requestId":"ID","request":{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"temperature":0.2,"stopSequences":["x"]},"sessionId":"-1038541545190394470"}}"""
                .Replace("ID", id).Replace("-1038541545190394470", Session("hi")),
            _rig.Upstream.Bodies[0]);
        Assert.Equal("https://daily-cloudcode-pa.googleapis.com/v1internal:streamGenerateContent?alt=sse", _rig.Upstream.Addresses[0].AbsoluteUri);
    }

    private static string Session(string text) =>
        "-" + (System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text))) & long.MaxValue);

    [Theory]
    [InlineData("gemini-3.1-flash-image", "", "image_gen")]
    [InlineData("gemini-3-flash", ""","tools":[{"google_search":{}}]""", "web_search")]
    [InlineData("gemini-3-flash", ""","tools":[{"googleSearch":{}},{"functionDeclarations":[{"name":"f"}]}]""", "agent")]
    [InlineData("gemini-3-flash", ""","tools":[{"googleSearch":{}},{"codeExecution":{}}]""", "agent")]
    [InlineData("gemini-3-flash", ""","tools":[]""", "agent")]
    public async Task Kind_IsThatOfTheRequest(string model, string more, string kind)
    {
        JsonElement sent = await _rig.SentAsync("gemini", model, $$"""{"contents":[{"parts":[{"text":"hi"}]}]{{more}}}""");
        Assert.Equal(kind, sent.GetProperty("requestType").GetString());
    }

    [Theory]
    [InlineData("", "VALIDATED")]
    [InlineData(""","toolConfig":{"functionCallingConfig":{"mode":"AUTO"}}""", "VALIDATED")]
    [InlineData(""","toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}""", "VALIDATED")]
    [InlineData(""","toolConfig":{"functionCallingConfig":{"mode":"NONE"}}""", "NONE")]
    public async Task Claude_IsAskedInItsOwnMode(string config, string mode)
    {
        JsonElement sent = await Request("""{"contents":[{"parts":[{"text":"hi"}]}]""" + Tools("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}""") + config + "}", "claude-sonnet-4-6");
        Assert.Equal("{\"functionCallingConfig\":{\"mode\":\"" + mode + "\"}}", sent.GetProperty("toolConfig").GetRawText());
    }

    [Fact]
    public async Task OtherFamilies_AreAskedAsTheClientDid()
    {
        string body = """{"contents":[{"parts":[{"text":"hi"}]}]""" + Tools("""{"type":"object","properties":{"a":{"type":"string"}}}""") + ""","toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}""";
        Assert.Equal("""{"functionCallingConfig":{"mode":"ANY"}}""", (await Request(body)).GetProperty("toolConfig").GetRawText());
        JsonElement open = await Request("""{"contents":[{"parts":[{"text":"hi"}]}]""" + Tools("""{"type":"object","properties":{"a":{"type":"string"}}}""") + "}", "gpt-oss-120b-medium");
        Assert.False(open.TryGetProperty("toolConfig", out _));
    }

    [Theory]
    [InlineData(Claude, """{"maxOutputTokens":128000,"temperature":0.2,"topP":0.5,"topK":3,"thinkingConfig":{"thinkingBudget":100000}}""", """{"topK":3,"maxOutputTokens":64000,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":62976}}""")]
    [InlineData(Claude, """{"maxOutputTokens":1500,"temperature":0.2,"thinkingConfig":{"thinkingBudget":1024}}""", """{"temperature":0.2,"maxOutputTokens":1500}""")]
    [InlineData(Claude, """{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":-1}}""", """{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":8192}}""")]
    [InlineData(Claude, """{"thinkingConfig":{"thinkingBudget":0}}""", "{}")]
    [InlineData("claude-sonnet-4-6", """{"temperature":0.2,"thinkingConfig":{"thinkingBudget":5000}}""", """{"temperature":0.2}""")]
    [InlineData("gemini-3-flash", """{"maxOutputTokens":9,"temperature":0.2,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":5000}}""", """{"temperature":0.2,"thinkingConfig":{"thinkingLevel":"medium","includeThoughts":true}}""")]
    [InlineData("gemini-3.1-pro-low", """{"thinkingConfig":{"thinkingLevel":"HIGH"}}""", """{"thinkingConfig":{"thinkingLevel":"low"}}""")]
    [InlineData("gemini-2.5-flash", """{"thinkingConfig":{"thinkingBudget":5000}}""", """{"thinkingConfig":{"thinkingBudget":5000}}""")]
    [InlineData("gpt-oss-120b-medium", """{"maxOutputTokens":9,"topP":0.2,"thinkingConfig":{"thinkingBudget":5000}}""", """{"topP":0.2}""")]
    public async Task Options_AreThoseOfTheFamily(string model, string asked, string expected) =>
        Assert.Equal(expected, (await Request($$$"""{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{{{asked}}}}""", model)).GetProperty("generationConfig").GetRawText());

    [Theory]
    [InlineData("claude-sonnet-4-6", true)]
    [InlineData("gemini-3.1-pro-low", true)]
    [InlineData("gemini-3-flash", false)]
    public async Task Schemas_AreCleanedForTheModel(string model, bool isHeld)
    {
        JsonElement sent = await Request("""{"contents":[{"parts":[{"text":"hi"}]}]""" + Tools("""
            {"$defs":{"P":{"const":"x"}},"type":"object","title":"T","properties":{"format":{"type":["string","null"]},"p":{"$ref":"#/$defs/P"},"any":{"anyOf":[{"type":"string"},{"type":"integer"}]}}}
            """) + "}", model);
        JsonElement schema = sent.GetProperty("tools")[0].GetProperty("functionDeclarations")[0].GetProperty("parameters");
        Assert.Equal(isHeld, schema.TryGetProperty("title", out _));
        Assert.Equal(isHeld, schema.GetProperty("properties").TryGetProperty("_", out _));
        Assert.Equal("""{"type":"string","nullable":true}""", schema.GetProperty("properties").GetProperty("format").GetRawText());
        Assert.Equal("""{"type":"string","description":"(Allowed: x)"}""", schema.GetProperty("properties").GetProperty("p").GetRawText());
    }

    [Fact]
    public async Task HistoryWithSchemaWords_ArrivesUnchanged()
    {
        const string Args = """{"title":"t","default":{"format":"f"},"enum":[1],"$ref":"#/a","additionalProperties":false,"_":1,"reason":"r"}""";
        string body = $$$"""{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{{{Args}}}}}]},{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{{{Args}}}}}]}]""" + Tools("""{"type":"object"}""") + "}";
        string contents = (await Request(body, "claude-sonnet-4-6")).GetProperty("contents").GetRawText();
        Assert.Equal(2, contents.Split(Args).Length - 1);
    }

    [Fact]
    public async Task ClaudeThoughts_StandFirst_Joined_AndOnlyWithTheirSignature()
    {
        JsonElement sent = await Request("""
            {"contents":[{"role":"user","parts":[{"text":"a"}]},
              {"role":"model","parts":[{"text":"old","thought":true},{"text":"said"}]},{"role":"user","parts":[{"text":"b"}]},
              {"role":"model","parts":[{"text":"one ","thought":true},{"text":"two","thought":true},{"text":"","thoughtSignature":"RXNpZw=="},{"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"Z2VtaW5p"},{"text":"then"}]},
              {"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{}}}]}],
             "generationConfig":{"thinkingConfig":{"thinkingBudget":2048}}}
            """, Claude);
        Assert.Equal(
            """[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"said"}]},{"role":"user","parts":[{"text":"b"}]},{"role":"model","parts":[{"text":"one two","thought":true,"thoughtSignature":"RXNpZw=="},{"text":"then"},{"functionCall":{"id":"c1","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{}}}]}]""",
            sent.GetProperty("contents").GetRawText());
        Assert.True(sent.GetProperty("generationConfig").TryGetProperty("thinkingConfig", out _));
    }

    [Theory]
    [InlineData("""{"text":"one","thought":true,"thoughtSignature":"RXNpZw=="},{"text":"two","thought":true,"thoughtSignature":"RXRvbw=="}""",
        """{"text":"one","thought":true,"thoughtSignature":"RXNpZw=="},{"text":"two","thought":true,"thoughtSignature":"RXRvbw=="}""")]
    [InlineData("""{"text":"one","thought":true,"thoughtSignature":"RXNpZw=="},{"text":"","thoughtSignature":"RXRvbw=="},{"text":"said"}""", """{"text":"one","thought":true,"thoughtSignature":"RXNpZw=="},{"text":"said"}""")]
    [InlineData("""{"text":"one","thought":true},{"text":"said","thoughtSignature":"RXNpZw=="}""", """{"text":"said"}""")]
    public async Task ClaudesSignature_IsThatOfTheThoughtsInFrontOfIt(string parts, string sent) =>
        Assert.Equal($$$"""{"role":"model","parts":[{{{sent}}}]}""",
            (await Request($$$"""{"contents":[{"role":"user","parts":[{"text":"a","thoughtSignature":"eA=="}]},{"role":"model","parts":[{{{parts}}}]},{"role":"user","parts":[{"text":"b"}]}]}""", Claude)).GetProperty("contents")[1].GetRawText());

    [Fact]
    public async Task OtherToolConfig_IsKept() =>
        Assert.Equal("""{"languageCode":"no"}""", (await Request("""{"contents":[{"parts":[{"text":"hi"}]}],"toolConfig":{"retrievalConfig":{"languageCode":"no"}}}""")).GetProperty("toolConfig").GetProperty("retrievalConfig").GetRawText());

    [Fact]
    public async Task SignatureOfTheUser_IsNone() =>
        Assert.Equal("""[{"role":"user","parts":[{"text":"a"}]}]""", (await Request("""{"contents":[{"role":"user","parts":[{"text":"a","thoughtSignature":"eA=="}]}]}""")).GetProperty("contents").GetRawText());

    [Fact]
    public async Task UnsignedCallsOfTheLastTurn_AreSigned_OnceAStep_AndNeverResponses()
    {
        JsonElement contents = (await Request("""
            {"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}}]},
              {"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}},{"functionResponse":{"name":"g","response":{}}}]},
              {"role":"model","parts":[{"functionCall":{"name":"h","args":{}},"thoughtSignature":"c2ln"}]},{"role":"user","parts":[{"functionResponse":{"name":"h","response":{}}}]}]}
            """)).GetProperty("contents");
        Assert.Equal([true, false, false, false, true, false], contents.EnumerateArray().Skip(1).SelectMany(content => content.GetProperty("parts").EnumerateArray()).Select(part => part.TryGetProperty("thoughtSignature", out _)));
    }

    [Theory]
    [InlineData("gemini-3.1-pro-low", true, true, true, "low")]
    [InlineData("gemini-3.1-pro-medium", true, true, true, "medium")]
    [InlineData("gemini-3.1-pro-high", true, true, true, "high")]
    [InlineData("gemini-3-flash", true, true, false, null)]
    [InlineData("gemini-pro-agent", true, true, false, null)]
    [InlineData("gemini-2.5-pro", true, false, false, null)]
    [InlineData("gemini-1.5-pro", true, false, false, null)]
    [InlineData("gpt-oss-120b-medium", true, false, false, null)]
    [InlineData("claude-sonnet-4-6", true, false, true, null)]
    [InlineData("gemini-3-pro-preview", false, true, false, null)]
    public void ModelsName_TellsItsRules(string name, bool isAntigravity, bool isGemini3, bool answersInStreams, string? level)
    {
        var model = new Aiproxy.Upstreams.Google.GoogleModel(name, isAntigravity);
        Assert.Equal((isGemini3, answersInStreams, level), (model.IsGemini3, model.AnswersInStreams, model.Level));
        Assert.False(model.IsThinkingClaude);
    }

    [Fact]
    public async Task PiecesOfAStreamAsContents_AreOneTurn()
    {
        JsonElement sent = await Request("""
            {"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"one ","thought":true}]},{"role":"model","parts":[{"text":"two","thought":true,"thoughtSignature":"RXNpZw=="}]},
              {"role":"model","parts":[]},{"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{}}}]},{"role":"model","parts":[{"functionCall":{"id":"c2","name":"g","args":{}}}]},
              {"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"c2","name":"g","response":{}}}]}]}
            """, Claude);
        Assert.Equal(3, sent.GetProperty("contents").GetArrayLength());
        Assert.Equal(
            """{"role":"model","parts":[{"text":"one two","thought":true,"thoughtSignature":"RXNpZw=="},{"functionCall":{"id":"c1","name":"f","args":{}}},{"functionCall":{"id":"c2","name":"g","args":{}}}]}""",
            sent.GetProperty("contents")[1].GetRawText());
    }

    [Fact]
    public async Task ClaudeGoingOnBehindUnprovenCalls_DoesNotThink()
    {
        JsonElement sent = await Request("""
            {"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"unsigned","thought":true},{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}}]},
              {"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}},{"functionResponse":{"name":"g","response":{}}}]}],
             "generationConfig":{"temperature":0.3,"thinkingConfig":{"thinkingBudget":2048}}}
            """, Claude);
        Assert.Equal("""{"temperature":0.3}""", sent.GetProperty("generationConfig").GetRawText());
        Assert.DoesNotContain("unsigned", sent.GetProperty("contents").GetRawText());
        // Ids are made for both halves of each pair.
        Assert.Matches("\"id\":\"call_[0-9a-f]{24}\",\"name\":\"f\"", sent.GetProperty("contents").GetRawText());
    }

    [Fact]
    public async Task AnthropicClientsThinking_GoesBackToClaude_AndForeignOneDoesNot()
    {
        const string Body = """
            {"model":"m","stream":true,"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2000},"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"a"},
              {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"EsignatureFake"},{"type":"redacted_thinking","data":"x"},{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","is_error":true,"content":[{"type":"text","text":"bad"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]}]}
            """;
        JsonElement claude = await Request(Body, Claude, "anthropic");
        Assert.Equal("""{"text":"hm","thought":true,"thoughtSignature":"EsignatureFake"}""", claude.GetProperty("contents")[1].GetProperty("parts")[0].GetRawText());
        Assert.Equal("""{"includeThoughts":true,"thinkingBudget":2000}""", claude.GetProperty("generationConfig").GetProperty("thinkingConfig").GetRawText());
        Assert.Equal(
            """{"functionResponse":{"id":"toolu_1","name":"f","response":{"error":"bad"},"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]}}""",
            claude.GetProperty("contents")[2].GetProperty("parts")[0].GetRawText());

        string gemini = (await Request(Body, "gemini-3-flash", "anthropic")).GetProperty("contents").GetRawText();
        Assert.DoesNotContain("Esignature", gemini);
        Assert.DoesNotContain("hm", gemini);
        Assert.Contains("\"thoughtSignature\":\"skip_thought_signature_validator\"", gemini);
    }

    [Theory]
    [InlineData("anthropic", """{"model":"m","stream":true,"max_tokens":70000,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"1f","input":{}},{"type":"text","text":"after"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"ok"}]}],"tools":[{"name":"1f","input_schema":{"type":"object","properties":{}}}]}""")]
    [InlineData("openai", """{"model":"m","stream":true,"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"t1","type":"function","function":{"name":"1f","arguments":""}}]},{"role":"tool","tool_call_id":"t1","content":"ok"}],"tools":[{"type":"function","function":{"name":"1f"}}]}""")]
    [InlineData("responses", """{"model":"m","stream":true,"input":[{"role":"user","content":"a"},{"type":"function_call","call_id":"t1","name":"1f","arguments":"{}"},{"type":"function_call_output","call_id":"t1","output":"ok"}],"tools":[{"type":"function","name":"1f","parameters":null}]}""")]
    [InlineData("gemini", """{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"name":"1f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"1f","response":{}}}]}],"tools":[{"functionDeclarations":[{"name":"1f"}]}]}""")]
    public async Task EveryClient_IsUnderstoodByEveryFamily(string protocol, string body)
    {
        foreach (string model in (string[])["claude-sonnet-4-6", Claude, "gemini-3.1-pro-low", "gemini-pro-agent", "gemini-3-flash", "gpt-oss-120b-medium"])
        {
            JsonElement sent = await Request(body, model, protocol);
            string? name = sent.GetProperty("tools")[0].GetProperty("functionDeclarations")[0].GetProperty("name").GetString();
            Assert.Matches(protocol == "gemini" ? "^_1f$" : "^_1f_[0-9a-f]{8}$", name);
            Assert.Contains($"\"name\":\"{name}\"", sent.GetProperty("contents").GetRawText());
        }
    }

    [Fact]
    public async Task Count_IsAskedWithoutProjectAndModel_AndEstimatedWhereItFails()
    {
        const string Body = """{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"systemInstruction":"s","generationConfig":{},"safetySettings":[]}""";
        using var test = new TestExchange("gemini", stream: false, body: Body, model: "gemini-3-flash", operation: Operation.CountTokens);
        _rig.Upstream.Answers(200, """{"totalTokens":7}""");
        Assert.Equal(OutcomeKind.Success, (await _rig.SendAsync(test, "gemini-3-flash")).Outcome.Kind);
        _rig.Checked();
        Assert.Equal("""{"request":{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"systemInstruction":{"role":"user","parts":[{"text":"s"}]}}}""", _rig.Upstream.Bodies[0]);
        Assert.Equal("""{"totalTokens":7}""", test.Client.Text);

        using var second = new TestExchange("gemini", stream: false, body: Body, model: "gemini-3-flash", operation: Operation.CountTokens);
        _rig.Upstream.Answers(400, GoogleRig.Error(400, "INVALID_ARGUMENT", "not for this model"));
        Attempt attempt = await _rig.SendAsync(second, "gemini-3-flash");
        Assert.Equal((OutcomeKind.CannotSay, Aiproxy.Protocols.Model.ErrorKind.Unsupported), (attempt.Outcome.Kind, attempt.Outcome.Error!.Kind));
    }
}
