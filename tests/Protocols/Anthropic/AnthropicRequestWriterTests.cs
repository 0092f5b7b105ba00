using System.Text.Json;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;
using static Aiproxy.Tests.Protocols.RequestTexts;

namespace Aiproxy.Tests.Protocols.Anthropic;

public sealed class AnthropicRequestWriterTests
{
    private static readonly AnthropicProtocol Protocol = new(new AnthropicTraits { MarksCache = false });

    private const string Opus45 = "claude-opus-4-5", Opus47 = "claude-opus-4-7", Sonnet55 = "claude-sonnet-5-5";

    private static JsonElement Write(ChatRequest request) => RequestTexts.Write(Protocol, request);

    private static string Messages(ChatRequest request) => Write(request).GetProperty("messages").GetRawText();

    [Fact]
    public void Least_IsModelLimitAndMessages()
    {
        Assert.Equal("""{"model":"claude-opus-4-7","max_tokens":32000,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}""", Write(Request(Opus47)).GetRawText());
    }

    [Theory]
    [InlineData("claude-opus-4-1", null, 32000)]
    [InlineData("claude-3-5-sonnet-latest", null, 8192)]
    [InlineData("glm-5", null, 8192)]
    [InlineData("claude-opus-4-1", 64000L, 32000)]
    [InlineData("claude-opus-4-1", 100L, 100)]
    public void MaxTokens_DefaultsAndClamps(string model, long? wanted, long written) =>
        Assert.Equal(written, Write(Request(model) with { MaxTokens = wanted }).GetProperty("max_tokens").GetInt64());

    [Fact]
    public void E01_ParallelResultsThenText_AreOneUserMessage()
    {
        string messages = Messages(Request(Opus47, User(new TextPart("go")), Assistant(Call("a", "f"), Call("b", "f"), Call("c", "f")),
            User(Result("a", "f", new TextPart("1"))), User(Result("b", "f", new TextPart("2"))), User(new TextPart("and")), User(Result("c", "f"))));
        using JsonDocument document = JsonDocument.Parse(messages);
        JsonElement last = document.RootElement[2];
        Assert.Equal(3, document.RootElement.GetArrayLength());
        Assert.Equal(["a", "b", "c", "-"], last.GetProperty("content").EnumerateArray().Select(block => block.TryGetProperty("tool_use_id", out JsonElement id) ? id.GetString() : "-"));
        Assert.Equal("""{"type":"tool_result","tool_use_id":"c"}""", last.GetProperty("content")[2].GetRawText());
    }

    [Fact]
    public void E22_E24_Arguments_AreObjectsWithTheirDigits()
    {
        JsonElement content = Json(Messages(Request(Opus47, User(new TextPart("go")),
            Assistant(Call("a", "f", "{\"id\": 9007199254740993}"), Call("b", "f", "{\"x\":"), Call("c", "f", ""), Call("d", "f", "[1]")),
            User(Result("a", "f"), Result("b", "f"), Result("c", "f"), Result("d", "f")))))[1].GetProperty("content");
        Assert.Equal(["{\"id\": 9007199254740993}", "{\"_raw\":\"{\\\"x\\\":\"}", "{}", "{\"_raw\":\"[1]\"}"], content.EnumerateArray().Select(block => block.GetProperty("input").GetRawText()));
    }

    [Fact]
    public void E29_OnlyItsOwnProofsAreSent()
    {
        JsonElement content = Json(Messages(Request(Opus47, User(new TextPart("go")), Assistant(
            new ThinkingPart("raw") { Seal = new Seal(SealKind.Thinking, "", "s1") },
            new ThinkingPart("wrapped") { Seal = new Seal(SealKind.Thinking, "anthropic", "s2") },
            new ThinkingPart("") { IsRedacted = true, Seal = new Seal(SealKind.Redacted, "", "s3") },
            new ThinkingPart("gemini") { Seal = new Seal(SealKind.Thought, "gemini", "s4") },
            new ThinkingPart("openai") { Seal = new Seal(SealKind.Encrypted, "up", "s5") },
            new ThinkingPart("none"),
            new TextPart("said")), User(new TextPart("next")))))[1].GetProperty("content");
        Assert.Equal(
            ["""{"type":"thinking","thinking":"raw","signature":"s1"}""", """{"type":"thinking","thinking":"wrapped","signature":"s2"}""", """{"type":"redacted_thinking","data":"s3"}""", """{"type":"text","text":"said"}"""],
            content.EnumerateArray().Select(block => block.GetRawText()));
    }

