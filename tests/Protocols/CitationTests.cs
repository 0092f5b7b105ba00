using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.Protocols.Edges;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols;

/// <summary>Sources as upstreams tell them, and what clients of other protocols get of them.</summary>
public sealed class CitationTests
{
    private const string Page = "https://a.invalid/";

    private static string[] Cites(SinkRecorder told) =>
        [.. told.Blocks.SelectMany(block => block.Citations.Select(one => $"{block.Text}: {one.Url} {one.Title} {one.Start}-{one.End}"))];

    private static string AnthropicSearch(string citation) => Sse.Messages("end_turn", [
        """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":[]}}""",
        $$"""{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{{citation}} } }""",
        """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Rain 😀."}}""",
        """{"type":"content_block_stop","index":0}""", .. Sse.TextBlock(1, "More.")]);

    private const string WebSearch = """{"type":"web_search_result_location","url":"https://a.invalid/","title":"A \"b\"","cited_text":"rain","encrypted_index":"ZmFrZQ=="}""";

    [Fact]
    public void Anthropic_CitesWholeBlocks_AndTheDeltaMayComeBeforeTheText()
    {
        SinkRecorder told = Record("anthropic", AnthropicSearch(WebSearch));
        Assert.Equal([$"Rain 😀.: {Page} A \"b\" -"], Cites(told));
        Same(WebSearch, RequestTexts.Json(Encoding.UTF8.GetString(told.Blocks[0].Citations[0].Raw.Span)));
        SinkRecorder whole = Wire.ReadWhole(Conversations.Speech.Of("anthropic").Upstream, $$"""{"content":[{"type":"text","text":"x","citations":[{{WebSearch}},null,3]},{"type":"text","text":"y","citations":null}],"stop_reason":"end_turn"}""");
        Assert.Equal([$"x: {Page} A \"b\" -"], Cites(whole));
    }

    [Theory]
    [InlineData("""{"type":"search_result_location","source":"https://a.invalid/","title":"A","cited_text":"x","search_result_index":0,"start_block_index":0,"end_block_index":1}""", true)]
    [InlineData("""{"type":"search_result_location","source":"my notes","cited_text":"x","search_result_index":0,"start_block_index":0,"end_block_index":1}""", false)]
    [InlineData("""{"type":"char_location","cited_text":"x","document_index":0,"document_title":"T","start_char_index":0,"end_char_index":1}""", false)]
    public void AnthropicSource_ThatIsNoPage_IsToldInItsOwnProtocolOnly(string citation, bool isPage)
    {
        string sse = AnthropicSearch(citation);
        Assert.Equal(isPage, Stream("anthropic", sse, "openai").Contains("url_citation"));
        Assert.Equal(isPage, Stream("anthropic", sse, "responses").Contains("url_citation"));
        Assert.Equal(isPage, Stream("anthropic", sse, "gemini").Contains("groundingSupports"));
        Same(citation, Joined("anthropic", sse, "anthropic").At("content.0.citations.0"));
        Assert.Equal(JsonValueKind.Null, Joined("anthropic", sse, "anthropic").At("content.1.citations").ValueKind);
    }

    [Fact]
    public void Chat_CountsFromTheBeginningOfTheContent_AndRepeatsAreToldOnce()
    {
        const string Annotation = "\"annotations\":" + """[{"type":"url_citation","url_citation":{"url":"https://a.invalid/","title":"A","start_index":5,"end_index":7}},{"type":"url_citation","url_citation":{"url":"https://b.invalid/","title":"","start_index":0,"end_index":0}}]""";
        string sse = Sse.Chat("\"role\":\"assistant\",\"content\":\"\"", "\"content\":\"é😀x \"", "\"reasoning_content\":\"hm\"", "\"content\":\"yabz\"", Annotation, Annotation, Sse.Finish("stop"));
        Assert.Equal([$"yabz: {Page} A 1-3", "yabz: https://b.invalid/  -"], Cites(Record("openai", sse)));
        JsonElement[] back = [.. Joined("openai", sse, "openai").At("choices.0.message.annotations").EnumerateArray()];
        Same("""{"type":"url_citation","url_citation":{"url":"https://a.invalid/","title":"A","start_index":5,"end_index":7}}""", back[0]);
        Same("""{"type":"url_citation","url_citation":{"url":"https://b.invalid/","title":"","start_index":4,"end_index":8}}""", back[1]);
    }

