using System.Text;
using Anthropic;
using Anthropic.Models.Messages;
using OpenAI.Chat;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>The ready-made texts are what they claim to be: read by the judges of this suite and by the vendors' libraries without a proxy between.</summary>
public sealed class DialectTests
{
    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(Names))]
    public void Transcripts_AreJudgedRight(string name)
    {
        var dialect = Dialects.Of(name);
        Assert.Equal("One two three", dialect.TextOfStream(dialect.Text("One two three").All));
        Assert.Equal("One two three", dialect.TextOfWhole(dialect.Whole("One two three")));
        foreach (var transcript in new[] { dialect.Text("One two"), dialect.Tool(), dialect.Thinking() })
        {
            Assert.True(dialect.LooksComplete(transcript.All));
            Assert.False(dialect.LooksComplete(string.Concat(transcript.Handshake) + string.Concat(transcript.Output)));
            Assert.False(dialect.TellsFailure(transcript.All));
            foreach (var block in SseText.Parse(transcript.All)) Assert.True(block.Data == "[DONE]" || JsonLook.IsJson(block.Data!), block.Raw);
        }
        foreach (var whole in new[] { dialect.Whole("é"), dialect.WholeTool(), dialect.WholeThinking(), dialect.ErrorBody(429, "a \"b\""), dialect.Body("m", "p", true), dialect.Body("m", "p", false) })
            Assert.True(JsonLook.IsJson(whole), whole);
        dialect.Envelope(400, dialect.ErrorBody(400, "wrong"));
    }

    [Fact]
    public void Failures_AreJudgedRight()
    {
        Assert.True(Dialects.Anthropic.TellsFailure(Dialects.Anthropic.ErrorFrame("x")));
        Assert.True(Dialects.Chat.TellsFailure(Dialects.Chat.ErrorFrame("x")));
        Assert.False(Dialects.Responses.TellsFailure(Dialects.Responses.ErrorFrame("x")));
        Assert.False(Dialects.Gemini.TellsFailure(Dialects.Gemini.ErrorFrame("x")));
        Assert.True(Dialects.Gemini.TellsFailure("data: {}\r\n\r\n" + Dialects.Gemini.ErrorBody(503, "x")));
        Assert.True(Dialects.Responses.TellsFailure(
            "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"}},\"sequence_number\":4}\n\n"));
    }

    [Fact]
    public void MadeJson_IsJson()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var make = new JsonMaker(seed);
            var text = make.Object(make.Unknown());
            Assert.True(JsonLook.IsJson(text), text);
        }
        Assert.True(JsonLook.IsJson(JsonMaker.Nest(199)));
        Assert.True(JsonLook.IsJson(string.Concat(GeminiDialect.Array("One two"))));
    }

    [Fact]
    public async Task Libraries_ReadTheTranscripts()
    {
        await using var upstream = new FakeUpstream(FakeAnswer.Sse(Dialects.Anthropic.Tool().Frames));
        using (var client = new AnthropicClient { BaseUrl = upstream.Url, ApiKey = "sk-fake", MaxRetries = 0 })
        {
            var json = new StringBuilder();
            await foreach (var update in client.Messages.CreateStreaming(new MessageCreateParams { Model = "m", MaxTokens = 5, Messages = [new UserMessageParam { Content = "hi" }] }))
                if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickInputJson(out var part)) json.Append(part.PartialJson);
            Assert.Equal("Oslo", JsonLook.Text(json.ToString(), "city"));
        }
        upstream.Answer(FakeAnswer.Sse(Dialects.Chat.Text("One two").Frames));
        var chat = new ChatClient("m", new System.ClientModel.ApiKeyCredential("sk-fake"), new OpenAI.OpenAIClientOptions { Endpoint = new Uri(upstream.Url + "/v1") });
        var text = new StringBuilder();
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("hi")]))
            foreach (var part in update.ContentUpdate) text.Append(part.Text);
        Assert.Equal("One two", text.ToString());
    }
}