    [Fact]
    public void E39_ForcedCallWithThinking_DropsTheThinking()
    {
        ChatRequest request = Request(Opus45) with { Tools = [Tool("f")], ToolChoice = new ToolChoice(ToolChoiceMode.Any, []), Reasoning = new ReasoningRequest { Effort = ReasoningEffort.High } };
        JsonElement body = Write(request);
        Assert.Equal("any", body.GetProperty("tool_choice").GetProperty("type").GetString());
        Assert.False(body.TryGetProperty("thinking", out _));
        Assert.Equal(ErrorKind.Unsupported, Refused(Protocol, request with { Model = Sonnet55 }).Kind);
        var instructing = new AnthropicProtocol(new AnthropicTraits { InstructsForcedChoice = true });
        Assert.Equal("auto", RequestTexts.Write(instructing, request with { Model = Sonnet55 }).GetProperty("tool_choice").GetProperty("type").GetString());
    }

    [Fact]
    public void E40_BudgetStaysBelowTheLimit_WhichIsNotRaised()
    {
        JsonElement body = Write(Request(Opus45) with { MaxTokens = 4096, Reasoning = new ReasoningRequest { Effort = ReasoningEffort.High } });
        Assert.Equal((4096, """{"type":"enabled","budget_tokens":3072}"""), (body.GetProperty("max_tokens").GetInt64(), body.GetProperty("thinking").GetRawText()));
        Assert.False(Write(Request(Opus45) with { MaxTokens = 1500, Reasoning = new ReasoningRequest { Effort = ReasoningEffort.High } }).TryGetProperty("thinking", out _));
    }

    [Theory]
    [InlineData(Opus47, ReasoningEffort.XHigh, "adaptive", "xhigh")]
    [InlineData("claude-opus-4-6", ReasoningEffort.XHigh, "adaptive", "high")]
    [InlineData(Opus47, ReasoningEffort.Minimal, "adaptive", "low")]
    [InlineData(Opus47, ReasoningEffort.None, "disabled", null)]
    [InlineData(Sonnet55, ReasoningEffort.None, "between_tools", null)]
    [InlineData("claude-opus-5-5", ReasoningEffort.None, null, "low")]
    [InlineData(Opus45, ReasoningEffort.Low, "enabled", null)]
    [InlineData("claude-3-5-haiku", ReasoningEffort.High, null, null)]
    public void Reasoning_IsToldInTheModelsWords(string model, ReasoningEffort effort, string? type, string? word)
    {
        JsonElement body = Write(Request(model) with { Reasoning = new ReasoningRequest { Effort = effort } });
        Assert.Equal(type, body.TryGetProperty("thinking", out JsonElement thinking) ? thinking.GetProperty("type").GetString() : null);
        Assert.Equal(word, body.TryGetProperty("output_config", out JsonElement config) ? config.GetProperty("effort").GetString() : null);
    }

    [Fact]
    public void Reasoning_NotTold_SaysNothing()
    {
        Assert.False(Write(Request(Opus47) with { Reasoning = new ReasoningRequest { Visible = false } }).TryGetProperty("thinking", out _));
        Assert.Equal("""{"type":"adaptive","display":"omitted"}""", Write(Request(Opus47) with { Reasoning = new ReasoningRequest { Adaptive = true, Visible = false } }).GetProperty("thinking").GetRawText());
    }

    [Fact]
    public void BudgetModel_InAnUnprovenToolLoop_DoesNotThink()
    {
        ChatRequest request = Request(Opus45, User(new TextPart("go")), Assistant(Call("a", "f")), User(Result("a", "f"))) with { Tools = [Tool("f")], Reasoning = new ReasoningRequest { Effort = ReasoningEffort.Low } };
        Assert.False(Write(request).TryGetProperty("thinking", out _));
        Assert.True(Write(request with { Model = Opus47 }).TryGetProperty("thinking", out _));
        Turn proven = Assistant(new ThinkingPart("t") { Seal = new Seal(SealKind.Thinking, "", "s") }, Call("a", "f"));
        Assert.True(Write(request with { Turns = [request.Turns[0], proven, request.Turns[2]] }).TryGetProperty("thinking", out _));
    }

