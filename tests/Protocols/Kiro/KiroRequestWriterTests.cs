using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.Protocols.Edges;
using static Aiproxy.Tests.Protocols.RequestTexts;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>The conversation rules by their numbers, the system prompt, limits. Each request that is written is checked by <see cref="KiroRules"/> as well.</summary>
public sealed class KiroRequestWriterTests
{
    private const string Png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ";

    private static JsonElement Write(params Turn[] turns) => KiroWire.Write(Request(KiroWire.Model, turns));

    private static TextPart Text(string text) => new(text);

    private static MediaPart Image(string data = Png) => new(MediaKind.Image, new Base64Source("image/png", data)) { Path = "image" };

    private static string[] Roles(JsonElement body) =>
        [.. body.At("conversationState").GetProperty("history").EnumerateArray().Select(message => message.EnumerateObject().First().Name == "userInputMessage" ? "user" : "assistant")];

    private static string Current(JsonElement body) => body.Text("conversationState.currentMessage.userInputMessage.content");

    private static string[] Contents(JsonElement body) =>
        [.. body.At("conversationState").GetProperty("history").EnumerateArray().Select(message => message.EnumerateObject().First().Value.Text("content"))];

    [Fact]
    public void OneQuestion_IsTheCurrentMessage()
    {
        JsonElement body = Write(User(Text("hi")));
        Assert.Equal("hi", Current(body));
        Assert.False(body.At("conversationState").Has("history"));
        Assert.Equal("MANUAL", body.Text("conversationState.chatTriggerType"));
        Assert.Equal("vibe", body.Text("conversationState.agentTaskType"));
        Assert.Equal("AI_EDITOR", body.Text("conversationState.currentMessage.userInputMessage.origin"));
        Assert.False(body.Has("inferenceConfig"));
    }

    [Fact]
    public void Rule1_NeighboursOfOneRole_AreMerged()
    {
        JsonElement body = Write(User(Text("a")), User(Text("b")), Assistant(Text("c")), Assistant(Text("d")), User(Text("e")));
        Assert.Equal(["user", "assistant"], Roles(body));
        Assert.Equal(["a\n\nb", "c\n\nd"], Contents(body));
    }

    [Fact]
    public void Rule1_HistoryThatBeginsWithTheAssistant_GetsAUser()
    {
        JsonElement body = Write(Assistant(Text("hello")), User(Text("hi")));
        Assert.Equal(["Continue", "hello"], Contents(body));
    }

    [Fact]
    public void Rule1_AssistantBehindTheSystemPrompt_GetsAUser()
    {
        JsonElement body = KiroWire.Write(Request(KiroWire.Model, Assistant(Text("hello")), User(Text("hi"))) with { System = [new TextPart("Be brief.")] });
        Assert.Equal(["Be brief.", "Understood.", "Continue", "hello"], Contents(body));
    }

    [Theory]
    [InlineData("openai", "Continue")]
    [InlineData("anthropic", "Continue your last message exactly behind its last word. Do not repeat any of it.")]
    public void Rule2_TrailingAssistant_GoesToTheHistory(string client, string current)
    {
        JsonElement body = KiroWire.Write(Request(KiroWire.Model, User(Text("a")), Assistant(Text("b"))) with { Protocol = client });
        Assert.Equal(["a", "b"], Contents(body));
        Assert.Equal(current, Current(body));
    }

    [Fact]
    public void Rule2_PrefillThatIsConfiguredToBeRefused_IsRefused()
    {
        ProxyError error = KiroWire.Refused(Request(KiroWire.Model, User(Text("a")), Assistant(Text("b"))) with { Protocol = "anthropic" }, new KiroTraits { RefusesPrefill = true });
        Assert.Equal("messages[1]", error.Param);
    }

    [Fact]
    public void Rule2_NoTurnAtAll_GetsOne() =>
        Assert.Equal("Begin.", Current(KiroWire.Write(new ChatRequest { Model = KiroWire.Model, Turns = [], System = [new TextPart("s")] })));

