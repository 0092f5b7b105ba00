using System.Text.Json;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Upstreams that are asked for a stream whatever the client wants.</summary>
public sealed class MustStreamTests
{
    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    /// <summary>Streams where it is asked to and refuses everything else, as some upstreams do.</summary>
    private static Func<RecordedRequest, FakeAnswer> OnlyStreams(IDialect dialect, params string[] frames) =>
        request => SharedRig.IsStream(request) ? FakeAnswer.Sse(frames) : FakeAnswer.Json(400, dialect.ErrorBody(400, "stream must be true"));

    public static TheoryData<string, bool> Rows => Dialects.NamesAndModes;

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task EveryClient_IsServed_WholeOrStreamed(string upstream, bool stream)
    {
        IDialect dialect = Dialects.Of(upstream);
        await using var rig = await Rig.StartAsync(dialect, FakeAnswer.Json("{}"), Yaml.NoCircuits, "must_stream: true");
        foreach (IDialect client in Dialects.List)
        {
            rig.Upstream.Answer(OnlyStreams(dialect, dialect.Text("One two three").Frames));
            LiveReply reply = (await rig.Proxy.SendAsync(client, Rig.Model, stream)).AssertStatus(200);
            Assert.Equal("One two three", stream ? client.TextOfStream(reply.Text) : client.TextOfWhole(reply.Text));
            if (dialect.Name == "gemini") Assert.Contains("alt=sse", rig.Upstream.Last.Target);

            rig.Upstream.Answer(OnlyStreams(dialect, dialect.Tool().Frames));
            if (!stream) Assert.True(JsonLook.IsJson((await rig.Proxy.SendAsync(client, Rig.Model, stream: false)).AssertStatus(200).Text));
        }
    }

    [Theory]
    [MemberData(nameof(Dialects.Names), MemberType = typeof(Dialects))]
    public async Task StreamCutInItsMiddle_NextUpstreamAnswers(string upstream)
    {
        IDialect dialect = Dialects.Of(upstream);
        await using var rig = await Rig.StartAsync(dialect, Yaml.NoCircuits,
            (FakeAnswer.CutSse(dialect.Text("One two three").Beginning), "must_stream: true"), (FakeAnswer.Sse(dialect.Text("from the second").Frames), "must_stream: true\npriority: 1"));
        foreach (IDialect client in Dialects.List)
        {
            LiveReply reply = (await rig.Proxy.SendAsync(client, Rig.Model, stream: false)).AssertStatus(200);
            Assert.Equal("from the second", client.TextOfWhole(reply.Text));
        }
        Assert.Equal(4, rig.Upstreams[0].Count);
    }

    [Fact]
    public async Task AnthropicBlocksThatOnlyTheProviderKnows_SurviveTheCollecting()
    {
        string[] frames =
        [
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n",
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"new_kind\",\"payload\":{\"a\":[1,2]}}}\n\n",
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9},\"later\":true}\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ];
        await using var rig = await Rig.StartAsync(Dialects.Anthropic, FakeAnswer.Sse(frames), Yaml.NoCircuits, "must_stream: true");
        JsonElement answer = Json((await rig.SendAsync(stream: false)).AssertStatus(200).Text);
        Assert.Equal("""[{"type":"new_kind","payload":{"a":[1,2]}}]""", answer.GetProperty("content").GetRawText());
        Assert.True(answer.GetProperty("later").GetBoolean());
        Assert.Equal(9, answer.GetProperty("usage").GetProperty("output_tokens").GetInt32());
    }

    [Fact]
    public async Task TranslatedToAnthropicWithoutALimit_IsStreamedAndCollected()
    {
        await using var rig = await Rig.StartAsync(Dialects.Anthropic, FakeAnswer.Json("{}"), Yaml.NoCircuits, "model_mappings: {m-1: claude-sonnet-5-5}");
        rig.Upstream.Answer(OnlyStreams(Dialects.Anthropic, Dialects.Anthropic.Text("One two").Frames));
        LiveReply reply = (await rig.Proxy.PostAsync("/v1/chat/completions", """{"model":"m-1","messages":[{"role":"user","content":"q"}]}""")).AssertStatus(200);
        Assert.Equal("One two", Dialects.Chat.TextOfWhole(reply.Text));
    }
}
