using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Upstreams;

namespace Aiproxy.Tests.Protocols;

/// <summary>Streams folded into the whole answer of the same protocol.</summary>
public sealed class AnswerFoldTests
{
    private static string Fold(string protocol, params string[] frames)
    {
        IAnswerFold fold = TestExchange.Protocols[protocol].CreateFold();
        foreach (string frame in frames) fold.Take(new Frame { Data = Encoding.UTF8.GetBytes(frame) });
        var output = new ArrayBufferWriter<byte>();
        fold.Write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static void Same(string expected, string found) => Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(), JsonNode.Parse(found)!.ToJsonString());

    [Fact]
    public void Anthropic_BlocksOfEveryKind_AsTheProviderWouldSendThemWhole()
    {
        string found = Fold("anthropic",
            """{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"container":null,"new":1,"usage":{"input_tokens":5,"cache_read_input_tokens":7,"output_tokens":1,"service_tier":"standard"}}}""",
            """{"type":"ping"}""",
            """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a \"b\"","estimated_tokens":3}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}""",
            """{"type":"content_block_stop","index":0}""",
            """{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"query\": \"o"}}""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"slo\"}"}}""",
            """{"type":"content_block_stop","index":1}""",
            """{"type":"content_block_start","index":2,"content_block":{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"index":0,"url":"u"},{"index":0,"url":"v"}]}}""",
            """{"type":"content_block_stop","index":2}""",
            """{"type":"content_block_start","index":3,"content_block":{"type":"text","text":"H","citations":[]}}""",
            """{"type":"content_block_delta","index":3,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"x"}}}""",
            """{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"i 😀"}}""",
            """{"type":"content_block_stop","index":3}""",
            """{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{},"caller":{"type":"direct"}}}""",
            """{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}}""",
            """{"type":"content_block_stop","index":4}""",
            """{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":{"id":"c"}},"usage":{"input_tokens":null,"output_tokens":58},"context_management":{"applied_edits":[]}}""",
            """{"type":"message_stop"}""");
        Same("""
            {"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"a \"b\"","signature":"c2ln"},
            {"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"oslo"}},
            {"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"index":0,"url":"u"},{"index":0,"url":"v"}]},
            {"type":"text","text":"Hi 😀","citations":[{"type":"char_location","cited_text":"x"}]},
            {"type":"tool_use","id":"toolu_1","name":"f","input":{},"caller":{"type":"direct"}}],
            "stop_reason":"tool_use","stop_sequence":null,"container":{"id":"c"},"new":1,
            "usage":{"input_tokens":5,"cache_read_input_tokens":7,"output_tokens":58,"service_tier":"standard"},"context_management":{"applied_edits":[]}}
            """, found);
    }

    [Theory]
    [InlineData("max_tokens", false)]
    [InlineData("model_context_window_exceeded", false)]
    [InlineData("tool_use", true)]
    public void Anthropic_CallWithBrokenArguments_IsLeftOutWhereALimitCutIt(string reason, bool fails)
    {
        string[] frames =
        [
            """{"type":"message_start","message":{"id":"msg_1","content":[],"usage":{"input_tokens":5}}}""",
            """{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}""",
            $$$"""{"type":"message_delta","delta":{"stop_reason":"{{{reason}}}"},"usage":{"output_tokens":5}}""",
        ];
        if (fails) Assert.Equal(ErrorKind.ServerError, Assert.Throws<ProtocolException>(() => Fold("anthropic", frames)).Error.Kind);
        else Same($$$"""{"id":"msg_1","content":[],"usage":{"input_tokens":5,"output_tokens":5},"stop_reason":"{{{reason}}}"}""", Fold("anthropic", frames));
    }

