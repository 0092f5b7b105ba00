using System.Text.Json;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>What the parts between two protocols do once they stand in the running proxy.</summary>
public sealed class TranslationTests(SharedRig shared) : IClassFixture<SharedRig>
{
    private static JsonElement Json(LiveReply reply) => JsonDocument.Parse(reply.Text).RootElement;

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public async Task ResponsesBodyOnTheChatPath_IsAnsweredAsChat(string upstream)
    {
        var rig = await shared.ReadyAsync();
        string body = $$$"""{"model":"m-{{{upstream}}}","input":[{"role":"user","content":"from an editor"}],"stream_options":{"include_usage":true}}""";
        JsonElement answer = Json((await rig.Proxy.PostAsync("/v1/chat/completions", body)).AssertStatus(200));
        Assert.Equal("Hello from upstream", answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        Assert.Contains("from an editor", rig[Dialects.Of(upstream)].Last.Text);
        Assert.DoesNotContain("include_usage\":true,\"input", rig[Dialects.Of(upstream)].Last.Text);
    }

    [Theory]
    [InlineData("", "2026-10-21")]
    [InlineData(",\"temperature\":0.5", "2023-06-01")]
    public async Task AnthropicVersion_IsThatOfWhatIsAsked(string more, string version)
    {
        var rig = await shared.ReadyAsync();
        (await rig.Proxy.PostAsync("/v1/chat/completions", $$"""{"model":"m-anthropic","messages":[{"role":"user","content":"q"}]{{more}}}""")).AssertStatus(200);
        Assert.Equal(version, rig[Dialects.Anthropic].Last.Header("anthropic-version"));
    }

    [Theory]
    [InlineData("openai", "/v1/chat/completions", """{"model":"m-UP","messages":[{"role":"user","content":"q"}],"max_tokens":0}""")]
    [InlineData("responses", "/v1/responses", """{"model":"m-UP","input":"q","max_output_tokens":0}""")]
    [InlineData("gemini", "/v1beta/models/m-UP:generateContent", """{"contents":[{"parts":[{"text":"q"}]}],"generationConfig":{"maxOutputTokens":0}}""")]
    [InlineData("anthropic", "/v1/messages", """{"model":"m-UP","max_tokens":0,"messages":[{"role":"user","content":"q"}]}""")]
    public async Task LimitOfNothing_IsRefusedInTheClientsWords(string client, string path, string body)
    {
        var rig = await shared.ReadyAsync();
        foreach (IDialect upstream in Dialects.List)
        {
            if (upstream.Name == client) continue;
            LiveReply reply = await rig.Proxy.PostAsync(path.Replace("UP", upstream.Name), body.Replace("UP", upstream.Name));
            string message = Dialects.Of(client).Envelope(400, reply.AssertStatus(400).Text);
            Assert.Matches("max_tokens|max_output_tokens|maxOutputTokens", message);
            Assert.Equal(0, rig[upstream].Count);
        }
    }

    [Fact]
    public async Task StopThatTheUpstreamHasNoWordFor_EndsTheAnswer()
    {
        var rig = await shared.ReadyAsync();
        const string Body = """{"model":"m-responses","max_tokens":50,"stop_sequences":["from"],"messages":[{"role":"user","content":"q"}]}""";
        JsonElement answer = Json((await rig.Proxy.PostAsync("/v1/messages", Body)).AssertStatus(200));
        Assert.Equal("Hello ", answer.GetProperty("content")[0].GetProperty("text").GetString());
        Assert.Equal(("stop_sequence", "from"), (answer.GetProperty("stop_reason").GetString(), answer.GetProperty("stop_sequence").GetString()));
    }

    [Fact]
    public async Task EarlierResponse_IsGoneOnWith_AndCanBeFetchedAndDeleted()
    {
        var rig = await shared.ReadyAsync();
        JsonElement first = Json((await rig.Proxy.PostAsync("/v1/responses", """{"model":"m-anthropic","input":"first words"}""")).AssertStatus(200));
        string id = first.GetProperty("id").GetString()!;
        Assert.True(first.GetProperty("store").GetBoolean());
        Assert.Equal(first.GetRawText(), Json((await rig.Proxy.GetAsync("/v1/responses/" + id)).AssertStatus(200)).GetRawText());

        string next = $$"""{"model":"m-anthropic","input":"second words","previous_response_id":"{{id}}"}""";
        JsonElement second = Json((await rig.Proxy.PostAsync("/v1/responses", next)).AssertStatus(200));
        Assert.Equal(id, second.GetProperty("previous_response_id").GetString());
        JsonElement messages = JsonDocument.Parse(rig[Dialects.Of("anthropic")].Last.Text).RootElement.GetProperty("messages");
        Assert.Equal(["user", "assistant", "user"], messages.EnumerateArray().Select(message => message.GetProperty("role").GetString()));
        Assert.Contains("first words", messages[0].GetRawText());

        // A count sees what the turn will see.
        Assert.True(await CountAsync(next) > await CountAsync("""{"model":"m-anthropic","input":"second words"}"""));

        async Task<double> CountAsync(string body) => JsonLook.Number((await rig.Proxy.PostAsync("/v1/responses/input_tokens", body)).AssertStatus(200).Text, "input_tokens") ?? 0;

        (await rig.Proxy.RequestAsync(HttpMethod.Delete, "/v1/responses/" + id)).AssertStatus(200);
        (await rig.Proxy.GetAsync("/v1/responses/" + id)).AssertStatus(404);
        // Not known here any more, and an Anthropic upstream never knew it: refused, not ignored.
        JsonElement refused = Json((await rig.Proxy.PostAsync("/v1/responses", next)).AssertStatus(400));
        Assert.Equal("previous_response_id", refused.GetProperty("error").GetProperty("param").GetString());
        Assert.Equal("previous_response_not_found", refused.GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task ResponseThatShallNotBeStored_IsNotKept()
    {
        var rig = await shared.ReadyAsync();
        JsonElement answer = Json((await rig.Proxy.PostAsync("/v1/responses", """{"model":"m-anthropic","store":false,"input":"q"}""")).AssertStatus(200));
        Assert.False(answer.GetProperty("store").GetBoolean());
        (await rig.Proxy.GetAsync("/v1/responses/" + answer.GetProperty("id").GetString())).AssertStatus(404);
    }
}
