using System.Text.Json;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using static Aiproxy.Tests.Protocols.RequestTexts;

namespace Aiproxy.Tests.Protocols.Gemini;

public sealed class GeminiRequestWriterTests
{
    private static readonly GeminiProtocol Protocol = new();
    private static readonly GeminiProtocol Legacy = new(new GeminiTraits { LegacySchema = true });

    private const string Flash25 = "gemini-2.5-flash", Pro3 = "gemini-3-pro-preview", Flash3 = "gemini-3.8-flash";

    private static JsonElement Write(ChatRequest request) => RequestTexts.Write(Protocol, request);

    private static JsonElement Contents(ChatRequest request) => Write(request).GetProperty("contents");

    [Fact]
    public void Least_IsContents() =>
        Assert.Equal("""[{"role":"user","parts":[{"text":"hi"}]}]""", Contents(Request(Flash25)).GetRawText());

    [Fact]
    public void E14_Ids_AreOnBothSidesOrOnNeither()
    {
        Turn[] turns = [User(new TextPart("go")), Assistant(Call("id1", "f")), User(Result("id1", "f", new TextPart("r")))];
        string newer = Contents(Request(Flash3, turns)).GetRawText(), older = Contents(Request(Flash25, turns)).GetRawText();
        Assert.Equal(2, newer.Split("\"id\":\"id1\"").Length - 1);
        Assert.DoesNotContain("\"id\"", older, StringComparison.Ordinal);
        var without = new GeminiProtocol(new GeminiTraits { SendsIds = false });
        Assert.DoesNotContain("\"id\"", RequestTexts.Write(without, Request(Flash3, turns)).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void E16_ToolResultToGemini_ResponseNameIsFunctionName()
    {
        JsonElement response = Contents(Request(Flash25, User(new TextPart("go")), Assistant(Call("toolu_1", "get_weather")), User(new TextPart("and"), Result("toolu_1", "get_weather", new TextPart("{\"a\":1}")))))[2].GetProperty("parts");
        Assert.Equal("""{"functionResponse":{"name":"get_weather","response":{"output":"{\"a\":1}"}}}""", response[0].GetRawText());
        Assert.Equal("and", response[1].GetProperty("text").GetString());
        Assert.StartsWith("[result of an unknown tool call]", Contents(Request(Flash25, User(Result("x", "f"))))[0].GetProperty("parts")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void E47_FailedResult_IsAnErrorMember()
    {
        Turn[] turns = [User(new TextPart("go")), Assistant(Call("a", "f")), User(Result("a", "f", new TextPart("bad")) with { IsError = true })];
        Assert.Equal("""{"error":"bad"}""", Contents(Request(Flash25, turns))[2].GetProperty("parts")[0].GetProperty("functionResponse").GetProperty("response").GetRawText());
        Turn[] empty = [User(new TextPart("go")), Assistant(Call("a", "f")), User(Result("a", "f"))];
        Assert.Equal("""{"output":""}""", Contents(Request(Flash25, empty))[2].GetProperty("parts")[0].GetProperty("functionResponse").GetProperty("response").GetRawText());
    }

    [Fact]
    public void E46_ImagesInResults_AreInsideOrBehindThem()
    {
        Turn[] turns = [User(new TextPart("go")), Assistant(Call("a", "f"), Call("b", "f")),
            User(Result("a", "f", new MediaPart(MediaKind.Image, new Base64Source("image/png", "iVBORw0KGgoAAAANSUhEUg=="))), Result("b", "f"), new TextPart("t"))];
        JsonElement newer = Contents(Request(Flash3, turns))[2].GetProperty("parts"), older = Contents(Request(Flash25, turns))[2].GetProperty("parts");
        Assert.Equal("image/png", newer[0].GetProperty("functionResponse").GetProperty("parts")[0].GetProperty("inlineData").GetProperty("mimeType").GetString());
        Assert.Equal(["functionResponse", "functionResponse", "inlineData", "text"], older.EnumerateArray().Select(part => part.EnumerateObject().First().Name));
    }

    [Theory]
    [InlineData("https://h/a.PNG?x=.pdf", MediaKind.Image, "image/png")]
    [InlineData("https://h/a.gif", MediaKind.Image, "image/gif")]
    [InlineData("https://h/a.webp#b.png", MediaKind.Image, "image/webp")]
    [InlineData("https://h/a", MediaKind.Image, "image/jpeg")]
    [InlineData("https://h/a.pdf", MediaKind.Image, "application/pdf")]
    [InlineData("https://h/a", MediaKind.Document, "application/pdf")]
    [InlineData("https://h/a.mp4", MediaKind.Image, "video/mp4")]
    [InlineData("https://h/a", MediaKind.Video, "video/mp4")]
    [InlineData("https://h/a.wav", MediaKind.Audio, "audio/wav")]
    [InlineData("https://h/a.mp3", MediaKind.Image, "audio/mp3")]
    [InlineData("https://h/a", MediaKind.Audio, "audio/mp3")]
    public void AddressOfMedia_HasATypeByItsEnd(string url, MediaKind kind, string type) =>
        Assert.Equal($$$"""{"fileData":{"mimeType":"{{{type}}}","fileUri":"{{{url}}}"}}""",
            Contents(Request(Flash3, User(new MediaPart(kind, new UrlSource(new JsonText(url))))))[0].GetProperty("parts")[0].GetRawText());

    private static readonly MediaPart Paper = new(MediaKind.Document, new TextSource("said \"so\"")) { Title = "a \"b\"" };

    private static readonly MediaPart Scan = new(MediaKind.Document, new PartsSource([new TextPart("page"), new TextPart(""), new MediaPart(MediaKind.Image, new Base64Source("image/png", "iVBORw0KGgoAAAANSUhEUg=="))])) { Title = "scan" };

    private const string Page = """{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgoAAAANSUhEUg=="}}""";

    [Fact]
    public void DocumentsOfText_AreTextWithTheirTitle()
    {
        JsonElement parts = Contents(Request(Flash25, User(Paper, Paper with { Title = null }, Scan)))[0].GetProperty("parts");
        Assert.Equal(["<document title=\"a &quot;b&quot;\">\nsaid \"so\"\n</document>", "said \"so\"", "scan", "page"], parts.EnumerateArray().SkipLast(1).Select(part => part.GetProperty("text").GetString()));
        Assert.Equal(Page, parts[4].GetRawText());
    }

    [Fact]
    public void DocumentsInResults_AreItsTextAndItsImages()
    {
        Turn[] turns = [User(new TextPart("go")), Assistant(Call("a", "f")), User(Result("a", "f", new TextPart("r"), Paper, Scan))];
        JsonElement response = Contents(Request(Flash3, turns))[2].GetProperty("parts")[0].GetProperty("functionResponse");
        Assert.Equal("r\n<document title=\"a &quot;b&quot;\">\nsaid \"so\"\n</document>\nscan\npage\n", response.GetProperty("response").GetProperty("output").GetString());
        Assert.Equal($"[{Page}]", response.GetProperty("parts").GetRawText());
    }

    [Fact]
    public void E27_E28_Carrier_GivesTheSignatureBackToItsCall()
    {
        Turn model = Assistant(new TextPart("t"), new ThinkingPart("") { Seal = new Seal(SealKind.Thought, "gemini", "c2ln") }, Call("a", "f"), Call("b", "f"));
        JsonElement parts = Contents(Request(Flash3, User(new TextPart("go")), model, User(Result("a", "f"), Result("b", "f"))))[1].GetProperty("parts");
        Assert.Equal([null, "c2ln", null], parts.EnumerateArray().Select(part => part.TryGetProperty("thoughtSignature", out JsonElement signature) ? signature.GetString() : null));
    }

    [Fact]
    public void E27_ThroughAnAnthropicClient_TheSignatureComesBack()
    {
        var anthropic = new AnthropicProtocol();
        string answer = Wire.Write(anthropic, Wire.Options(stream: false), writer => Wire.Read(Protocol, Wire.Fixture("gemini/weather.sse"), writer));
        string content = Json(answer).GetProperty("content").GetRawText();
        JsonElement body = Json($$"""
            {"model":"m","messages":[{"role":"user","content":"go"},{"role":"assistant","content":{{content}}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_Demo","content":"4"}]}]}
            """);
        ChatRequest request = anthropic.ReadRequest(body, new Aiproxy.Protocols.RequestHead { Target = new(Aiproxy.Protocols.Operation.Generate), Model = Flash3, Stream = false });
        JsonElement contents = Contents(request), parts = contents[1].GetProperty("parts");
        Assert.Equal(2, parts.GetArrayLength());
        Assert.Equal("get_weather", contents[2].GetProperty("parts")[0].GetProperty("functionResponse").GetProperty("name").GetString());
        Assert.Equal("RXFRQmRlbW8=", parts[1].GetProperty("thoughtSignature").GetString());
    }

    [Fact]
    public void CarrierInFrontOfNoCall_KeepsItsSignatureInItsPlace()
    {
        Turn model = Assistant(new ThinkingPart("") { Seal = new Seal(SealKind.Thought, "gemini", "c2ln") }, new TextPart("t"), Call("a", "f"));
        JsonElement parts = Contents(Request(Flash3, User(new TextPart("go")), model, User(Result("a", "f"))))[1].GetProperty("parts");
        Assert.Equal(["""{"text":"","thoughtSignature":"c2ln"}""", """{"text":"t"}"""], parts.EnumerateArray().Take(2).Select(part => part.GetRawText()));
    }

    [Fact]
    public void E30_UnsignedCallsOfTheCurrentTurn_GetTheSentinel()
    {
        Turn[] turns = [User(new TextPart("old")), Assistant(Call("a", "f")), User(Result("a", "f")), Assistant(new TextPart("done")), User(new TextPart("new")),
            Assistant(Call("b", "f"), Call("c", "f")), User(Result("b", "f"), Result("c", "f")), Assistant(Call("d", "f")), User(Result("d", "f"))];
        string?[] signatures = [.. Contents(Request(Flash3, turns)).EnumerateArray().SelectMany(content => content.GetProperty("parts").EnumerateArray())
            .Where(part => part.TryGetProperty("functionCall", out _)).Select(part => part.TryGetProperty("thoughtSignature", out JsonElement signature) ? signature.GetString() : null)];
        Assert.Equal((string?[])[null, GeminiNames.NoSignature, null, GeminiNames.NoSignature], signatures.AsEnumerable());
        Assert.DoesNotContain(GeminiNames.NoSignature, Contents(Request(Flash25, turns)).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void E37_ForeignReasoning_IsDroppedAndTheTurnStaysOne()
    {
        JsonElement contents = Contents(Request(Flash25, User(new TextPart("go")), Assistant(new ThinkingPart("r") { Seal = new Seal(SealKind.Encrypted, "up", "x") }), Assistant(Call("a", "f")), User(Result("a", "f"))));
        Assert.Equal(3, contents.GetArrayLength());
        Assert.Single(contents[1].GetProperty("parts").EnumerateArray());
    }

    [Fact]
    public void E41_MidSystem_IsMarkedUserTextInItsPlace()
    {
        JsonElement contents = Contents(Request(Flash25, User(new TextPart("a")), new Turn(TurnRole.System, [new TextPart("rule")]), Assistant(new TextPart("b")), User(new TextPart("c"))));
        Assert.Equal("<system-reminder>\nrule\n</system-reminder>", contents[0].GetProperty("parts")[1].GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("responses", "Continue.")]
    [InlineData("anthropic", "Continue your last message")]
    public void E45_TrailingModelTurn_IsFollowedByTheUser(string protocol, string start)
    {
        JsonElement contents = Contents(Request(Flash25, Assistant(new TextPart("b"))) with { Protocol = protocol });
        Assert.Equal("(continued)", contents[0].GetProperty("parts")[0].GetProperty("text").GetString());
        Assert.StartsWith(start, contents[2].GetProperty("parts")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void System_HasItsParts_AndGemmaHasNone()
    {
        ChatRequest request = Request(Flash25) with { System = [new TextPart("one"), new TextPart(""), new TextPart("two")] };
        Assert.Equal("""{"parts":[{"text":"one"},{"text":"two"}]}""", Write(request).GetProperty("systemInstruction").GetRawText());
        JsonElement gemma = Write(request with { Model = "gemma-3-27b-it" });
        Assert.False(gemma.TryGetProperty("systemInstruction", out _));
        Assert.Equal(3, gemma.GetProperty("contents")[0].GetProperty("parts").GetArrayLength());
    }

    [Theory]
    [InlineData(Flash25, ReasoningEffort.High, """{"includeThoughts":true,"thinkingBudget":24576}""")]
    [InlineData(Flash25, ReasoningEffort.None, """{"thinkingBudget":0}""")]
    [InlineData("gemini-2.5-pro", ReasoningEffort.None, """{"thinkingBudget":128}""")]
    [InlineData("gemini-2.5-pro", ReasoningEffort.Max, """{"includeThoughts":true,"thinkingBudget":32768}""")]
    [InlineData("gemini-2.5-flash-lite", ReasoningEffort.Minimal, """{"includeThoughts":true,"thinkingBudget":512}""")]
    [InlineData(Flash3, ReasoningEffort.Minimal, """{"includeThoughts":true,"thinkingLevel":"MINIMAL"}""")]
    [InlineData(Flash3, ReasoningEffort.XHigh, """{"includeThoughts":true,"thinkingLevel":"HIGH"}""")]
    [InlineData(Pro3, ReasoningEffort.Medium, """{"includeThoughts":true,"thinkingLevel":"HIGH"}""")]
    [InlineData(Pro3, ReasoningEffort.None, """{"thinkingLevel":"LOW"}""")]
    [InlineData("gemini-2.0-flash", ReasoningEffort.High, null)]
    public void Reasoning_IsOneOfBudgetAndLevel(string model, ReasoningEffort effort, string? expected)
    {
        JsonElement config = Write(Request(model) with { Reasoning = new ReasoningRequest { Effort = effort } }).GetProperty("generationConfig");
        Assert.Equal(expected, config.TryGetProperty("thinkingConfig", out JsonElement thinking) ? thinking.GetRawText() : null);
    }

    [Fact]
    public void Reasoning_AdaptiveAndSilent()
    {
        Assert.Equal("""{"thinkingBudget":-1}""", Thinking(Flash25, new ReasoningRequest { Adaptive = true, Visible = false }));
        Assert.Equal("""{"includeThoughts":true}""", Thinking(Flash3, new ReasoningRequest { Adaptive = true }));
        Assert.Equal("""{"includeThoughts":true,"thinkingLevel":"MEDIUM"}""", Thinking(Flash3, new ReasoningRequest { Budget = 5000 }));
        Assert.Null(Thinking(Flash25, new ReasoningRequest { Visible = false }));
    }

    [Fact]
    public void Config_IsWritten()
    {
        ChatRequest request = Request(Flash25) with
        {
            MaxTokens = 100_000,
            Stop = ["1", "2", "3", "4", "5", "6"],
            Sampling = new Sampling { Temperature = Json("0.70"), TopP = Json("0.9"), TopK = Json("40"), Seed = Json("7"), PresencePenalty = Json("1"), FrequencyPenalty = Json("0") },
        };
        // "Penalty is not enabled for this model", since 2.5.
        Assert.Equal("""{"temperature":0.70,"topP":0.9,"topK":40,"maxOutputTokens":65536,"stopSequences":["1","2","3","4","5"],"seed":7}""", Write(request).GetProperty("generationConfig").GetRawText());
        JsonElement older = Write(request with { Model = "gemini-2.0-flash" }).GetProperty("generationConfig");
        Assert.Equal((1, 0, 8192), (older.GetProperty("presencePenalty").GetInt32(), older.GetProperty("frequencyPenalty").GetInt32(), older.GetProperty("maxOutputTokens").GetInt32()));
    }

    [Fact]
    public void StructuredOutput_IsASchemaAndNotBesideToolsOfOldModels()
    {
        ChatRequest request = Request(Flash25) with { Output = new OutputFormat(Json("""{"type":"object","properties":{"a":{"const":1}}}""")) };
        Assert.Equal("""{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"a":{"enum":[1]}}}}""", Write(request).GetProperty("generationConfig").GetRawText());
        Assert.Equal(ErrorKind.Unsupported, Refused(Protocol, request with { Tools = [Tool("f")] }).Kind);
        Assert.True(Write(request with { Tools = [Tool("f")], Model = Flash3 }).TryGetProperty("tools", out _));
    }

    [Theory]
    [InlineData(ToolChoiceMode.Auto, "", """{"mode":"AUTO"}""")]
    [InlineData(ToolChoiceMode.Any, "", """{"mode":"ANY"}""")]
    [InlineData(ToolChoiceMode.Any, "f", """{"mode":"ANY","allowedFunctionNames":["f"]}""")]
    [InlineData(ToolChoiceMode.Auto, "f", """{"mode":"VALIDATED","allowedFunctionNames":["f"]}""")]
    [InlineData(ToolChoiceMode.None, "f", """{"mode":"NONE"}""")]
    public void ToolChoice_AllModes(ToolChoiceMode mode, string name, string expected) =>
        Assert.Equal(expected, Write(Request(Flash25) with { Tools = [Tool("f")], ToolChoice = new ToolChoice(mode, name.Length > 0 ? [name] : []) }).GetProperty("toolConfig").GetProperty("functionCallingConfig").GetRawText());

    [Fact]
    public void ForeignTools_AreDroppedBesideFunctionsOnly()
    {
        var search = new ToolDefinition(ToolKind.Foreign, "web_search") { Path = "tools[1]", Raw = Json("""{"type":"web_search_20250305"}""") };
        var bash = new ToolDefinition(ToolKind.Foreign, "bash") { Path = "tools[1]", Raw = Json("""{"type":"bash_20250124"}""") };
        Assert.Single(Write(Request(Flash25) with { Tools = [Tool("f"), search] }).GetProperty("tools").EnumerateArray());
        Assert.Equal("tools[1]", Refused(Protocol, Request(Flash25) with { Tools = [search] }).Param);
        Assert.Equal("tools[1]", Refused(Protocol, Request(Flash25) with { Tools = [Tool("f"), bash] }).Param);
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{}}""")]
    [InlineData("{}")]
    [InlineData(null)]
    public void E21_ToolWithoutArguments_HasNoSchema(string? schema) =>
        Assert.Equal("""{"name":"f"}""", Write(Request(Flash25) with { Tools = [Tool("f", schema)] }).GetProperty("tools")[0].GetProperty("functionDeclarations")[0].GetRawText());

    [Theory]
    [InlineData("""{"$schema":"s","type":"object","properties":{"a":{"const":"x"},"b":{"type":["string","null"]},"c":{"type":"number","exclusiveMinimum":0}},"propertyNames":{"pattern":"x"},"required":["a","gone"]}""",
        """{"type":"object","properties":{"a":{"enum":["x"]},"b":{"type":["string","null"]},"c":{"type":"number","description":"(exclusiveMinimum: 0)"}},"required":["a"],"description":"(propertyNames: {\u0022pattern\u0022:\u0022x\u0022})"}""")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#/definitions/T"},"l":{"type":"array"}},"definitions":{"T":{"type":"string","format":"uri"}}}""",
        """{"type":"object","properties":{"a":{"$ref":"#/$defs/T"},"l":{"type":"array","items":{}}},"$defs":{"T":{"type":"string","description":"(format: uri)"}}}""")]
    [InlineData("""{"type":"object","properties":{"pattern":{"type":"string"},"title":{"type":"string"},"type":{"type":"string"},"required":{"type":"string"},"properties":{"type":"string"},"const":{"type":"string"},"default":{"type":"string"}}}""",
        """{"type":"object","properties":{"pattern":{"type":"string"},"title":{"type":"string"},"type":{"type":"string"},"required":{"type":"string"},"properties":{"type":"string"},"const":{"type":"string"},"default":{"type":"string"}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"allOf":[{"$ref":"#/definitions/T"}],"description":"D"},"n":false,"y":true,"t":{"type":"array","items":[{"type":"integer"},{"type":"string"}]},"e":{"type":"array","items":[]},"p":{"type":"array","prefixItems":[{"type":"string"}]}},"definitions":{"T":{"type":"string"}}}""",
        """{"type":"object","properties":{"a":{"type":"string","description":"D"},"n":{},"y":{},"t":{"type":"array","items":{"type":"integer"}},"e":{"type":"array","items":{}},"p":{"type":"array","prefixItems":[{"type":"string"}]}}}""")]
    public void E18_E19_JsonSchema_InItsDialect(string schema, string expected) => Same(expected, Schema(Protocol, schema, "parametersJsonSchema"));

    [Theory]
    [InlineData("""{"$schema":"s","type":"object","properties":{"a":{"const":"x","type":"string"},"b":{"type":["string","null"]},"c":{"type":"number","exclusiveMinimum":0}},"additionalProperties":false,"required":["a","gone"]}""",
        """{"type":"OBJECT","properties":{"a":{"type":"STRING","enum":["x"]},"b":{"type":"STRING","nullable":true},"c":{"type":"NUMBER","description":"(exclusiveMinimum: 0)"}},"required":["a"]}""")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#/$defs/T"},"n":{"$ref":"#/$defs/N"}},"$defs":{"T":{"type":"string","format":"uri"},"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}}}}}""",
        """{"type":"OBJECT","properties":{"a":{"type":"STRING","description":"(format: uri)"},"n":{"type":"OBJECT","properties":{"next":{"type":"STRING","description":"Any value, as JSON."}}}}}""")]
    [InlineData("""{"type":"object","properties":{"o":{"anyOf":[{"type":"integer"},{"type":"null"}],"description":"D"},"u":{"oneOf":[{"type":"string"},{"type":"integer"}]},"e":{"type":"integer","enum":[1,2]},"x":{},"t":true,"obj":{"type":"object"},"l":{"type":"array"},"m":{"type":["string","integer"]}}}""",
        """{"type":"OBJECT","properties":{"o":{"type":"INTEGER","nullable":true,"description":"D"},"u":{"anyOf":[{"type":"STRING"},{"type":"INTEGER"}]},"e":{"type":"INTEGER","description":"(allowed: [1,2])"},"x":{"type":"STRING","description":"Any value, as JSON."},"t":{"type":"STRING","description":"Any value, as JSON."},"obj":{"type":"OBJECT","properties":{"aip_unused":{"type":"STRING","description":"Leave out."}}},"l":{"type":"ARRAY","items":{"type":"STRING"}},"m":{"anyOf":[{"type":"STRING"},{"type":"INTEGER"}]}}}""")]
    [InlineData("""{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"type":{"type":"string"}}}],"type":"object"}""",
        """{"type":"OBJECT","properties":{"a":{"type":"STRING"},"type":{"type":"STRING"}},"required":["a"]}""")]
    [InlineData("""{"type":"object","properties":{"a":{"allOf":[{"$ref":"#/$defs/E"}],"description":"D"}},"$defs":{"E":{"type":"string","enum":["x"]}}}""",
        """{"type":"OBJECT","properties":{"a":{"type":"STRING","enum":["x"],"description":"D"}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}""",
        """{"type":"OBJECT","properties":{"a":{"type":"STRING"},"b":{"type":"STRING"}},"description":"(anyOf: [{\u0022required\u0022:[\u0022a\u0022]},{\u0022required\u0022:[\u0022b\u0022]}])"}""")]
    [InlineData("""{"properties":{"m":{"type":["array","object","null","array"],"description":"D"},"t":{"type":"array","items":[{"type":"integer"},{"type":"string"}]},"p":{"type":"array","prefixItems":[]},"q":{"type":"array","prefixItems":[{"type":"number"}]},"o":{"type":"array","items":{"type":"object"}},"i":{"items":{"type":"boolean"}}}}""",
        """{"type":"OBJECT","properties":{"m":{"nullable":true,"anyOf":[{"type":"ARRAY","items":{"type":"STRING"}},{"type":"OBJECT","properties":{"aip_unused":{"type":"STRING","description":"Leave out."}}}],"description":"D"},"t":{"type":"ARRAY","items":{"type":"INTEGER"}},"p":{"type":"ARRAY","items":{"type":"STRING"}},"q":{"type":"ARRAY","items":{"type":"NUMBER"}},"o":{"type":"ARRAY","items":{"type":"OBJECT","properties":{"aip_unused":{"type":"STRING","description":"Leave out."}}}},"i":{"type":"ARRAY","items":{"type":"BOOLEAN"}}}}""")]
    [InlineData("""{"type":"object","properties":{"o":{"oneOf":[{"$ref":"#/$defs/T"},{"type":"null"}]},"p":{"anyOf":[{"type":["string","null"],"description":"inner"}]},"q":{"anyOf":[{"type":"string","description":"inner"},{"type":"null"}],"description":"outer"},"r":{"$ref":"#/$defs/T"}},"$defs":{"T":{"type":"integer","format":"int32","default":null}}}""",
        """{"type":"OBJECT","properties":{"o":{"type":"INTEGER","format":"int32","nullable":true},"p":{"type":"STRING","description":"inner","nullable":true},"q":{"type":"STRING","nullable":true,"description":"outer"},"r":{"type":"INTEGER","format":"int32"}}}""")]
    [InlineData("""{"type":"object","properties":{"e":{"enum":["x",null],"type":["string","null"]},"f":{"type":"string","enum":["x",5]},"g":{"const":5,"type":"integer"},"h":{"const":"x"},"n":{"type":"string","nullable":true},"d":{"type":"integer","default":5,"format":"uri-template"}}}""",
        """{"type":"OBJECT","properties":{"e":{"type":"STRING","nullable":true,"enum":["x"]},"f":{"type":"STRING","description":"(allowed: [\u0022x\u0022,5])"},"g":{"type":"INTEGER","description":"(allowed: 5)"},"h":{"type":"STRING","enum":["x"]},"n":{"type":"STRING","nullable":true},"d":{"type":"INTEGER","default":5,"description":"(format: uri-template)"}}}""")]
    [InlineData("""{"type":"object","properties":{"s":{"type":"string","anyOf":[{"pattern":"a"},{"pattern":"b"}]},"i":{"type":"integer","enum":["1","2"]}}}""",
        """{"type":"OBJECT","properties":{"s":{"type":"STRING","description":"(anyOf: [{\u0022pattern\u0022:\u0022a\u0022},{\u0022pattern\u0022:\u0022b\u0022}])"},"i":{"type":"INTEGER","description":"(allowed: [\u00221\u0022,\u00222\u0022])"}}}""")]
    public void E18_E19_ProtoSchema_IsAnAllowList(string schema, string expected) => Same(expected, Schema(Legacy, schema, "parameters"));

    [Fact]
    public void ProtoSchema_ReferencesThatMultiply_EndInABoundedSchema()
    {
        string definitions = string.Join(',', Enumerable.Range(0, 30).Select(index => $"\"T{index}\":{{\"type\":\"object\",\"properties\":{{\"a\":{{\"$ref\":\"#/$defs/T{index + 1}\"}},\"b\":{{\"$ref\":\"#/$defs/T{index + 1}\"}},\"c\":{{\"$ref\":\"#/$defs/T{index + 1}\"}}}}}}"));
        string schema = $"{{\"type\":\"object\",\"properties\":{{\"x\":{{\"$ref\":\"#/$defs/T0\"}}}},\"$defs\":{{{definitions},\"T30\":{{\"type\":\"string\"}}}}}}";
        Assert.InRange(Schema(Legacy, schema, "parameters").Length, 100, 2_000_000);
    }

    [Fact]
    public void Placeholder_IsTakenOutOfTheAnswer()
    {
        SinkRecorder sink = Wire.ReadWhole(Protocol, """{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a\"b":[{"aip_unused":"x","k":1}],"aip_unused":"y"}}}]},"finishReason":"STOP"}]}""");
        Assert.Equal("""{"a\"b":[{"k":1}]}""", sink.Blocks[0].Text);
    }

    [Theory]
    [InlineData("""{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"format":"enum","enum":["x"],"example":"x","maxLength":"5"},"nullable":{"type":"ARRAY","items":{"type":"INTEGER"}}},"propertyOrdering":["a"]}""",
        """{"type":"object","properties":{"a":{"type":["string","null"],"enum":["x"],"maxLength":5},"nullable":{"type":"array","items":{"type":"integer"}}}}""")]
    [InlineData("""{"type":"OBJECT","properties":{"a":{"any_of":[{"type":"STRING","max_length":"5"},{"type":"INTEGER","nullable":true}]},"b":{"type":"TYPE_UNSPECIFIED","description":"d"},"c":{"type":"STRING","format":"date-time","minLength":5}},"property_ordering":["a"],"min_properties":"1"}""",
        """{"type":"object","properties":{"a":{"anyOf":[{"type":"string","maxLength":5},{"type":["integer","null"]}]},"b":{"description":"d"},"c":{"type":"string","format":"date-time","minLength":5}},"minProperties":1}""")]
    public void ProtoDialect_IsReadAsJsonSchema(string proto, string expected) => Same(expected, GeminiSchemaReader.ToJsonSchema(Json(proto)).GetRawText());

    [Fact]
    public void Claude_InThisProtocol_KeepsItsOwnRules()
    {
        Turn model = Assistant(new ThinkingPart("t") { Seal = new Seal(SealKind.Thinking, "", "RXE") }, new ThinkingPart("") { Seal = new Seal(SealKind.Thought, "gemini", "x") }, Call("a", "f"));
        ChatRequest request = Request("claude-sonnet-4-6", User(new TextPart("go")), model, User(Result("a", "f"))) with
        {
            Tools = [Tool("f")],
            ToolChoice = new ToolChoice(ToolChoiceMode.Any, ["f"]),
            MaxTokens = 3000,
            Sampling = new Sampling { Temperature = Json("0.5") },
            Reasoning = new ReasoningRequest { Effort = ReasoningEffort.High },
        };
        JsonElement body = Write(request);
        Assert.Equal("""[{"text":"t","thought":true,"thoughtSignature":"RXE"},{"functionCall":{"id":"a","name":"f","args":{}}}]""", body.GetProperty("contents")[1].GetProperty("parts").GetRawText());
        Assert.Equal("""{"functionCallingConfig":{"mode":"VALIDATED"}}""", body.GetProperty("toolConfig").GetRawText());
        Assert.Equal("""{"maxOutputTokens":3000,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1976}}""", body.GetProperty("generationConfig").GetRawText());

        ChatRequest unproven = request with { Turns = [request.Turns[0], Assistant(Call("a", "f")), request.Turns[2]] };
        Assert.Equal("""{"temperature":0.5,"maxOutputTokens":3000}""", Write(unproven).GetProperty("generationConfig").GetRawText());
    }

    [Fact]
    public void Urls_NeedGemini3()
    {
        ChatRequest request = Request(Flash3, User(new MediaPart(MediaKind.Image, new UrlSource("https://x/y.png?z=1")) { Path = "p" }));
        Assert.Equal("""{"fileData":{"mimeType":"image/png","fileUri":"https://x/y.png?z=1"}}""", Contents(request)[0].GetProperty("parts")[0].GetRawText());
        Assert.Equal("p", Refused(Protocol, request with { Model = Flash25 }).Param);
    }

    [Fact]
    public void SameRequest_GivesTheSameBytes()
    {
        ChatRequest request = Request(Flash3, User(new TextPart("a")), Assistant(Call("x", "f")), User(Result("x", "f"))) with { Tools = [Tool("f", """{"type":"object","properties":{"a":{"minLength":1}}}""")] };
        Assert.Equal(Write(request).GetRawText(), Write(request).GetRawText());
    }

    private static string? Thinking(string model, ReasoningRequest reasoning) =>
        Write(Request(model) with { Reasoning = reasoning }).GetProperty("generationConfig").TryGetProperty("thinkingConfig", out JsonElement thinking) ? thinking.GetRawText() : null;

    private static string Schema(GeminiProtocol protocol, string schema, string member) =>
        RequestTexts.Write(protocol, Request(Flash25) with { Tools = [Tool("f", schema)] }).GetProperty("tools")[0].GetProperty("functionDeclarations")[0].GetProperty(member).GetRawText();

    private static void Same(string expected, string actual) => Assert.True(JsonElement.DeepEquals(Json(expected), Json(actual)), actual);
}