    [Fact]
    public void Anthropic_BlocksThatNobodyStartedOrStopped_AreThere() => Same(
        """{"content":[{"type":"text","text":"ab"},{"type":"thinking","thinking":"c"}],"stop_reason":null,"usage":null}""",
        Fold("anthropic",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"c"}}"""));

    [Fact]
    public void Chat_AllChoicesLogprobsAndUnknownMembers() => Same(
        """
        {"id":"c1","object":"chat.completion","created":5,"model":"m","system_fingerprint":"fp","choices":[
        {"index":0,"message":{"role":"assistant","content":"Hello","refusal":null,"reasoning_content":"hm hm","annotations":[{"n":1},{"n":2}]},
        "logprobs":{"content":[{"token":"Hel","bytes":[1]},{"token":"lo","bytes":[2]}],"refusal":null},"finish_reason":"stop"},
        {"index":1,"message":{"role":"assistant","content":"Other"},"logprobs":null,"finish_reason":"length"}],
        "usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}
        """,
        Fold("openai",
            """{"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null,"reasoning_content":"hm"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"xx"}""",
            """{"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","system_fingerprint":"fp","choices":[{"index":0,"delta":{"content":"Hel","reasoning_content":" hm","annotations":[{"n":1}]},"logprobs":{"content":[{"token":"Hel","bytes":[1]}],"refusal":null},"finish_reason":null}]}""",
            """{"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[{"index":1,"delta":{"role":"assistant","content":"Other"},"finish_reason":"length"}]}""",
            """{"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"lo","annotations":[{"n":2}]},"logprobs":{"content":[{"token":"lo","bytes":[2]}],"refusal":null},"finish_reason":"stop"}]}""",
            """{"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}""",
            "[DONE]"));