    [Fact]
    public void E41_MidSystem_KeepsItsPlace()
    {
        Turn system = new(TurnRole.System, [new TextPart("rule")]);
        Turn[] turns = [User(new TextPart("a")), system, Assistant(new TextPart("b")), User(new TextPart("c"))];
        Assert.Equal(["user", "system", "assistant", "user"], Json(Messages(Request("claude-opus-4-8", turns))).EnumerateArray().Select(message => message.GetProperty("role").GetString()));
        JsonElement old = Json(Messages(Request(Opus45, turns)));
        Assert.Equal("<system-reminder>\nrule\n</system-reminder>", old[0].GetProperty("content")[1].GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("auto", "auto")]
    [InlineData("standard_only", "standard_only")]
    [InlineData("flex", null)]
    public void ServiceTier_IsToldInTheProtocolsWordsOnly(string asked, string? told) =>
        Assert.Equal(told, Write(Request(Opus47) with { ServiceTier = asked }).TryGetProperty("service_tier", out JsonElement tier) ? tier.GetString() : null);

    [Fact]
    public void CacheIsMarked_UnlessTheClientMarksItself()
    {
        var marking = new AnthropicProtocol(new AnthropicTraits { MarksCache = true });
        Assert.True(RequestTexts.Write(marking, Request(Opus47)).TryGetProperty("cache_control", out _));
        Assert.False(RequestTexts.Write(marking, Request(Opus47, User(new TextPart("a") { CacheHint = true }))).TryGetProperty("cache_control", out _));
        Assert.False(Write(Request(Opus47)).TryGetProperty("cache_control", out _));
    }

    [Fact]
    public void MarkedTool_KeepsItsMark_AmongTheLastFour()
    {
        ToolDefinition marked = Tool("f") with { CacheHint = true };
        Assert.Equal("""{"name":"f","input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}}""", Write(Request(Opus47) with { Tools = [marked] }).GetProperty("tools")[0].GetRawText());
        JsonElement crowded = Write(Request(Opus47, User([.. Enumerable.Range(0, 4).Select(i => new TextPart($"t{i}") { CacheHint = true })])) with { Tools = [marked] });
        Assert.DoesNotContain("cache_control", crowded.GetProperty("tools").GetRawText(), StringComparison.Ordinal);
        Assert.Equal(4, crowded.GetProperty("messages").GetRawText().Split("cache_control").Length - 1);
    }

    [Theory]
    [InlineData(ToolChoiceMode.Any, "f,g", "f", "f,g", "any")]
    [InlineData(ToolChoiceMode.Auto, "f", "f", "f", "auto")]
    [InlineData(ToolChoiceMode.Auto, "f", "h", "f,g,h", "auto")]
    [InlineData(ToolChoiceMode.Any, "f,g", "h", "f,g", "any")]
    public void SomeOfTheTools_AreAllThatIsDeclared_UnlessTheHistoryUsesOthers(ToolChoiceMode mode, string allowed, string used, string declared, string choice)
    {
        JsonElement body = Write(Request(Opus47, User(new TextPart("go")), Assistant(Call("a", used)), User(Result("a", used))) with
        {
            Tools = [Tool("f"), Tool("g"), Tool("h")],
            ToolChoice = new ToolChoice(mode, allowed.Split(',')),
        });
        Assert.Equal(declared, string.Join(',', body.GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString())));
        Assert.Equal(choice, body.GetProperty("tool_choice").GetProperty("type").GetString());
    }

    [Fact]
    public void E43_EmptyText_IsDroppedAndItsMarkMoves()
    {
        string messages = Messages(Request(Opus47, User(new TextPart("a"), new TextPart(" \n") { CacheHint = true }), Assistant(new TextPart("")), User(new TextPart("b"))));
        Assert.Equal("""[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"text","text":"b"}]}]""", messages);
    }

    [Theory]
    [InlineData("openai", Opus45, "Continue.")]
    [InlineData("anthropic", Opus47, "Continue your last message")]
    [InlineData("anthropic", Opus45, null)]
    public void E45_TrailingAssistant(string protocol, string model, string? appended)
    {
        JsonElement messages = Json(Messages(Request(model, User(new TextPart("a")), Assistant(new TextPart("so far  "))) with { Protocol = protocol }));
        JsonElement last = messages[messages.GetArrayLength() - 1];
        string text = last.GetProperty("content")[0].GetProperty("text").GetString()!;
        if (appended is null) Assert.Equal(("assistant", "so far"), (last.GetProperty("role").GetString(), text));
        else Assert.StartsWith(appended, text, StringComparison.Ordinal);
    }

