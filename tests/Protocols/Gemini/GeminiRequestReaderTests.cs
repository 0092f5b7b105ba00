using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Gemini;

public sealed class GeminiRequestReaderTests
{
    private static readonly GeminiProtocol Protocol = new();

    private const string Hi = "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]";

    private static ChatRequest Read(string members) =>
        Protocol.ReadRequest(JsonDocument.Parse("{" + members + "}").RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate, "m", true), Model = "m", Stream = true });

    private static IReadOnlyList<Part> ReadParts(string parts, string role = "model") => Read("\"contents\":[{\"role\":\"" + role + "\",\"parts\":[" + parts + "]}]").Turns[0].Parts;

    [Theory]
    [InlineData("""{"generationConfig":{"temperature":0.70,"topP":"0.9","topK":40,"maxOutputTokens":"100","stopSequences":["a"],"seed":7,"presencePenalty":1,"frequencyPenalty":2,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":-1}}}""")]
    [InlineData("""{"generation_config":{"temperature":0.70,"top_p":0.9,"top_k":40,"max_output_tokens":100,"stop_sequences":["a"],"seed":7,"presence_penalty":1,"frequency_penalty":2,"thinking_config":{"include_thoughts":true,"thinking_budget":-1}}}""")]
    public void Config_BothSpellings(string config)
    {
        ChatRequest request = Read(Hi + "," + config[1..^1]);
        Assert.Equal(("0.70", "0.9", "40", "7"), (request.Sampling.Temperature?.GetRawText(), request.Sampling.TopP?.GetRawText(), request.Sampling.TopK?.GetRawText(), request.Sampling.Seed?.GetRawText()));
        Assert.Equal(100, request.MaxTokens);
        Assert.Equal(["a"], request.Stop);
        Assert.Equal(new ReasoningRequest { Budget = -1, Adaptive = true, Visible = true }, request.Reasoning);
    }

    [Theory]
    [InlineData("\"systemInstruction\":{\"role\":\"user\",\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]}", "a|b")]
    [InlineData("\"system_instruction\":{\"parts\":{\"text\":\"a\"}}", "a")]
    [InlineData("\"systemInstruction\":\"a\"", "a")]
    public void System_AllForms(string member, string expected) => Assert.Equal(expected, string.Join('|', Read(Hi + "," + member).System.Select(part => part.Text.ToString())));

    [Theory]
    [InlineData("\"contents\":{\"parts\":[{\"text\":\"a\"}]}", TurnRole.User)]
    [InlineData("\"contents\":[{\"role\":\"function\",\"parts\":[{\"text\":\"a\"}]}]", TurnRole.User)]
    [InlineData("\"contents\":[{\"role\":\"model\",\"parts\":[{\"text\":\"a\"}]},{\"role\":\"user\",\"parts\":[]}]", TurnRole.Assistant)]
    [InlineData("\"generateContentRequest\":{\"model\":\"models/x\",\"contents\":[{\"parts\":[{\"text\":\"a\"}]}]}", TurnRole.User)]
    public void Contents_AllForms(string members, TurnRole role) => Assert.Equal(role, Assert.Single(Read(members).Turns).Role);

    [Theory]
    [InlineData("""{"text":"a "},{"text":"\n\n"},{"text":"\"b\ud83c"},{"text":"\udf26"}""", "a \n\n\"b\U0001F326")]
    [InlineData("""{"text":"a"},{"text":"b","thoughtSignature":"QUJD"},{"text":"c"},{"text":"d"}""", "a|b|cd")]
    [InlineData("""{"text":"a"},{"functionCall":{"name":"f"}},{"text":"c"},{"text":"d"}""", "a||cd")]
    public void PiecesOfTheModelsText_AreOneText(string parts, string expected)
    {
        Assert.Equal(expected, string.Join('|', ReadParts(parts).Select(part => part is TextPart text ? text.Text.ToString() : "")));
        IReadOnlyList<Part> apart = Read($"\"contents\":[{{\"parts\":[{{\"text\":\"hi\"}},{{\"text\":\"there\"}}]}},{{\"role\":\"model\",\"parts\":[{parts.Replace("},{\"text", "}]},{\"role\":\"model\",\"parts\":[{\"text", StringComparison.Ordinal)}]}}]").Turns[1].Parts;
        Assert.Equal(expected, string.Join('|', apart.Select(part => part is TextPart text ? text.Text.ToString() : "")));
        Assert.Equal(2, Read("""
            "contents":[{"parts":[{"text":"hi"},{"text":"there"}]}]
            """).Turns[0].Parts.Count);
    }

    [Theory]
    [InlineData("\"contents\":[\"a\",{\"role\":\"model\",\"parts\":[{\"text\":\"b\"}]},\"c\"]", "User a, Assistant b, User c")]
    [InlineData("\"contents\":[{\"role\":\"model\",\"parts\":[{\"text\":\"a\"}]},\"b\",{\"role\":\"model\",\"parts\":[{\"text\":\"c\"}]}]", "Assistant a, User b, Assistant c")]
    [InlineData("\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]},{\"role\":\"system\",\"parts\":[{\"text\":\"b\"}]}]", "User a, System b")]
    public void Contents_MayBeTextsAndInstructions(string members, string expected) =>
        Assert.Equal(expected, string.Join(", ", Read(members).Turns.Select(turn => $"{turn.Role} {((TextPart)turn.Parts[0]).Text}")));

    [Theory]
    [InlineData("\"contents\":[]")]
    [InlineData("\"contents\":[{\"role\":\"user\",\"parts\":[]}]")]
    public void EmptyContents_AreRefused(string members) => Assert.Equal("contents", Assert.Throws<ProtocolException>(() => Read(members)).Error.Param);

    [Theory]
    [InlineData("\"cachedContent\":\"\"", null)]
    [InlineData("\"cachedContent\":\"cachedContents/x\"", "cachedContent")]
    [InlineData("\"continuationToken\":\"x\"", "continuationToken")]
    [InlineData("\"generationConfig\":{\"candidateCount\":1,\"responseModalities\":[\"text\",\"MODALITY_UNSPECIFIED\"],\"responseLogprobs\":false}", null)]
    [InlineData("\"generationConfig\":{\"candidateCount\":2}", "generationConfig.candidateCount")]
    [InlineData("\"generationConfig\":{\"responseModalities\":[\"TEXT\",\"AUDIO\"]}", "generationConfig.responseModalities")]
    [InlineData("\"generationConfig\":{\"responseLogprobs\":true}", "generationConfig.responseLogprobs")]
    [InlineData("\"systemInstruction\":{\"parts\":[{\"text\":\"a\"},{}]}", null)]
    [InlineData("\"systemInstruction\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QUJD\"}}]}", "systemInstruction.parts[0]")]
    public void MeaningWithoutAWord_IsUntranslatable(string member, string? path) =>
        Assert.Equal(path, Read(Hi + "," + member).Untranslatable is [var (found, _)] ? found : null);

    [Theory]
    [InlineData("unspecified", null)]
    [InlineData("FLEX", "flex")]
    public void ServiceTier_IsAWordInLowerCase(string tier, string? expected) => Assert.Equal(expected, Read($"{Hi},\"serviceTier\":\"{tier}\"").ServiceTier);

    [Theory]
    [InlineData("""{"executableCode":{"code":"1"},"videoMetadata":{"fps":1}}""", "executableCode")]
    [InlineData("""{"partMetadata":{"x":1},"toolCall":{"id":"1"},"videoMetadata":{"fps":1}}""", "toolCall")]
    public void UnknownPart_IsOfTheMemberThatItHolds_AndOnlyTheModelsPasses(string part, string type)
    {
        Assert.Equal(type, Assert.IsType<ForeignPart>(Assert.Single(ReadParts(part))).Type);
        ChatRequest said = Read("\"contents\":[{\"role\":\"user\",\"parts\":[" + part + "]}]"), answered = Read("\"contents\":[{\"role\":\"model\",\"parts\":[" + part + "]}]");
        Assert.Equal(("contents[0].parts[0]", 0), (Assert.Single(said.Untranslatable).Path, answered.Untranslatable.Count));
    }

    [Fact]
    public void Media_AllKinds()
    {
        var media = ReadParts("""
            {"inlineData":{"mimeType":"image/jpg","data":"QUJD"}},{"inline_data":{"mime_type":"application/pdf","data":"-_8"}},{"inlineData":{"mimeType":"audio/wav","data":"QUJD"}},
            {"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x","mimeType":"video/mp4"}},{"fileData":{"fileUri":"https://host/x.png","mimeType":"image/png"}},
            {"fileData":{"fileUri":"gs://b/x"}},{"fileData":{"fileUri":"https://www.youtube.com/watch?v=1"}},{"fileData":{"fileUri":"https://youtu.be/1"}}
            """, "user").Cast<MediaPart>().ToList();
        Assert.Equal([MediaKind.Image, MediaKind.Document, MediaKind.Audio, MediaKind.Video, MediaKind.Image, MediaKind.Document, MediaKind.Document, MediaKind.Document], media.Select(part => part.Kind));
        Assert.Equal(("image/jpeg", "+/8="), (((Base64Source)media[0].Source).MediaType, ((Base64Source)media[1].Source).Data.ToString()));
        Assert.Equal([false, true, false, false, false], media.Skip(3).Select(part => part.Source is UrlSource));
    }

    [Fact]
    public void Calls_MayLackIdAndArgs_AndKeepTheirSignature()
    {
        var calls = ReadParts("""{"functionCall":{"name":"f"},"thoughtSignature":"c2ln"},{"function_call":{"id":"x","name":"g","args":{"n":9007199254740993}}}""").Cast<ToolCallPart>().ToList();
        Assert.Equal((null, "{}", new Seal(SealKind.Thought, "", "c2ln")), (calls[0].Id, Encoding.UTF8.GetString(calls[0].Arguments.Span), calls[0].Seal));
        Assert.Equal(("x", "{\"n\":9007199254740993}"), (calls[1].Id, Encoding.UTF8.GetString(calls[1].Arguments.Span)));
    }

    [Theory]
    [InlineData("""{"output":"a"}""", "a", false)]
    [InlineData("""{"result":"a"}""", "a", false)]
    [InlineData("""{"content":"a"}""", "a", false)]
    [InlineData("""{"name":"f","content":"a"}""", "a", false)]
    [InlineData("""{"error":"a"}""", "a", true)]
    [InlineData("""{"output":"a","more":1}""", """{"output":"a","more":1}""", false)]
    [InlineData("""{"output":{"x":1}}""", """{"output":{"x":1}}""", false)]
    [InlineData("""{"name":"f","output":"a"}""", """{"name":"f","output":"a"}""", false)]
    [InlineData("""{"name":"f","error":"a"}""", "a", true)]
    [InlineData("\"a\"", "a", false)]
    [InlineData("[1]", "[1]", false)]
    [InlineData("""{}""", "{}", false)]
    public void Responses_AreUnwrapped(string response, string text, bool isError)
    {
        var result = (ToolResultPart)ReadParts("{\"functionResponse\":{\"name\":\"f\",\"response\":" + response + "}}", "user")[0];
        Assert.Equal((text, isError, "f", null), (((TextPart)result.Content[0]).Text.ToString(), result.IsError, result.Name, result.CallId));
    }

    [Fact]
    public void ResponseParts_AreItsMedia()
    {
        var result = (ToolResultPart)ReadParts("""{"functionResponse":{"id":"i","name":"f","response":{"output":"a"},"parts":[{"inlineData":{"mimeType":"image/png","data":"QUJD"}}]}}""", "user")[0];
        Assert.IsType<MediaPart>(result.Content[1]);
    }

    [Fact]
    public void WrappedProof_BecomesAThinkingPartBeforeItsCall()
    {
        string envelope = SealEnvelope.Wrap(new Seal(SealKind.Thinking, "", "sig"), "full text");
        IReadOnlyList<Part> parts = ReadParts($$$"""{"text":"full ","thought":true},{"text":"text","thought":true},{"functionCall":{"name":"f"},"thoughtSignature":"{{{envelope}}}"}""");
        Assert.Equal(2, parts.Count);
        Assert.Equal(("full text", new Seal(SealKind.Thinking, "anthropic", "sig")), (((ThinkingPart)parts[0]).Text.ToString(), ((ThinkingPart)parts[0]).Seal));
        Assert.Null(((ToolCallPart)parts[1]).Seal);
    }

    [Theory]
    [InlineData(SealKind.Thinking, "sum up")]
    [InlineData(SealKind.Encrypted, "")]
    public void WrappedProofBehindText_StandsWhereItsThoughtsStood(SealKind kind, string text)
    {
        string envelope = SealEnvelope.Wrap(new Seal(kind, "up", "proof"), text);
        IReadOnlyList<Part> parts = ReadParts($$$"""
            {"text":"sum ","thought":true},{"text":"up","thought":true},{"text":"I look."},{"functionCall":{"name":"f"},"thoughtSignature":"{{{envelope}}}"}
            """);
        Assert.Equal(("sum up", "proof"), (((ThinkingPart)parts[0]).Text.ToString(), ((ThinkingPart)parts[0]).Seal!.Value));
        Assert.Equal("I look.", ((TextPart)parts[1]).Text.ToString());
        Assert.Null(((ToolCallPart)parts[2]).Seal);
        Assert.Equal(3, parts.Count);
    }

    [Fact]
    public void WrappedProofOfASecondStep_LeavesTheThoughtsOfTheFirst()
    {
        string envelope = SealEnvelope.Wrap(new Seal(SealKind.Encrypted, "up", "proof"));
        IReadOnlyList<Part> parts = ReadParts($$$"""
            {"text":"first","thought":true},{"functionCall":{"name":"f"}},{"text":"I look."},{"functionCall":{"name":"g"},"thoughtSignature":"{{{envelope}}}"}
            """);
        Assert.Equal([typeof(ThinkingPart), typeof(ToolCallPart), typeof(ThinkingPart), typeof(TextPart), typeof(ToolCallPart)], parts.Select(part => part.GetType()));
        Assert.Equal((null, "proof"), (((ThinkingPart)parts[0]).Seal, ((ThinkingPart)parts[2]).Seal!.Value));
    }

    [Fact]
    public void ModelContentsInARow_AreOneTurn()
    {
        string envelope = SealEnvelope.Wrap(new Seal(SealKind.Encrypted, "up", "proof"));
        IReadOnlyList<Turn> turns = Read($$$"""
            "contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[]},{"role":"model","parts":[{"text":"sum","thought":true}]},{"role":"model","parts":[{"text":"I look."}]},
            {"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"{{{envelope}}}"}]},{"role":"user","parts":[{"text":"b"}]},{"role":"user","parts":[{"text":"c"}]},{"role":"model","parts":[{"text":"d"}]}]
            """).Turns;
        Assert.Equal([TurnRole.User, TurnRole.Assistant, TurnRole.User, TurnRole.User, TurnRole.Assistant], turns.Select(turn => turn.Role));
        Assert.Equal([typeof(ThinkingPart), typeof(TextPart), typeof(ToolCallPart)], turns[1].Parts.Select(part => part.GetType()));
        Assert.Equal("proof", ((ThinkingPart)turns[1].Parts[0]).Seal!.Value);
    }

    [Fact]
    public void WrappedProofOnAnEmptyText_LeavesOnlyTheThinking()
    {
        string envelope = SealEnvelope.Wrap(new Seal(SealKind.Encrypted, "up", "enc"));
        IReadOnlyList<Part> parts = ReadParts($$"""{"text":"sum","thought":true},{"text":"","thoughtSignature":"{{envelope}}"}""");
        var thinking = (ThinkingPart)Assert.Single(parts);
        Assert.Equal(("sum", "enc"), (thinking.Text.ToString(), thinking.Seal!.Value));
    }

    [Fact]
    public void Tools_BothDialectsAndForeign()
    {
        IReadOnlyList<ToolDefinition> tools = Read(Hi + """
            ,"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT"}},{"name":"g","parametersJsonSchema":{"type":"object"}},{"name":"h"}]},{"googleSearch":{}}]
            """).Tools;
        Assert.Equal(["f", "g", "h", "googleSearch"], tools.Select(tool => tool.Name));
        Assert.Equal("""{"type":"object"}""", tools[0].Schema!.Value.GetRawText());
        Assert.Equal(ToolKind.Foreign, tools[3].Kind);
        Assert.Null(tools[2].Schema);
    }

    [Theory]
    [InlineData("{\"mode\":\"any\",\"allowedFunctionNames\":[\"f\"]}", ToolChoiceMode.Any, "f")]
    [InlineData("{\"mode\":\"VALIDATED\"}", ToolChoiceMode.Validated, "")]
    [InlineData("{\"mode\":\"None\"}", ToolChoiceMode.None, "")]
    public void ToolChoice_AnyCase(string calling, ToolChoiceMode mode, string names)
    {
        ToolChoice choice = Read(Hi + ",\"toolConfig\":{\"functionCallingConfig\":" + calling + "}").ToolChoice!;
        Assert.Equal((mode, names), (choice.Mode, string.Join(',', choice.Names)));
    }

    [Theory]
    [InlineData("{\"thinkingLevel\":\"high\"}", ReasoningEffort.High, null)]
    [InlineData("{\"thinkingLevel\":\"MINIMAL\"}", ReasoningEffort.Minimal, null)]
    [InlineData("{\"thinkingLevel\":\"LOW\"}", ReasoningEffort.Low, null)]
    [InlineData("{\"thinkingLevel\":\"MEDIUM\"}", ReasoningEffort.Medium, null)]
    [InlineData("{\"thinkingBudget\":0}", ReasoningEffort.None, 0L)]
    [InlineData("{\"thinkingBudget\":1024}", null, 1024L)]
    public void Thinking_AllForms(string config, ReasoningEffort? effort, long? budget)
    {
        ReasoningRequest reasoning = Read(Hi + ",\"generationConfig\":{\"thinkingConfig\":" + config + "}").Reasoning!;
        Assert.Equal((effort, budget), (reasoning.Effort, reasoning.Budget));
    }

    [Theory]
    [InlineData("{\"responseMimeType\":\"application/json\"}", null)]
    [InlineData("{\"responseMimeType\":\"application/json\",\"responseJsonSchema\":{\"type\":\"OBJECT\"}}", "{\"type\":\"object\"}")]
    [InlineData("{\"response_mime_type\":\"application/json\",\"response_schema\":{\"type\":\"OBJECT\"}}", "{\"type\":\"object\"}")]
    public void OutputFormat_AllForms(string config, string? schema)
    {
        OutputFormat output = Read(Hi + ",\"generationConfig\":" + config).Output!;
        Assert.Equal(schema, output.Schema?.GetRawText());
    }

    [Theory]
    [InlineData("\"cachedContent\":\"cachedContents/x\"", "cachedContent")]
    [InlineData("\"continuationToken\":\"x\"", "continuationToken")]
    [InlineData("\"generationConfig\":{\"candidateCount\":2}", "generationConfig.candidateCount")]
    [InlineData("\"generationConfig\":{\"responseModalities\":[\"TEXT\",\"image\"]}", "generationConfig.responseModalities")]
    [InlineData("\"generationConfig\":{\"responseMimeType\":\"text/x.enum\"}", "generationConfig.responseMimeType")]
    [InlineData("\"generationConfig\":{\"responseLogprobs\":true}", "generationConfig.responseLogprobs")]
    [InlineData("\"tools\":[{\"mcpServers\":[{}]}]", "tools[0].mcpServers")]
    [InlineData("\"systemInstruction\":{\"parts\":[{\"inlineData\":{}}]}", "systemInstruction.parts[0]")]
    public void WhatChangesTheMeaning_IsUntranslatable(string members, string path) => Assert.Equal([path], Read(Hi + "," + members).Untranslatable.Select(item => item.Path));

    [Theory]
    [InlineData("\"x\":1", "contents")]
    [InlineData("\"contents\":[{\"role\":\"bot\",\"parts\":[]}]", "contents[0].role")]
    [InlineData("\"contents\":[{\"parts\":[{\"text\":1}]}]", "contents[0].parts[0].text")]
    [InlineData("\"contents\":[{\"parts\":[{\"functionCall\":{\"args\":{}}}]}]", "contents[0].parts[0].functionCall.name")]
    [InlineData(Hi + ",\"generationConfig\":{\"temperature\":\"warm\"}", "generationConfig.temperature")]
    [InlineData(Hi + ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"MAYBE\"}}", "toolConfig.functionCallingConfig.mode")]
    public void WrongTypes_ThrowWithTheirPath(string members, string path) => Assert.Equal(path, Assert.Throws<ProtocolException>(() => Read(members)).Error.Param);

    [Theory]
    [InlineData("/v1beta/models/gemini-x:generateContent", "gemini-x", Operation.Generate, false)]
    [InlineData("/v1/models/gemini-x:streamGenerateContent", "gemini-x", Operation.Generate, true)]
    [InlineData("/v1beta/models/vendor/name:v2:countTokens", "vendor/name:v2", Operation.CountTokens, false)]
    [InlineData("/v1beta/models/gemini-x/countTokens", "gemini-x", Operation.CountTokens, false)]
    [InlineData("/v1beta/models/models/gemini-x:generateContent", "gemini-x", Operation.Generate, false)]
    [InlineData("/v1beta/tunedModels/t1:generateContent", "tunedModels/t1", Operation.Generate, false)]
    [InlineData("/tunedModels/t1:generateContent", "tunedModels/t1", Operation.Generate, false)]
    public void Match_SplitsPaths(string path, string model, Operation operation, bool streams) => Assert.Equal(new RequestTarget(operation, model, streams), Protocol.Match(path));

    [Theory]
    [InlineData("/v1beta/models/gemini-x:embedContent")]
    [InlineData("/v1beta/models/gemini-x")]
    [InlineData("/v1beta/models/:generateContent")]
    [InlineData("/v1beta/models")]
    [InlineData("/v1/messages")]
    [InlineData("/v1beta/files/x:generateContent")]
    public void Match_OtherPaths_AreNotItsOwn(string path) => Assert.Null(Protocol.Match(path));

    [Theory]
    [InlineData("?alt=sse", true, false)]
    [InlineData("key=k&%24alt=sse", true, false)]
    [InlineData("alt=json", true, true)]
    [InlineData("", true, true)]
    [InlineData("", false, false)]
    public void Head_FramingFollowsTheQuery(string query, bool streams, bool array)
    {
        RequestHead head = Protocol.ReadHead(new RequestTarget(Operation.Generate, "m", streams), query, "{}"u8);
        Assert.Equal((streams, array), (head.Stream, head.JsonArray));
    }

    [Fact]
    public void Head_FindsRepeatedModelNames()
    {
        byte[] body = "{\"model\":\"models/a\",\"contents\":[{\"model\":\"no\"}],\"generateContentRequest\": {\"x\":1,\"model\":\"models/b\"}}"u8.ToArray();
        RequestHead head = Protocol.ReadHead(new RequestTarget(Operation.CountTokens, "a", false), "", body);
        Assert.Equal(["\"models/a\"", "\"models/b\""], head.ModelTokens.Select(range => Encoding.UTF8.GetString(body[range])));
        byte[] turned = "{\"generateContentRequest\":{\"model\":\"models/b\"},\"model\":\"models/a\"}"u8.ToArray();
        head = Protocol.ReadHead(new RequestTarget(Operation.CountTokens, "a", false), "", turned);
        Assert.Equal(["\"models/b\"", "\"models/a\""], head.ModelTokens.Select(range => Encoding.UTF8.GetString(turned[range])));
        byte[] snake = "{\"generate_content_request\":{\"model\":\"models/b\"}}"u8.ToArray();
        Assert.Equal("\"models/b\"", Encoding.UTF8.GetString(snake[Assert.Single(Protocol.ReadHead(new RequestTarget(Operation.CountTokens, "a", false), "", snake).ModelTokens)]));
        Assert.Empty(Protocol.ReadHead(new RequestTarget(Operation.Generate, "a", false), "", snake).ModelTokens);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1]")]
    public void Head_BrokenBodies_Throw(string body) =>
        Assert.Throws<ProtocolException>(() => Protocol.ReadHead(new RequestTarget(Operation.Generate, "m", true), "", Encoding.UTF8.GetBytes(body)));

    // Google's generated clients (google-generativeai and LangChain over REST) send the numbers of enumerations.
    [Fact]
    public void NumbersOfEnumerations_AreTheirNames()
    {
        ChatRequest request = Read(Hi + """
            ,"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":6,"properties":{"a":{"type":1,"nullable":true},"l":{"type":5,"items":{"type":3}},"any":{"type":0},
              "u":{"nullable":true,"anyOf":[{"type":1},{"type":2}]}}}}]}],
            "toolConfig":{"functionCallingConfig":{"mode":2,"allowedFunctionNames":["f"]}},"generationConfig":{"responseModalities":[1]},"safetySettings":[{"category":7,"threshold":4}]
            """);
        Assert.Equal("""{"type":"object","properties":{"a":{"type":["string","null"]},"l":{"type":"array","items":{"type":"integer"}},"any":{},"u":{"anyOf":[{"type":"string"},{"type":"number"},{"type":"null"}]}}}""",
            request.Tools[0].Schema!.Value.GetRawText());
        Assert.Equal((ToolChoiceMode.Any, "f"), (request.ToolChoice!.Mode, request.ToolChoice.Names[0]));
        Assert.Equal(new ReasoningRequest { Visible = true }, Read(Hi + ",\"generationConfig\":{\"thinkingConfig\":{\"thinkingLevel\":2,\"includeThoughts\":true}}").Reasoning);
        Assert.Empty(request.Untranslatable);
        Assert.Single(Read(Hi + ""","generationConfig":{"responseModalities":[1,2]}""".Replace("\\", "", StringComparison.Ordinal)).Untranslatable);
        Assert.Throws<ProtocolException>(() => Read(Hi + ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":9}}"));
        Assert.Null(Read(Hi + ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":0}}").ToolChoice);
    }
}