    [Fact]
    public void Chat_SourcesBeforeTheirText_Wait()
    {
        string annotation = "\"annotations\":[{\"type\":\"url_citation\",\"url_citation\":{\"url\":\"https://a.invalid/\",\"title\":\"A\",\"start_index\":0,\"end_index\":2}}]";
        Assert.Equal([$"ab: {Page} A 0-2"], Cites(Record("openai", Sse.Chat(annotation, "\"content\":\"a\"", "\"content\":\"b\"", Sse.Finish("stop")))));
        Assert.Empty(Cites(Record("openai", Sse.Chat(annotation, Sse.Finish("stop")))));
        Assert.Equal([$"ab: {Page} A -"], Cites(Record("openai", Sse.Chat("\"content\":\"ab\"", annotation.Replace("\"start_index\":0,\"end_index\":2", "\"start_index\":70,\"end_index\":80"), Sse.Finish("stop")))));
    }

    [Fact]
    public void Responses_EventsAndTheWholeItem_TellEachSourceOnce()
    {
        const string Annotation = """{"type":"url_citation","url":"https://a.invalid/","title":"A","start_index":0,"end_index":2}""";
        const string File = """{"type":"file_citation","file_id":"file-1","filename":"f","index":1}""";
        string item = $$"""{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"ab","annotations":[{{Annotation}},{{File}}]}]}""";
        string[] head = [
            """{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}""",
            """{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"msg_1","role":"assistant","content":[]}}""",
            """{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"ab"}"""];
        string[] tail = [
            $$"""{"type":"response.output_item.done","output_index":0,"item":{{item}} }""",
            $$"""{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[{{item}}]} }"""];
        string[] added = [
            $$"""{"type":"response.output_text.annotation.added","item_id":"msg_1","output_index":0,"content_index":0,"annotation_index":0,"annotation":{{Annotation}} }""",
            $$"""{"type":"response.output_text.annotation.added","item_id":"msg_1","output_index":0,"content_index":0,"annotation_index":1,"annotation":{{File}} }"""];
        foreach (string sse in (string[])[Sse.Named([.. head, .. added, .. tail]), Sse.Named([.. head, .. tail]), Sse.Named([head[0], .. tail])])
        {
            Assert.Equal([$"ab: {Page} A 0-2", "ab:   -"], Cites(Record("responses", sse)));
            // The provider's file is told to its own protocol alone.
            Same($"[{Annotation},{File}]", Joined("responses", sse, "responses").At("output.0.content.0.annotations"));
            Assert.Equal(1, Joined("responses", sse, "openai").At("choices.0.message.annotations").GetArrayLength());
        }
    }

    private static string Grounded(string segment, string more = "") => $$$"""
        {"groundingChunks":[{"web":{"uri":"https://a.invalid/","title":"A"}},{"retrievedContext":{"uri":"https://b.invalid/","title":"B"}},{"image":{}}],
         "groundingSupports":[{"segment":{{{segment}}},"groundingChunkIndices":[0,1,2,9]}]{{{more}}}}
        """.Replace("\n", "");

    [Fact]
    public void Gemini_StreamsCountAllTheText_AndTellTheirSourcesLast()
    {
        string sse = Sse.Gemini("", """{"text":"hm","thought":true}""", """{"text":"é😀 "}""", """{"text":"x"},{"functionCall":{"name":"f","args":{}}},{"text":"yab"}""")
            + Sse.Data($$"""{"candidates":[{"content":{"role":"model","parts":[{"text":"z"},{"text":"","thoughtSignature":"c2ln"}]},"finishReason":"STOP","groundingMetadata":{{Grounded("""{"startIndex":8,"endIndex":99}""")}} }]}""").Replace("\n", "\r\n");
        // é 2, 😀 4, blank 1, x 1: y begins at byte 8.
        Assert.Equal([$"yabz: {Page} A 0-4", "yabz: https://b.invalid/ B 0-4"], Cites(Record("gemini", sse)));
        Assert.Equal(["https://a.invalid/", "https://b.invalid/"],
            Joined("gemini", sse, "openai").At("choices.0.message.annotations").EnumerateArray().Select(one => one.Text("url_citation.url")));
    }