    [Fact]
    public void FirstTurnOfTheAssistant_GetsAUserTurnInFront() =>
        Assert.Equal("(continued)", Json(Messages(Request(Opus47, Assistant(new TextPart("a")), User(new TextPart("b")))))[0].GetProperty("content")[0].GetProperty("text").GetString());

    [Theory]
    [InlineData(Opus45, "0.5", "0.9", """{"temperature":0.5}""")]
    [InlineData(Opus45, "1.7", null, """{"temperature":1}""")]
    [InlineData(Opus45, null, "0.90", """{"top_p":0.90}""")]
    [InlineData(Opus47, "0.5", "0.9", "{}")]
    public void E57_Sampling_FollowsTheModel(string model, string? temperature, string? topP, string expected)
    {
        JsonElement body = Write(Request(model) with { Sampling = new Sampling { Temperature = temperature is null ? null : Json(temperature), TopP = topP is null ? null : Json(topP) } });
        Assert.Equal(expected, "{" + string.Join(',', body.EnumerateObject().Where(member => member.Name is "temperature" or "top_p").Select(member => $"\"{member.Name}\":{member.Value.GetRawText()}")) + "}");
    }

    [Fact]
    public void E71_OnlyTheLastFourCacheMarksAreKept()
    {
        Part[] parts = [.. Enumerable.Range(0, 10).Select(index => new TextPart($"p{index}") { CacheHint = true })];
        JsonElement content = Json(Messages(Request(Opus47, User(parts)) with { System = [new TextPart("s") { CacheHint = true }] }))[0].GetProperty("content");
        Assert.Equal([6, 7, 8, 9], Enumerable.Range(0, 10).Where(index => content[index].TryGetProperty("cache_control", out _)));
    }

    [Fact]
    public void CacheMark_IsSetWhereTheClientKnowsNone() =>
        Assert.True(RequestTexts.Write(new AnthropicProtocol(), Request(Opus47)).TryGetProperty("cache_control", out _));

    [Fact]
    public void E72_ParallelOff_IsAFlagInsideAuto() =>
        Assert.Equal("""{"type":"auto","disable_parallel_tool_use":true}""", Write(Request(Opus47) with { Tools = [Tool("f")], ParallelTools = false }).GetProperty("tool_choice").GetRawText());

    [Fact]
    public void E75_CallsInTheHistoryWithoutTools_AreDeclared()
    {
        JsonElement body = Write(Request(Opus47, User(new TextPart("a")), Assistant(Call("a", "f")), User(Result("a", "f"))));
        Assert.Equal("""[{"name":"f","input_schema":{"type":"object","properties":{}}}]""", body.GetProperty("tools").GetRawText());
        Assert.Equal("none", body.GetProperty("tool_choice").GetProperty("type").GetString());
    }