    [Fact]
    public void Chat_CallsOfServersThatCountAllZero_StayApart_WithTheirSignatures() => Same(
        """
        {"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[
        {"id":"call_a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"},"extra_content":{"google":{"thought_signature":"c2ln"}}},
        {"id":"call_b","type":"function","function":{"name":"f","arguments":"{\"x\":2}"}},
        {"id":"call_c","type":"custom","custom":{"name":"g","input":"free"}}]},"logprobs":null,"finish_reason":"tool_calls"}]}
        """,
        Fold("openai",
            """{"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"f","arguments":""},"extra_content":{"google":{"thought_signature":"c2ln"}}}]}}]}""",
            """{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]}}]}""",
            """{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}]}""",
            """{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_b","type":"function","function":{"name":"f","arguments":"{\"x\":2}"}}]}}]}""",
            """{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"id":"call_c","type":"custom","custom":{"name":"g","input":"free"}}]},"finish_reason":"tool_calls"}]}""",
            """{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""));

    [Fact]
    public void Chat_OldFunctionCall_AndContentInParts()
    {
        Same("""{"choices":[{"index":0,"message":{"content":"","role":"assistant","function_call":{"name":"f","arguments":"{}"}},"logprobs":null,"finish_reason":"function_call"}]}""",
            Fold("openai", """{"choices":[{"delta":{"content":"","function_call":{"name":"f","arguments":"{"}}}]}""", """{"choices":[{"delta":{"function_call":{"arguments":"}"}},"finish_reason":"function_call"}]}"""));
        Same("""{"choices":[{"index":0,"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"a"}],"role":"assistant"},"logprobs":null,"finish_reason":"stop"}]}""",
            Fold("openai", """{"choices":[{"delta":{"content":""}}]}""", """{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]}]}}]}""", """{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"""));
    }

    [Fact]
    public void Responses_TerminalObjectPassesAsItCame_EmptyOutputIsMadeOfTheItems()
    {
        const string First = """{"id":"rs_1","type":"reasoning","summary":[]}""", Second = """{"id":"msg_1","type":"message","new":[1,  2]}""";
        string[] items =
        [
            """{"type":"response.created","response":{"id":"r","output":[]}}""",
            $$"""{"type":"response.output_item.done","output_index":1,"item":{{Second}}}""",
            $$"""{"type":"response.output_item.done","output_index":0,"item":{{First}}}""",
        ];
        const string Full = """{"id":"r","output":[{"id":"x"}],"usage":{"a":1}, "tail":null}""";
        Assert.Equal(Full, Fold("responses", [.. items, """{"type":"response.completed","response":""" + Full + "}"]));
        Assert.Equal($$"""{"id":"r", "output":[{{First}},{{Second}}],"usage":null}""",
            Fold("responses", [.. items, """{"type":"response.incomplete","response":{"id":"r", "output":[],"usage":null}}"""]));
        Assert.Equal($$"""{"output":[{{First}},{{Second}}],"id":"r"}""", Fold("responses", [.. items, """{"type":"response.completed","response":{"id":"r"}}"""]));
        Assert.Equal($$"""{"output":[{{First}},{{Second}}]}""", Fold("responses", [.. items, """{"type":"response.completed","response":{ }}"""]).Replace(" }", "}"));
        Assert.Equal("""{"id":"r","output":[]}""", Fold("responses", """{"type":"response.completed","response":{"id":"r","output":[]}}"""));
        // Several items under one index.
        Assert.Equal($$"""{"id":"r","output":[{{Second}},{{First}}]}""", Fold("responses",
            $$"""{"type":"response.output_item.done","output_index":0,"item":{{Second}}}""", $$"""{"type":"response.output_item.done","output_index":0,"item":{{First}}}""",
            $$"""{"type":"response.output_item.done","output_index":0,"item":{{First}}}""", """{"type":"response.completed","response":{"id":"r","output":[]}}"""));
    }

    [Fact]
    public void Chat_WhatEachChunkTellsAgain_IsThereOnce() => Same(
        """
        {"choices":[{"index":0,"message":{"role":"assistant","content":"ab"},"content_filter_results":{"hate":{"filtered":false,"severity":"low"},"self_harm":{"severity":"safe"}},
        "native_finish_reason":"stop","list":["b"],"logprobs":null,"finish_reason":"stop"}]}
        """,
        Fold("openai",
            """{"choices":[{"delta":{"role":"assistant","content":"a"},"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"native_finish_reason":null,"list":["a"]}]}""",
            """{"choices":[{"delta":{"content":"b"},"content_filter_results":{"hate":{"filtered":false,"severity":"low"},"self_harm":{"severity":"safe"}},"native_finish_reason":"stop","list":["b"]}]}""",
            """{"choices":[{"delta":{},"content_filter_results":{},"native_finish_reason":"stop","finish_reason":"stop"}]}"""));

    [Fact]
    public void Responses_SourcesToldAsEventsAlone_AreWithTheirText()
    {
        const string Item = """{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]},{"type":"output_text","text":"b"},{"type":"output_text","text":"c","annotations":[{"n":9}]}]}""";
        const string Cited = """{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[{"n":1},{"n":2}]},{"annotations":[{"n":3}],"type":"output_text","text":"b"},{"type":"output_text","text":"c","annotations":[{"n":9}]}]}""";
        static string Told(string id, int content, int n) => $$$"""{"type":"response.output_text.annotation.added","item_id":"{{{id}}}","output_index":1,"content_index":{{{content}}},"annotation_index":0,"annotation":{"n":{{{n}}}} }""";
        string[] events =
        [
            """{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}""",
            Told("msg_1", 0, 1), Told("msg_1", 0, 2), Told("other", 1, 3), Told("msg_1", 2, 4),
            $$"""{"type":"response.output_item.done","output_index":1,"item":{{Item}}}""",
        ];
        string whole = $$"""{"id":"r","output":[{"id":"rs_1","type":"reasoning","summary":[]},{{Cited}}]}""";
        Assert.Equal(whole, Fold("responses", [.. events, """{"type":"response.completed","response":{"id":"r","output":[]}}"""]));
        Assert.Equal(whole, Fold("responses", [.. events, $$"""{"type":"response.completed","response":{"id":"r","output":[{"id":"rs_1","type":"reasoning","summary":[]},{{Item}}]} }"""]));
    }

    [Fact]
    public void Gemini_TextsGrowTogether_SignedPartsKeepTheirPlace() => Same(
        """
        {"candidates":[{"content":{"role":"model","parts":[{"text":"think more","thought":true},{"text":"Hello there"},{"text":"","thoughtSignature":"c2ln"},{"text":"x"},
        {"functionCall":{"id":"1","name":"f","args":{"n":9007199254740993}},"thoughtSignature":"c2ln"},{"inlineData":{"mimeType":"image/png","data":"AA=="}}]},
        "index":0,"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["q"]}},{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":1}],
        "usageMetadata":{"promptTokenCount":3,"totalTokenCount":9},"modelVersion":"m","responseId":"r"}
        """,
        Fold("gemini",
            """{"candidates":[{"content":{"role":"model","parts":[{"text":"think","thought":true}]},"index":0}],"usageMetadata":{"promptTokenCount":3},"modelVersion":"m","responseId":"r"}""",
            """{"candidates":[{"content":{"role":"model","parts":[{"text":" more","thought":true},{"text":"Hello"}]},"index":0}]}""",
            """{"candidates":[{"content":{"role":"model","parts":[{"text":" there"},{"text":"","thoughtSignature":"c2ln"},{"text":"x"}]},"finishReason":null,"index":0}]}""",
            """{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"id":"1","name":"f","args":{"n":9007199254740993}},"thoughtSignature":"c2ln"},{"inlineData":{"mimeType":"image/png","data":"AA=="}}]},"index":0}]}""",
            """{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0,"groundingMetadata":{"webSearchQueries":["q"]}}]}""",
            """{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP","index":1}],"usageMetadata":{"promptTokenCount":3,"totalTokenCount":9}}"""));

    [Fact]
    public void Gemini_SegmentsOfAllTheText_BecomeThoseOfTheirPart_EmptyListsTakeNothingBack() => Same(
        """
        {"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"Grüße","thoughtSignature":"c2ln"},{"text":"Oslo"}]},"index":0,
        "groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[
        {"segment":{"endIndex":7,"text":"Grüße","partIndex":1,"startIndex":0},"groundingChunkIndices":[0]},
        {"segment":{"startIndex":1,"endIndex":4,"partIndex":2},"groundingChunkIndices":[0]},{"segment":{"startIndex":90,"endIndex":99},"groundingChunkIndices":[0]},5]},"finishReason":"STOP"}]}
        """,
        Fold("gemini",
            """{"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"Grüße","thoughtSignature":"c2ln"}]},"index":0,"groundingMetadata":{"groundingChunks":[],"groundingSupports":[]}}]}""",
            """{"candidates":[{"content":{"parts":[{"text":"Oslo"}]},"index":0,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"endIndex":7,"text":"Grüße"},"groundingChunkIndices":[0]},{"segment":{"startIndex":8,"endIndex":11},"groundingChunkIndices":[0]},{"segment":{"startIndex":90,"endIndex":99},"groundingChunkIndices":[0]},5]}}]}""",
            """{"candidates":[{"finishReason":"STOP","index":0,"groundingMetadata":{"groundingChunks":[],"groundingSupports":null}}]}"""));

    [Fact]
    public void Gemini_SegmentsThatNameTheirPart_StayAsTheyAre() => Same(
        """
        {"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"Oslo"}]},"index":0,
        "groundingMetadata":{"groundingSupports":[{"segment":{"partIndex":1,"endIndex":4}},{"segment":{"endIndex":4,"partIndex":1,"startIndex":0}}]},"finishReason":"STOP"}]}
        """,
        Fold("gemini",
            """{"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true}]},"index":0}]}""",
            """[{"candidates":[{"content":{"parts":[{"text":"Oslo"}]},"index":0,"groundingMetadata":{"groundingSupports":[{"segment":{"partIndex":1,"endIndex":4}},{"segment":{"endIndex":4}}]}},5],"usageMetadata":null}]""",
            """{"candidates":[{"finishReason":"STOP","content":null}]}""", "[DONE]"));

    [Fact]
    public void Chat_UnknownListsGrowByTheirIndex_TextThatGoesOnAsPartsIsOne()
    {
        Same("""{"choices":[{"index":0,"message":{"role":"assistant","images":[{"index":0,"type":"x","url":"data"},{"index":1,"url":"b"}],"content":null},"logprobs":null,"finish_reason":"stop"}]}""",
            Fold("openai", """{"choices":[{"delta":{"role":"assistant","images":[{"index":0,"type":"x","url":"da"}]}}]}""", """{"choices":[{"delta":{"images":[{"index":0,"type":"x","url":"ta"},{"index":1,"url":"b"}]}},5]}""", "7"));
        Same("""{"choices":[{"index":0,"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"role":"assistant"},"logprobs":null,"finish_reason":"stop"}]}""",
            Fold("openai", """{"choices":[{"delta":{"content":"a"}}]}""", """{"choices":[{"delta":{"content":[{"type":"text","text":"b"}]}}]}"""));
    }

    [Fact]
    public void Chat_WhatNamesIsRepeated_WhatTellsGrows() => Same(
        """{"choices":[{"index":0,"message":{"role":"assistant","audio":{"id":"audio_1","name":"n","format":"wav","data":"AABB","transcript":"ab"},"content":null},"logprobs":null,"finish_reason":"stop"}]}""",
        Fold("openai",
            """{"choices":[{"delta":{"role":"assistant","audio":{"id":"audio_1","name":"n","format":"wav","data":"AA","transcript":"a"}}}]}""",
            """{"choices":[{"delta":{"role":"assistant","audio":{"id":"audio_1","name":"n","format":"wav","data":"BB","transcript":"b"}},"finish_reason":"stop"}]}"""));

    [Fact]
    public void Chat_NullTakesNothingBack() => Same(
        """{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"ab","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"total_tokens":5}}""",
        Fold("openai",
            """{"id":"c","choices":[{"delta":{"role":"assistant","content":"a","refusal":null}}],"usage":{"total_tokens":5}}""",
            """{"id":"c","choices":[{"delta":{"role":null,"content":null}}],"usage":null}""",
            """{"id":"c","choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}""",
            """{"id":"c","choices":[{"delta":{"content":null},"finish_reason":null}]}"""));

    [Fact]
    public void Chat_SourcesToldTwice_AreThereOnce_DetailsAreThoseTheServerWantsBack() => Same(
        """
        {"choices":[{"index":0,"message":{"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"ab","index":0,"signature":"s"},
        {"type":"reasoning.encrypted","data":"x","index":0}],"thinking_blocks":[{"type":"thinking","thinking":"ab","signature":"s"}],
        "content":"T","annotations":[{"type":"url_citation","url_citation":{"url":"u"}},{"type":"url_citation","url_citation":{"url":"v"}}]},"logprobs":null,"finish_reason":"stop"}]}
        """,
        Fold("openai",
            """{"choices":[{"delta":{"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"a","index":0}],"thinking_blocks":[{"type":"thinking","thinking":"a"}]}}]}""",
            """{"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.text","text":"b","index":0,"signature":"s"}],"thinking_blocks":[{"type":"thinking","thinking":"b","signature":"s"}]}}]}""",
            """{"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.encrypted","data":"x","index":0}],"content":"T","annotations":[{"type":"url_citation","url_citation":{"url":"u"}}]}}]}""",
            """{"choices":[{"delta":{"annotations":[{"type":"url_citation","url_citation":{"url":"u"}},{"type":"url_citation","url_citation":{"url":"v"}}]},"finish_reason":"stop"}]}"""));

    [Fact]
    public void Anthropic_SourcesOfTheStart_StayInFrontOfThoseOfDeltas() => Same(
        """{"content":[{"type":"text","text":"a","citations":[{"n":1},{"n":2}]}],"stop_reason":null,"usage":null}""",
        Fold("anthropic",
            """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a","citations":[{"n":1}]}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"n":2}}}"""));

    [Fact]
    public void Gemini_BlockedPrompt_HasNoCandidates() => Same(
        """{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3},"modelVersion":"m"}""",
        Fold("gemini", """{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3},"modelVersion":"m"}"""));

    /// <summary>What the protocol's own reader makes of a stream and of its fold is one answer.</summary>
    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void Fixture_ReadWhole_IsWhatTheStreamTold(string protocol)
    {
        AssertSame(protocol, Delivery.Events(protocol + ".sse"));
    }

    public static TheoryData<string, string> Sources()
    {
        var found = new TheoryData<string, string>();
        foreach (string file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "fixtures", "conversations"), "*.sse.golden").Order(StringComparer.Ordinal))
        {
            string[] words = Path.GetFileName(file).Split('.');
            // A whole Chat message does not tell that its text came behind a call.
            if (words is ["citations-late", "openai", ..]) continue;
            if (words[0].StartsWith("citations-") || words[0].StartsWith("web-search") || words[0].StartsWith("reasoning-")) found.Add(words[0], words[1]);
        }
        return found;
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void SourcesAndDetailsOfTheCorpus_ReadWhole_AreWhatTheStreamTold(string name, string protocol) =>
        AssertSame(protocol, [File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "fixtures", "conversations", $"{name}.{protocol}.sse.golden"))]);