    [Fact]
    public void Rule3_NothingIsBlank()
    {
        JsonElement body = Write(User(Text("a"), Text("  ")), Assistant(Call("c1", "read")), User(Result("c1", "read", Text(" "))), Assistant(Text("ok")), User(Image()));
        Assert.Equal(["a", ".", "Tool results provided.", "ok"], Contents(body));
        Assert.Equal("See the attached image.", Current(body));
        Assert.Equal("(no output)", body.Text("conversationState.history.2.userInputMessage.userInputMessageContext.toolResults.0.content.0.text"));
    }

    [Fact]
    public void Rule4_OrphanResult_BecomesText()
    {
        JsonElement body = Write(User(Text("a")), Assistant(Text("b")), User(Result("gone", "x", Text("42"))));
        Assert.Contains("42", Current(body), StringComparison.Ordinal);
    }

    [Fact]
    public void Rule4_SecondResultOfACall_IsDropped()
    {
        JsonElement body = Write(User(Text("a")), Assistant(Call("c1", "read")), User(Result("c1", "read", Text("first"))), User(Result("c1", "read", Text("second"))));
        Assert.Equal("first", body.Text("conversationState.currentMessage.userInputMessage.userInputMessageContext.toolResults.0.content.0.text"));
        Assert.DoesNotContain("second", body.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Rule4_TwoCallsOfOneId_KeepBothResults()
    {
        JsonElement body = Write(User(Text("a")), Assistant(Call("c1", "read"), Call("c1", "read")), User(Result("c1", "read", Text("first")), Result("c1", "read", Text("second"))));
        JsonElement results = body.At("conversationState.currentMessage.userInputMessage.userInputMessageContext.toolResults");
        Assert.Equal(["first", "second"], results.EnumerateArray().Select(result => result.Text("content.0.text")));
    }

    [Fact]
    public void Rule5_UnansweredCall_GetsAnError()
    {
        JsonElement body = Write(User(Text("a")), Assistant(Call("c1", "read")), User(Text("never mind")));
        JsonElement result = body.At("conversationState.currentMessage.userInputMessage.userInputMessageContext.toolResults.0");
        Assert.Equal("error", result.Text("status"));
        Assert.Equal("never mind", Current(body));
    }

    [Fact]
    public void Rule5_CallThatEndsTheHistory_GetsAnError()
    {
        JsonElement body = Write(User(Text("a")), Assistant(Call("c1", "read")));
        Assert.Equal("error", body.Text("conversationState.currentMessage.userInputMessage.userInputMessageContext.toolResults.0.status"));
    }

    [Fact]
    public void Rule6_ToolOfTheHistory_IsDeclared()
    {
        JsonElement body = Write(User(Text("a")), Assistant(Call("c1", "read")), User(Result("c1", "read", Text("1"))));
        JsonElement tool = body.At("conversationState.currentMessage.userInputMessage.userInputMessageContext.tools.0.toolSpecification");
        Assert.Equal("read", tool.Text("name"));
        Pair.Same("""{"type":"object","properties":{}}""", tool.At("inputSchema.json"));
    }

    [Fact]
    public void Rule7_ToolsAreInTheCurrentMessageAlone()
    {
        JsonElement body = KiroWire.Write(Request(KiroWire.Model, User(Text("a")), Assistant(Text("b")), User(Text("c"))) with { Tools = [Tool("read")] });
        Assert.False(body.At("conversationState.history.0.userInputMessage").Has("userInputMessageContext"));
        Assert.Equal(1, body.At("conversationState.currentMessage.userInputMessage.userInputMessageContext.tools").GetArrayLength());
    }

    [Fact]
    public void Rule8_ImageInAResult_StandsBesideTheMessage()
    {
        JsonElement body = Write(User(Text("a")), Assistant(Call("c1", "shot")), User(Result("c1", "shot", Text("done"), Image())));
        JsonElement message = body.At("conversationState.currentMessage.userInputMessage");
        Assert.Equal("png", message.Text("images.0.format"));
        Assert.Equal(Png, message.Text("images.0.source.bytes"));
        Assert.Equal("done\n[image attached to this message]", message.Text("userInputMessageContext.toolResults.0.content.0.text"));
    }

    [Fact]
    public void Rule8_TooManyImages_GoFromTheOldestOn()
    {
        JsonElement body = Write(User([.. Enumerable.Repeat(Image(), 8)]), Assistant(Text("b")), User(Image(), Image(), Image(), Text("c")), Assistant(Text("d")), User(Image(), Image()));
        Assert.Equal(5, body.At("conversationState.history.0.userInputMessage.images").GetArrayLength());
        Assert.Equal("[image omitted]\n\n[image omitted]\n\n[image omitted]", Contents(body)[0]);
        Assert.Equal(3, body.At("conversationState.history.2.userInputMessage.images").GetArrayLength());
        Assert.Equal(2, body.At("conversationState.currentMessage.userInputMessage.images").GetArrayLength());
    }

    [Fact]
    public void Rule8_TooManyImagesNow_AreRefused() => Assert.Equal("image", KiroWire.Refused(Request(KiroWire.Model, User([.. Enumerable.Repeat(Image(), 11)]))).Param);

    [Fact]
    public void Rule8_TooLargeAnImage_IsLeftOutOfTheHistory_AndRefusedNow()
    {
        MediaPart large = Image(Png + new string('A', 14_000_000));
        Assert.Equal("[image omitted]", Contents(Write(User(large), Assistant(Text("b")), User(Text("c"))))[0]);
        ProxyError error = KiroWire.Refused(Request(KiroWire.Model, User(large)));
        Assert.Equal((ErrorKind.TooLarge, "image"), (error.Kind, error.Param));
    }

    [Theory]
    [InlineData("image/png", "iVBORw0KGgoAAAAN", "png")]
    [InlineData("image/png", "/9j/4AAQSkZJRgAB", "jpeg")]
    [InlineData("image/gif", "R0lGODlhAQABAIAA", "gif")]
    [InlineData("image/webp", "UklGRiQAAABXRUJQ", "webp")]
    public void Rule8_FormatIsWhatTheBytesShow(string declared, string data, string format)
    {
        JsonElement body = Write(User(new MediaPart(MediaKind.Image, new Base64Source(declared, data))));
        Assert.Equal(format, body.Text("conversationState.currentMessage.userInputMessage.images.0.format"));
    }

    [Fact]
    public void Rule9_ModelIsOnEveryUserMessage()
    {
        JsonElement body = KiroWire.Write(Request("claude-sonnet-4-5-20250929", User(Text("a")), Assistant(Text("b")), User(Text("c"))));
        Assert.Equal("claude-sonnet-4.5", body.Text("conversationState.history.0.userInputMessage.modelId"));
        Assert.Equal("claude-sonnet-4.5", body.Text("conversationState.currentMessage.userInputMessage.modelId"));
    }

    public static TheoryData<MediaPart> Unsayable =>
    [
        new MediaPart(MediaKind.Image, new UrlSource("https://a.example/x.png")) { Path = "here" },
        new MediaPart(MediaKind.Image, new Base64Source("image/svg+xml", "PHN2Zy8+")) { Path = "here" },
        new MediaPart(MediaKind.Document, new Base64Source("application/pdf", "JVBERi0xLjQKMSAw")) { Path = "here" },
        new MediaPart(MediaKind.Document, new UrlSource("https://a.example/x.pdf")) { Path = "here" },
        new MediaPart(MediaKind.Audio, new Base64Source("audio/wav", "UklGRgAA")) { Path = "here" },
        new MediaPart(MediaKind.Video, new Base64Source("video/mp4", "AAAA")) { Path = "here" },
    ];

    [Theory]
    [MemberData(nameof(Unsayable))]
    public void MediaWithoutAPlace_IsRefusedWithItsPath(MediaPart media)
    {
        Assert.Equal((ErrorKind.Unsupported, "here"), Said(KiroWire.Refused(Request(KiroWire.Model, User(media)))));
        Assert.Equal((ErrorKind.Unsupported, "here"), Said(KiroWire.Refused(Request(KiroWire.Model, User(Text("a")), Assistant(Call("c", "t")), User(Result("c", "t", media))))));

        static (ErrorKind, string?) Said(ProxyError error) => (error.Kind, error.Param);
    }

    [Fact]
    public void RefusedTurn_IsItsWords() => Assert.Equal(["q", "no"], Contents(Write(User(Text("q")), Assistant(new RefusalPart("no")), User(Text("why")))));

    [Theory]
    [InlineData("text/csv")]
    [InlineData("application/json")]
    [InlineData("application/xml")]
    public void DataThatIsText_IsText(string type) =>
        Assert.Equal("<document title=\"\">\n{}\n</document>", Current(Write(User(new MediaPart(MediaKind.Document, new Base64Source(type, "e30="))))));

    [Fact]
    public void TextDocuments_AreText()
    {
        var plain = new MediaPart(MediaKind.Document, new TextSource("line")) { Title = new JsonText("a \"b\"") };
        var encoded = new MediaPart(MediaKind.Document, new Base64Source("text/plain", Convert.ToBase64String("größe"u8.ToArray())));
        var parts = new MediaPart(MediaKind.Document, new PartsSource([new TextPart("one"), new TextPart("two")])) { Title = new JsonText("list") };
        Assert.Equal("<document title=\"a &quot;b&quot;\">\nline\n</document>\n\n<document title=\"\">\ngröße\n</document>\n\nlist\n\none\n\ntwo", Current(Write(User(plain, encoded, parts))));
    }

    [Fact]
    public void SystemPrompt_IsTheFirstPair_InstructionsInTheMiddleStay()
    {
        JsonElement body = KiroWire.Write(Request(KiroWire.Model, User(Text("a")), new Turn(TurnRole.System, [Text("Now in French.")]), Assistant(Text("b")), User(Text("c"))) with
        {
            System = [new TextPart("x-anthropic-billing-header: v=1\nBe brief."), new TextPart("And kind.")],
        });
        Assert.Equal(["Be brief.\n\nAnd kind.", "Understood.", "a\n\n<system-reminder>\nNow in French.\n</system-reminder>", "b"], Contents(body));
    }

    [Fact]
    public void StructuredOutput_IsAskedForInWords_Last()
    {
        ChatRequest request = Request(KiroWire.Model) with { System = [new TextPart("Be brief.")] };
        Assert.Equal("Be brief.\n\nAnswer with one JSON object only, of this schema: {\"type\":\"object\"}",
            Contents(KiroWire.Write(request with { Output = new OutputFormat(Json("""{"type":"object"}""")) }))[0]);
        Assert.Equal("Be brief.\n\nAnswer with one JSON object only.", Contents(KiroWire.Write(request with { Output = new OutputFormat(null) }))[0]);
        Assert.StartsWith("Be brief.\n\nAnswer with one JSON object only (what it is), of this schema: ", Contents(KiroWire.Write(request with { Output = new OutputFormat(Json("{}")) { Description = "what it is" } }))[0], StringComparison.Ordinal);
    }

    [Fact]
    public void TooMuchText_IsTooLong_WithItsPath()
    {
        var traits = new KiroTraits { Limits = new KiroLimits { MaxContent = 10, MaxResult = 5, MaxHistory = 3 } };
        Assert.Equal((ErrorKind.ContextTooLong, "messages[0]"), Said(Request(KiroWire.Model, User(Text("12345678901")))));
        Assert.Equal((ErrorKind.ContextTooLong, "result"), Said(Request(KiroWire.Model, User(Text("a")), Assistant(Call("c", "t")), User(Result("c", "t", Text("123456"))))));
        Assert.Equal((ErrorKind.ContextTooLong, "system"), Said(Request(KiroWire.Model) with { System = [new TextPart("12345678901")] }));
        Turn[] many = [User(Text("1")), Assistant(Text("2")), User(Text("3")), Assistant(Text("4")), User(Text("5"))];
        Assert.Equal((ErrorKind.ContextTooLong, "messages[0]"), Said(Request(KiroWire.Model, many)));

        (ErrorKind, string?) Said(ChatRequest request)
        {
            ProxyError error = KiroWire.Refused(request, traits);
            return (error.Kind, error.Param);
        }
    }

    [Fact]
    public void WhatNobodyCanSay_IsRefused()
    {
        Assert.Equal("max_tokens", KiroWire.Refused(Request(KiroWire.Model) with { MaxTokens = 0 }).Param);
        Assert.Equal("n", KiroWire.Refused(Request(KiroWire.Model) with { Untranslatable = [("n", Json("2"))] }).Param);
    }

    [Fact]
    public void OtherProtocolsParts_AreDropped_HalvesOfPairsNeverSent()
    {
        var foreign = new ForeignPart("anthropic", "server_tool_use", Json("{}"));
        JsonElement body = Write(User(Text("a")), Assistant(foreign), User(Text("b")), Assistant(new RefusalPart("no"), Image()), User(Text("c")));
        Assert.Equal(["a\n\nb", "no\n\n[image omitted]"], Contents(body));
    }

    [Fact]
    public void ConversationId_IsTheSameInEachTurn_AndAnotherElsewhere()
    {
        ChatRequest first = Request(KiroWire.Model, User(Text("a"))), later = Request(KiroWire.Model, User(Text("a")), Assistant(Text("b")), User(Text("c")));
        Assert.Equal(Id(first), Id(later));
        Assert.NotEqual(Id(first), Id(Request(KiroWire.Model, User(Text("b")))));
        Assert.NotEqual(Id(first), Id(first with { EndUserId = "u" }));
        Assert.NotEqual(Id(first), Id(first with { System = [new TextPart("s")] }));
        Assert.Equal(Id(first with { CacheKey = "k" }), Id(Request(KiroWire.Model, User(Text("other"))) with { CacheKey = "k" }));
        Assert.Matches("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", Id(first));

        static string Id(ChatRequest request) => KiroWire.Write(request).Text("conversationState.conversationId");
    }

    [Fact]
    public void Profile_IsPutIntoTheRoot()
    {
        byte[] body = Encoding.UTF8.GetBytes(Wire.Text(output => KiroWire.Protocol.WriteRequest(output, Request(KiroWire.Model))));
        JsonElement with = Json(Encoding.UTF8.GetString(KiroRequestWriter.WithProfile(body, "arn:aws:codewhisperer:us-east-1:000000000000:profile/FAKE")));
        KiroRules.Check(with);
        Assert.Equal("arn:aws:codewhisperer:us-east-1:000000000000:profile/FAKE", with.Text("profileArn"));
    }

    [Fact]
    public void InferenceConfig_OnlyWhereTheTraitsSaySo()
    {
        ChatRequest request = Request("claude-sonnet-4.5") with { MaxTokens = 100, Sampling = new Sampling { Temperature = Json("0.50"), TopP = Json("0.9") } };
        Assert.False(KiroWire.Write(request).Has("inferenceConfig"));
        Assert.Equal("""{"maxTokens":100,"temperature":0.50,"topP":0.9}""", KiroWire.Write(request, new KiroTraits { SendsInferenceConfig = true }).At("inferenceConfig").GetRawText());
        ChatRequest thinking = request with { Model = "claude-opus-4.6", Reasoning = new ReasoningRequest { Adaptive = true } };
        Assert.False(KiroWire.Write(Request(KiroWire.Model), new KiroTraits { SendsInferenceConfig = true }).Has("inferenceConfig"));
        Assert.Equal("""{"topP":0.9}""", KiroWire.Write(request with { MaxTokens = null, Sampling = request.Sampling with { Temperature = null } }, new KiroTraits { SendsInferenceConfig = true }).At("inferenceConfig").GetRawText());
        Assert.Equal("""{"maxTokens":100}""", KiroWire.Write(thinking, new KiroTraits { SendsInferenceConfig = true }).At("inferenceConfig").GetRawText());
    }
}