    [Theory]
    [InlineData("""{"startIndex":3,"endIndex":5}""", "é x: 2-3")]
    [InlineData("""{"endIndex":2}""", "é x: 0-1")]
    [InlineData("""{"partIndex":3,"startIndex":1,"endIndex":3}""", "日y: 0-1")]
    [InlineData("""{"partIndex":3,"endIndex":4}""", "日y: 0-2")]
    [InlineData("""{"startIndex":90,"endIndex":99}""", null)]
    [InlineData("""{"startIndex":2,"endIndex":1}""", null)]
    [InlineData("""{"startIndex":-4,"endIndex":1}""", null)]
    public void Gemini_WholeAnswersCountInOnePart(string segment, string? expected)
    {
        string body = $$$"""
            {"candidates":[{"content":{"role":"model","parts":[{"text":"é x"},{"functionCall":{"name":"f","args":{} } },{"text":"hm","thought":true},{"text":"日y"}]},"finishReason":"STOP","groundingMetadata":{{{Grounded(segment)}}} }]}
            """;
        SinkRecorder told = Wire.ReadWhole(Conversations.Speech.Of("gemini").Upstream, body);
        string[] places = [.. told.Blocks.SelectMany(block => block.Citations.Where(one => one.Url == Page).Select(one => $"{block.Text}: {one.Start}-{one.End}"))];
        Assert.Equal(expected is null ? [] : [expected], places);
    }

    [Fact]
    public void Gemini_RecitedSources_CountToo()
    {
        string body = """
            {"candidates":[{"content":{"role":"model","parts":[{"text":"abc"}]},"finishReason":"STOP","citationMetadata":{"citationSources":[{"startIndex":1,"endIndex":3,"uri":"https://a.invalid/","license":"mit"},{"endIndex":2}]}}]}
            """;
        Assert.Equal([$"abc: {Page}  1-3"], Cites(Wire.ReadWhole(Conversations.Speech.Of("gemini").Upstream, body)));
    }

    [Fact]
    public void SourcesThatBreakOff_AreNoAnswersEnd()
    {
        string sse = Sse.Gemini("", """{"text":"abc"}""") + Sse.Data("""{"candidates":[{"groundingMetadata":{"groundingChunks":3,"groundingSupports":[1,{"segment":[]},{"segment":{},"groundingChunkIndices":[0]}]},"finishReason":"STOP"}]}""");
        Assert.Empty(Cites(Record("gemini", sse)));
        Assert.Equal(FinishReason.EndTurn, Record("gemini", sse).Finished);
    }

    /// <summary>A stop that is scanned for ends the sources with the text.</summary>
    [Fact]
    public void AfterAStop_NoSourceIsTold()
    {
        SinkRecorder told = new();
        var scanner = new StopScanner(told, ["END"]);
        scanner.Start(default, default);
        scanner.BlockStart(0, BlockKind.Text);
        scanner.BlockCite(0, new Citation("x", "{}"u8.ToArray()) { Url = Page });
        scanner.BlockDelta(0, "\"a END b\""u8);
        scanner.BlockCite(0, new Citation("x", "{}"u8.ToArray()) { Url = Page });
        Assert.Single(told.Blocks[0].Citations);
    }

    [Fact]
    public void BrokenTextInASource_IsMended()
    {
        SinkRecorder told = new();
        var whole = new WholeCharacters(told);
        whole.Start(default, default);
        whole.BlockStart(0, BlockKind.Text);
        whole.BlockCite(0, new Citation("anthropic", (byte[])[.. "{\"a\":\"\\ud83d\",\"b\":\""u8, 0xFF, .. "\"}"u8]));
        Assert.Equal("{\"a\":\"\\ufffd\",\"b\":\"\uFFFD\"}", Encoding.UTF8.GetString(told.Blocks[0].Citations[0].Raw.Span));
    }

    [Fact]
    public void ReplayedSources_GoWhereTheTargetHasAPlace()
    {
        string chat = """{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"é ab","annotations":[{"type":"url_citation","url_citation":{"url":"https://a.invalid/","title":"A","start_index":2,"end_index":4}},{"type":"other"}]},{"role":"user","content":"r"}]}""";
        Same("""[{"type":"url_citation","url":"https://a.invalid/","title":"A","start_index":2,"end_index":4}]""", Request("openai", chat, "responses").At("input.1.content.0.annotations"));
        Assert.DoesNotContain("a.invalid", Request("openai", chat, "anthropic").GetRawText());
        string messages = $$"""{"max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"text","text":"é ab","citations":[{{WebSearch}}]}]},{"role":"user","content":[{"type":"text","text":"r","citations":[{{WebSearch}}]}]}]}""";
        Same("""[{"type":"url_citation","url":"https://a.invalid/","title":"A \"b\"","start_index":0,"end_index":4}]""", Request("anthropic", messages, "responses").At("input.1.content.0.annotations"));
        Same($"[{WebSearch}]", Request("anthropic", messages, "anthropic").At("messages.1.content.0.citations"));
        // "non-empty citations on a text block in a user message: 400"
        Assert.False(Request("anthropic", messages, "anthropic").At("messages.2.content.0").Has("citations"));
        foreach (string upstream in (string[])["openai", "gemini"]) Assert.DoesNotContain("a.invalid", Request("anthropic", messages, upstream).GetRawText());
        string responses = """{"input":["q",{"type":"message","role":"assistant","content":[{"type":"output_text","text":"ab","annotations":[{"type":"file_citation","file_id":"f","filename":"n","index":0}]}]},"r"]}""";
        Same("[]", Request("responses", responses, "responses").At("input.1.content.0.annotations"));
    }