    [Fact]
    public void ChoiceOfSome_ShortensTheList()
    {
        ChatRequest request = Request(Opus47) with { Tools = [Tool("f"), Tool("g"), Tool("h")], ToolChoice = new ToolChoice(ToolChoiceMode.Any, ["f", "h"]) };
        JsonElement body = Write(request);
        Assert.Equal(["f", "h"], body.GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString()));
        Assert.Equal("any", body.GetProperty("tool_choice").GetProperty("type").GetString());
        Assert.Equal("""{"type":"tool","name":"g"}""", Write(request with { ToolChoice = new ToolChoice(ToolChoiceMode.Any, ["g"]) }).GetProperty("tool_choice").GetRawText());
    }

    [Fact]
    public void ForeignTools_AreDroppedBesideFunctionsOnly()
    {
        var search = new ToolDefinition(ToolKind.Foreign, "web_search") { Path = "tools[1]", Raw = Json("""{"type":"web_search"}""") };
        Assert.Single(Write(Request(Opus47) with { Tools = [Tool("f"), search] }).GetProperty("tools").EnumerateArray());
        Assert.Equal("tools[1]", Refused(Protocol, Request(Opus47) with { Tools = [search] }).Param);
        var searching = new AnthropicProtocol(new AnthropicTraits { WebSearch = true });
        Assert.Equal("web_search_20250305", RequestTexts.Write(searching, Request(Opus47) with { Tools = [search] }).GetProperty("tools")[0].GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","pattern":"x","const":"y"}},"$schema":"s","x-vendor":1}""", """{"type":"object","properties":{"a":{"type":"string","pattern":"x","const":"y"}}}""")]
    [InlineData("""{"properties":{"pattern":{"type":"string"},"$id":{"type":"string"},"type":{"type":"string"},"required":{"type":"array","items":{}},"properties":{"type":"object"},"default":{"const":1}}}""",
        """{"type":"object","properties":{"pattern":{"type":"string"},"$id":{"type":"string"},"type":{"type":"string"},"required":{"type":"array","items":{}},"properties":{"type":"object"},"default":{"const":1}}}""")]
    [InlineData("""{"$defs":{"T":{"$id":"x","type":"string"}},"properties":{"a":{"$ref":"#/$defs/T"}}}""", """{"type":"object","$defs":{"T":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/T"}}}""")]
    [InlineData("{}", """{"type":"object","properties":{}}""")]
    [InlineData("true", """{"type":"object","properties":{}}""")]
    public void E19_Schemas_KeepWhatIsData(string schema, string expected) => Assert.Equal(expected, Schema(Tool("f", schema)));

    [Fact]
    public void E20_RootComposition_MovesIntoTheDescription()
    {
        string schema = Schema(Tool("f", """{"description":"D","anyOf":[{"properties":{"a":{"type":"string"}},"required":["a","c"]},{"properties":{"b":{"type":"string"},"c":{}},"required":["b","c"]}],"properties":{"z":{}},"required":["z"]}"""));
        JsonElement root = Json(schema);
        Assert.Equal(["z", "a", "b", "c"], root.GetProperty("properties").EnumerateObject().Select(property => property.Name));
        Assert.Equal("""["c","z"]""", root.GetProperty("required").GetRawText());
        Assert.False(root.TryGetProperty("anyOf", out _));
        Assert.StartsWith("D (anyOf: ", root.GetProperty("description").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"allOf":[{"$ref":"#/$defs/A"},{"properties":{"b":{}},"required":["b","gone"]}],"$defs":{"A":{"properties":{"a":{}},"required":["a"]}},"required":["z"],"properties":{"z":{}}}""", "z,a,b", "a,b,z")]
    [InlineData("""{"anyOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}],"$defs":{"A":{"properties":{"k":{},"a":{}},"required":["k","a"]},"B":{"properties":{"k":{},"b":{}},"required":["k"]}}}""", "k,a,b", "k")]
    [InlineData("""{"oneOf":[{"$ref":"other.json"},{"$ref":"#/$defs/gone"},{"$ref":5},true,{"properties":{"a":{}},"required":["a"]}],"anyOf":5}""", "a", "")]
    public void E20_RootComposition_BecomesOneObject(string schema, string properties, string required)
    {
        JsonElement root = Json(Schema(Tool("f", schema)));
        Assert.Equal(properties, string.Join(',', root.GetProperty("properties").EnumerateObject().Select(property => property.Name)));
        Assert.Equal(required, root.TryGetProperty("required", out JsonElement names) ? string.Join(',', names.EnumerateArray().Select(name => name.GetString())) : "");
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":true,"b":{"properties":{"c":{"type":"string","format":"date","x-y":1}}},"d":{"type":"string","format":5},"m":{"type":"array","items":[{"minimum":1}],"prefixItems":[{"type":"object"}]}}}""",
        """{"type":"object","properties":{"a":{},"b":{"properties":{"c":{"type":"string","format":"date"}},"additionalProperties":false},"d":{"type":"string","description":"(format: 5)"},"m":{"type":"array","items":[{"description":"(minimum: 1)"}],"prefixItems":[{"type":"object","additionalProperties":false}]}},"additionalProperties":false}""")]
    public void StrictTool_IsClosedEverywhere(string schema, string expected)
    {
        JsonElement tools = Write(Request(Opus47) with { Tools = [Tool("f", schema) with { Strict = true }, Tool("g") with { Strict = false }, Tool("h")] }).GetProperty("tools");
        Assert.Equal(expected, tools[0].GetProperty("input_schema").GetRawText());
        Assert.Equal([true, false, null], tools.EnumerateArray().Select(tool => tool.TryGetProperty("strict", out JsonElement strict) ? strict.GetBoolean() : (bool?)null));
    }

    [Fact]
    public void StructuredOutput_IsClosedAndToldInWords()
    {
        ChatRequest request = Request(Opus47) with { Output = new OutputFormat(Json("""{"type":"object","properties":{"n":{"type":"integer","minimum":1,"format":"int32"},"e":{"oneOf":[{"type":"string"},{"type":"null"}]}},"required":["n"]}""")) };
        Assert.Equal(
            """{"format":{"type":"json_schema","schema":{"type":"object","properties":{"n":{"type":"integer","description":"(minimum: 1; format: int32)"},"e":{"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["n"],"additionalProperties":false}}}""",
            Write(request).GetProperty("output_config").GetRawText());
        Assert.Contains("JSON object", Write(Request(Opus47) with { Output = new OutputFormat(null) }).GetProperty("system")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("image/jpg", "/9j/4AAQSkZJRgABAQAA", "image/jpeg")]
    [InlineData("image/jpeg", "iVBORw0KGgoAAAANSUhEUg==", "image/png")]
    public void Images_HaveTheTypeThatTheyAre(string declared, string data, string written) =>
        Assert.Equal(written, Json(Messages(Request(Opus47, User(new MediaPart(MediaKind.Image, new Base64Source(declared, data))))))[0].GetProperty("content")[0].GetProperty("source").GetProperty("media_type").GetString());

    [Fact]
    public void Media_OfEveryOtherKind()
    {
        JsonElement content = Json(Messages(Request(Opus47, User(new TextPart("go")), Assistant(Call("r", "f")), User(
            new MediaPart(MediaKind.Image, new UrlSource("https://x/y")),
            new MediaPart(MediaKind.Document, new Base64Source("application/pdf", "JVBERi0xLjQKJeLjz9MK")) { Title = "T" },
            new MediaPart(MediaKind.Document, new Base64Source("text/plain", "aGVsbG8=")),
            new MediaPart(MediaKind.Document, new TextSource("words")),
            new MediaPart(MediaKind.Document, new PartsSource([new TextPart("x")])),
            Result("r", "f", new TextPart("t"), new MediaPart(MediaKind.Image, new UrlSource("https://x/y")))), Assistant(new MediaPart(MediaKind.Image, new UrlSource("https://x/y"))), User(new TextPart("b")))))[2].GetProperty("content");
        Assert.Equal(["tool_result", "image", "document", "document", "document", "document"], content.EnumerateArray().Select(block => block.GetProperty("type").GetString()));
        Assert.Equal("""{"type":"document","source":{"type":"text","media_type":"text/plain","data":"hello"}}""", content[3].GetRawText());
        Assert.Equal("T", content[2].GetProperty("title").GetString());
        Assert.Equal("image", content[0].GetProperty("content")[1].GetProperty("type").GetString());
    }

    [Theory]
    [InlineData(MediaKind.Audio, "audio/wav")]
    [InlineData(MediaKind.Video, "video/mp4")]
    [InlineData(MediaKind.Image, "image/heic")]
    [InlineData(MediaKind.Document, "application/msword")]
    public void Media_ThatCannotBeSaid_IsRefused(MediaKind kind, string type) =>
        Assert.Equal((ErrorKind.Unsupported, "p"), (Refused(Protocol, Request(Opus47, User(new MediaPart(kind, new Base64Source(type, "AAAA")) { Path = "p" }))).Kind, "p"));

    [Fact]
    public void Untranslatable_IsRefusedByItsPath()
    {
        ProxyError error = Refused(Protocol, Request(Opus47) with { Untranslatable = [("previous_response_id", Json("\"r\""))] });
        Assert.Equal((ErrorKind.Unsupported, "previous_response_id"), (error.Kind, error.Param));
        Assert.Contains("`previous_response_id` is not supported", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rest_IsWritten()
    {
        JsonElement body = Write(Request(Opus47) with { Stop = ["a", " "], EndUserId = "u", Stream = true, ServiceTier = "flex", System = [new TextPart("one"), new TextPart("two")] });
        Assert.Equal("""["a"]""", body.GetProperty("stop_sequences").GetRawText());
        Assert.Equal("""{"user_id":"u"}""", body.GetProperty("metadata").GetRawText());
        Assert.True(body.GetProperty("stream").GetBoolean());
        Assert.False(body.TryGetProperty("service_tier", out _));
        Assert.Equal(2, body.GetProperty("system").GetArrayLength());
    }

    private static string Schema(ToolDefinition tool) => Write(Request(Opus47) with { Tools = [tool] }).GetProperty("tools")[0].GetProperty("input_schema").GetRawText();
}