    private static void AssertSame(string protocol, IEnumerable<string> events)
    {
        string[] frames = [.. events.SelectMany(text => text.Split('\n')).Where(line => line.StartsWith("data:")).Select(line => line[5..].Trim())];
        var streamed = new Shape();
        IResponseReader reader = ((IUpstreamProtocol)TestExchange.Protocols[protocol]).CreateReader(streamed);
        foreach (string frame in frames) reader.Read(new Frame { Data = Encoding.UTF8.GetBytes(frame) });
        reader.Complete();
        var whole = new Shape();
        ((IUpstreamProtocol)TestExchange.Protocols[protocol]).CreateReader(whole).ReadWhole(Encoding.UTF8.GetBytes(Fold(protocol, frames)));
        Assert.Equal(streamed.Text, whole.Text);
        Assert.Contains("Finish", whole.Text);
    }

    private sealed class Shape : IResponseSink
    {
        private readonly Dictionary<int, string> _blocks = [];
        private readonly List<string> _order = [], _sources = [];
        private TokenUsage _usage;

        public string Text => string.Join("\n", _blocks.OrderBy(block => block.Key).Select(block => block.Value).Concat(_sources.Order()).Concat(_order).Append(_usage.ToString()));

        public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model) => _order.Add($"Start {Encoding.UTF8.GetString(id)} {Encoding.UTF8.GetString(model)}");

        public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default) =>
            _blocks[block] = $"{kind} {Encoding.UTF8.GetString(toolId)} {Encoding.UTF8.GetString(toolName)} ";

        public void BlockDelta(int block, ReadOnlySpan<byte> jsonString) => _blocks[block] += IsArguments(block) ? RawJson.Decode(jsonString).Replace(" ", "") : RawJson.Decode(jsonString);

        public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString) => _blocks[block] += $"[{kind}{RawJson.Decode(jsonString)}]";

        public void BlockCite(int block, Citation citation) => _sources.Add($"{block} {citation.Url} {citation.Title} {citation.Start} {citation.End}");

        public void BlockEnd(int block) { }

        public void Usage(in TokenUsage total) => _usage = total.Over(_usage);

        public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default) => _order.Add("Finish " + reason);

        public void Fail(ProxyError error) => _order.Add("Fail " + error.Message);

        private bool IsArguments(int block) => _blocks[block].StartsWith("ToolCall");
    }
}