    private const string Asked = """{"max_tokens":9,"tools":[{"type":"web_search_20250305","name":"web_search"}],"messages":[{"role":"user","content":"q"}]}""";

    private static string Grounding(string upstream, string more = "") => upstream switch
    {
        "openai" => Sse.Chat(["\"role\":\"assistant\",\"content\":\"It rains.\"", "\"annotations\":[{\"type\":\"url_citation\",\"url_citation\":{\"url\":\"https://a.invalid/\",\"title\":\"A\"}},{\"type\":\"url_citation\",\"url_citation\":{\"url\":\"https://b.invalid/\",\"title\":\"\"}}]",
            .. more.Length > 0 ? [Sse.Call(0, "c", "f", "{}")] : (string[])[], Sse.Finish("stop")]),
        _ => Sse.Gemini("", """{"text":"It rains."}""") + Sse.Data($$"""{"candidates":[{"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.invalid/","title":"A"} },{"web":{"uri":"https://b.invalid/"} }],"groundingSupports":[{"segment":{"endIndex":9},"groundingChunkIndices":[0,1]}]} }]}"""),
    };

    /// <summary>Claude Code's WebSearch says "Did 0 searches" and has no links otherwise.</summary>
    [Theory]
    [InlineData("openai")]
    [InlineData("gemini")]
    public void PagesOfOtherProviders_AreToldAsFound_ToAMessagesClientThatAskedForASearch(string upstream)
    {
        ChatRequest asked = Read("anthropic", Asked);
        JsonElement content = Joined(upstream, Grounding(upstream), "anthropic", asked).At("content");
        Assert.Equal(["text", "server_tool_use", "web_search_tool_result"], content.EnumerateArray().Select(block => block.Text("type")));
        Assert.Equal("web_search", content.Text("1.name"));
        Assert.Equal(content.Text("1.id"), content.Text("2.tool_use_id"));
        Assert.Equal(["A https://a.invalid/", "https://b.invalid/ https://b.invalid/"], content.At("2.content").EnumerateArray().Select(page => $"{page.Text("title")} {page.Text("url")}"));

        string stream = Stream(upstream, Grounding(upstream), "anthropic", asked);
        Assert.Equal(["text", "server_tool_use", "web_search_tool_result"], Sse.Events(stream, "content_block_start").Select(start => start.Text("content_block.type")));
        Same(content.At("2").GetRawText(), Sse.Events(stream, "content_block_start")[2].At("content_block"));
        Assert.Equal("""{"query":""}""", Sse.Events(stream, "content_block_delta")[^1].Text("delta.partial_json"));

        ChatRequest plain = Read("anthropic", """{"max_tokens":9,"messages":[{"role":"user","content":"q"}]}""");
        Assert.Equal(1, Joined(upstream, Grounding(upstream), "anthropic", plain).At("content").GetArrayLength());
        Assert.DoesNotContain("a.invalid", Stream(upstream, Grounding(upstream), "anthropic", plain));
    }

    [Fact]
    public void PagesBesideACall_AreNotTold_SinceTheCallComesLast() =>
        Assert.Equal(["text", "tool_use"], Joined("openai", Grounding("openai", "call"), "anthropic", Read("anthropic", Asked)).At("content").EnumerateArray().Select(block => block.Text("type")));

    [Fact]
    public void SearchThatWasToldHere_GoesToNoUpstream()
    {
        string content = Joined("openai", Grounding("openai"), "anthropic", Read("anthropic", Asked)).At("content").GetRawText();
        string history = $$"""{"max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":{{content}} },{"role":"user","content":"more"}]}""";
        foreach (string upstream in (string[])["openai", "responses", "gemini"])
        {
            string sent = Request("anthropic", history, upstream).GetRawText();
            Assert.Contains("It rains.", sent);
            Assert.DoesNotContain("a.invalid", sent);
        }
        JsonElement forwarded = RequestTexts.Json(Encoding.UTF8.GetString(EnvelopeCut.Apply(Encoding.UTF8.GetBytes(history), "anthropic", "claude-opus-5")!));
        Assert.Equal("It rains.", Assert.Single(forwarded.At("messages.1.content").EnumerateArray()).Text("text"));
    }
}
