using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Tests.Protocols.OpenAIResponses;

public sealed class OpenAIResponsesRequestReaderTests
{
    private static readonly OpenAIResponsesProtocol s_protocol = new();

    private static ChatRequest Read(string body) => s_protocol.ReadRequest(JsonDocument.Parse(body).RootElement,
        new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = false });

    private static ChatRequest Input(string input) => Read($$"""{"model":"m","input":{{input}}}""");

    private static string Describe(ChatRequest request) => string.Join(" / ", request.Turns.Select(static turn => $"{turn.Role}[{string.Join(", ", turn.Parts.Select(Describe))}]"));

    private static string Describe(Part part) => part switch
    {
        TextPart text => text.Text.ToString(),
        ThinkingPart thinking => $"thinking {thinking.Text} {thinking.Seal?.Value}",
        RefusalPart refusal => $"refusal {refusal.Text}",
        ToolCallPart call => $"call {call.Id} {ToolNames.Flat(call.Namespace, call.Name)} {Encoding.UTF8.GetString(call.Arguments.Span)}{(call.IsCustom ? " custom" : "")}",
        ToolResultPart result => $"result {result.CallId} {string.Join("+", result.Content.Select(Describe))}{(result.IsCustom ? " custom" : "")}",
        MediaPart { Source: Base64Source source } media => $"{media.Kind} {source.MediaType} {source.Data}",
        MediaPart { Source: UrlSource source } media => $"{media.Kind} {source.Url}",
        MediaPart media => $"{media.Kind} file",
        ForeignPart foreign => $"foreign {foreign.Type}",
        _ => "?",
    };

    [Fact]
    public void StringInput_IsOneUserTurn() => Assert.Equal("User[hi]", Describe(Input("\"hi\"")));

    [Fact]
    public void ItemsOfOneSide_AreOneTurn() =>
        Assert.Equal("User[q] / Assistant[thinking a\n\nb enc, say, call c1 f {\"x\":1}, call c2 ns__g {}, call c3 p \"raw\\n\" custom] / User[result c1 o1, result c2 o2+Image image/png AA, result c3 o3 custom, next] / Assistant[foreign item_reference]",
            Describe(Input("""
                [{"role":"user","content":"q"},
                 {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"enc"},
                 {"type":"message","role":"assistant","id":"msg_1","content":[{"type":"output_text","text":"say","annotations":[]}],"phase":"commentary"},
                 {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"x\":1}"},{"type":"function_call","call_id":"c2","namespace":"ns","name":"g","arguments":""},
                 {"type":"custom_tool_call","call_id":"c3","name":"p","input":"raw\n"},
                 {"type":"function_call_output","call_id":"c1","output":"o1"},{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"o2"},{"type":"input_image","image_url":"data:image/png;base64,AA"}]},
                 {"type":"custom_tool_call_output","call_id":"c3","output":"o3"},{"type":"message","role":"user","content":[{"type":"input_text","text":"next"}]},
                 {"type":"item_reference","id":"z"}]
                """)));

    [Fact]
    public void UserMessagesInARow_StayApart() => Assert.Equal("User[a] / User[b] / Assistant[c] / System[d] / Assistant[e]",
        Describe(Input("""[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"},{"role":"developer","content":"d"},{"role":"assistant","content":"e"}]""")));

    [Fact]
    public void Instructions_ComeBeforeLeadingDeveloperMessages() =>
        Assert.Equal(["i", "d", "s"], Read("""{"instructions":"i","input":[{"role":"developer","content":"d"},{"role":"system","content":[{"type":"input_text","text":"s"}]},{"role":"user","content":"q"}]}""").System.Select(static part => part.Text.ToString()));

    [Fact]
    public void E36_ItemReference_IsKept()
    {
        ChatRequest request = Input("""[{"type":null,"id":"rs_9"},{"type":"item_reference","id":"rs_8"},{"role":"user","content":"q"}]""");
        Assert.Equal("Assistant[foreign item_reference, foreign item_reference] / User[q]", Describe(request));
        Assert.Empty(request.Untranslatable);
    }

    [Fact]
    public void UnknownItems_AreForeignOnTheirSide() =>
        Assert.Equal("Assistant[foreign web_search_call, foreign local_shell_call] / User[foreign local_shell_call_output] / Assistant[foreign compaction]",
            Describe(Input("""[{"type":"web_search_call","id":"w"},{"type":"local_shell_call","id":"l"},{"type":"local_shell_call_output","id":"l"},{"type":"compaction","encrypted_content":"x"}]""")));

    [Theory]
    [InlineData("""[{"type":"custom_tool_call","call_id":"c","namespace":"ns","name":"p","input":"x"}]""", "Assistant[call c ns__p \"x\" custom]")]
    [InlineData("""[{"role":"user","content":["plain",{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]}]""", "User[plain, Audio audio/wav AA]")]
    [InlineData("""[{"role":"user","content":[{"type":"input_image","image_url":{"url":"https://h/x.png"}}]}]""", "User[Image https://h/x.png]")]
    [InlineData("""[{"type":"function_call_output","call_id":"c","output":{"a": 1}}]""", "User[result c {\"a\": 1}]")]
    [InlineData("""[{"role":"user","content":"q"},{"type":"function_call_output","call_id":"c","output":"r"},{"role":"user","content":"and"}]""", "User[q] / User[result c r, and]")]
    [InlineData("""[{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"raw"}]}]""", "Assistant[thinking raw ]")]
    [InlineData("""[{"type":"reasoning","summary":[{"type":"summary_text","text":"sum"}],"content":[{"type":"reasoning_text","text":"raw"}]}]""", "Assistant[thinking sum ]")]
    [InlineData("""[{"type":"mcp_approval_response","approve":true}]""", "User[foreign mcp_approval_response]")]
    public void Item_AllForms(string input, string expected) => Assert.Equal(expected, Describe(Input(input)));

    [Fact]
    public void UnknownPart_IsUntranslatable() =>
        Assert.Equal("input[0].content[0]", Assert.Single(Input("""[{"role":"user","content":[{"type":"hologram"}]}]""").Untranslatable).Path);

    [Fact]
    public void ReasoningWithoutASummary_IsItsProof() =>
        Assert.Equal("Assistant[thinking  enc]", Describe(Input("""[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"enc"}]""")));

    [Fact]
    public void Files_AreRead() => Assert.Equal("User[Document application/pdf AA, Document https://h/a.pdf, Document file, Image file]",
        Describe(Input("""[{"role":"user","content":[{"type":"input_file","file_data":"data:application/pdf;base64,AA"},{"type":"input_file","file_url":"https://h/a.pdf"},{"type":"input_file","file_id":"f"},{"type":"input_image","file_id":"i"}]}]""")));

    [Fact]
    public void NamespaceTools_AreFlattened()
    {
        ChatRequest request = Read("""
            {"input":"x","tools":[{"type":"namespace","name":"ns","description":"d","tools":[{"type":"function","name":"a","parameters":{}},{"type":"custom","name":"b"}]},
             {"type":"custom","name":"apply_patch","format":{"type":"grammar","syntax":"lark","definition":"x"}},{"type":"web_search"},{"type":"tool_search","execution":"client"}]}
            """);
        Assert.Equal(["ns__a Function", "ns__b Custom", "apply_patch Custom", "web_search Foreign", "tool_search Foreign"], request.Tools.Select(static tool => $"{ToolNames.Flat(tool)} {tool.Kind}"));
    }

    [Fact]
    public void AdditionalTools_AreToolsAndNoTurn()
    {
        ChatRequest request = Read("""
            {"tools":[{"type":"function","name":"t","description":"old"}],"input":[
             {"type":"additional_tools","id":"at_1","role":"developer","tools":[{"type":"namespace","name":"functions","tools":[{"type":"custom","name":"exec"},{"type":"function","name":"wait","description":"old"}]}]},
             {"type":"message","role":"developer","content":"d"},{"type":"message","role":"user","content":"q"},
             {"type":"additional_tools","role":"developer","tools":[{"type":"namespace","name":"functions","tools":[{"type":"function","name":"wait","description":"new"}]},{"type":"function","name":"t","description":"new"}]},
             {"type":"additional_tools","role":"developer"}]}
            """);
        Assert.Equal(["t Function new", "functions__exec Custom ", "functions__wait Function new"], request.Tools.Select(static tool => $"{ToolNames.Flat(tool)} {tool.Kind} {tool.Description}"));
        Assert.Equal("User[q]", Describe(request));
        Assert.Equal("d", Assert.Single(request.System).Text.ToString());
    }

    [Fact]
    public void Parameters_AreRead()
    {
        ChatRequest request = Read("""
            {"input":"x","max_output_tokens":16,"temperature":0.10,"top_p":0.9,"parallel_tool_calls":true,"reasoning":{"effort":"minimal","summary":"auto","mode":"pro"},"text":{"verbosity":"low","format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":false}},
             "store":true,"include":["reasoning.encrypted_content"],"prompt_cache_key":"k","user":"u","service_tier":"priority","truncation":"auto","metadata":{},"stream_options":{"include_obfuscation":false},"background":false,"previous_response_id":null,"context_management":[{"type":"compaction"}],"client_metadata":{}}
            """);
        Assert.Equal((16, "0.10", true, "k", "u", "priority"), (request.MaxTokens, request.Sampling.Temperature!.Value.GetRawText(), request.ParallelTools, request.CacheKey, request.EndUserId, request.ServiceTier));
        Assert.Equal((ReasoningEffort.Minimal, true), (request.Reasoning!.Effort, request.Reasoning.Visible));
        Assert.Equal(("n", false), (request.Output!.Name, request.Output.Strict));
        Assert.Empty(request.Untranslatable);
        Assert.True(request.IncludeUsage);
        Assert.False(Input("\"x\"").Reasoning!.Visible);
    }

    [Theory]
    [InlineData("\"previous_response_id\":\"r\"", "previous_response_id")]
    [InlineData("\"conversation\":{\"id\":\"c\"}", "conversation")]
    [InlineData("\"prompt\":{\"id\":\"p\"}", "prompt")]
    [InlineData("\"background\":true", "background")]
    [InlineData("\"top_logprobs\":3", "top_logprobs")]
    [InlineData("\"include\":[\"message.output_text.logprobs\"]", "include[0]")]
    [InlineData("\"prompt_cache_options\":{\"prewarm\":true}", "prompt_cache_options.prewarm")]
    public void MeaningWithoutAWord_IsUntranslatable(string member, string path) => Assert.Equal(path, Assert.Single(Read($$"""{"input":"x",{{member}}}""").Untranslatable).Path);

    [Theory]
    [InlineData("{}", "input")]
    [InlineData("""{"input":5}""", "input")]
    [InlineData("""{"input":[5]}""", "input[0]")]
    [InlineData("""{"input":[{}]}""", "input[0].type")]
    [InlineData("""{"input":[{"role":"user","content":5}]}""", "input[0].content")]
    [InlineData("""{"input":[{"type":"function_call","call_id":"c"}]}""", "input[0].name")]
    [InlineData("""{"input":[{"type":"custom_tool_call","call_id":"c","name":"p"}]}""", "input[0].input")]
    [InlineData("""{"input":"x","reasoning":{"effort":"huge"}}""", "reasoning.effort")]
    [InlineData("""{"input":"x","text":{"format":{"type":"xml"}}}""", "text.format.type")]
    [InlineData("""{"input":"x","tools":[{"type":"namespace","name":"n"}]}""", "tools[0].tools")]
    public void WrongType_NamesItsPath(string body, string path) => Assert.Equal(path, Assert.Throws<ProtocolException>(() => Read(body)).Error.Param);

    [Theory]
    [InlineData("/v1/responses", Operation.Generate)]
    [InlineData("/v1/responses/input_tokens", Operation.CountTokens)]
    [InlineData("/v1/responses/compact", Operation.Compact)]
    [InlineData("/v1/responses/resp_1", Operation.Retrieve)]
    public void Match_KnowsItsPaths(string path, Operation operation) => Assert.Equal(operation, s_protocol.Match(path)?.Operation);

    [Theory]
    [InlineData("/v1/responses/")]
    [InlineData("/v1/responses/a/b")]
    [InlineData("/v1/responsesx")]
    public void Match_LeavesOthers(string path) => Assert.Null(s_protocol.Match(path));
}
