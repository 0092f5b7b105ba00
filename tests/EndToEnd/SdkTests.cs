// The Responses client of the OpenAI library is marked as experimental by its maker.
#pragma warning disable OPENAI001

using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using Anthropic;
using Anthropic.Models.Messages;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Responses;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>The vendors' own libraries through the proxy: before fake upstreams and before the built-in <c>echo</c>.</summary>
public sealed class SdkTests(SharedRig shared) : IClassFixture<SharedRig>
{
    private const string Prompt = "say these five words back";

    [Fact]
    public async Task OpenAiChat_WholeStreamedAndToolCall()
    {
        var rig = await shared.ReadyAsync();
        var chat = Chat(rig.Proxy, SharedRig.Model(Dialects.Chat));
        ChatCompletion whole = await chat.CompleteChatAsync([new UserChatMessage(Prompt)]);
        Assert.Equal("Hello from upstream", whole.Content[0].Text);
        Assert.Equal(5, whole.Usage.OutputTokenCount);
        Assert.Equal("Hello from upstream", await StreamAsync(chat, Prompt));

        rig[Dialects.Chat].Answer(FakeAnswer.Json(Dialects.Chat.WholeTool()));
        var tool = ChatTool.CreateFunctionTool("get_weather", "Weather by city", BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}}}"""));
        ChatCompletion call = await chat.CompleteChatAsync([new UserChatMessage(Prompt)], new ChatCompletionOptions { Tools = { tool } });
        Assert.Equal(OpenAI.Chat.ChatFinishReason.ToolCalls, call.FinishReason);
        Assert.Equal("get_weather", call.ToolCalls[0].FunctionName);
        Assert.Equal("Oslo", JsonLook.Text(call.ToolCalls[0].FunctionArguments.ToString(), "city"));

        rig[Dialects.Chat].Answer(FakeAnswer.Sse(Dialects.Chat.Tool().Frames));
        var arguments = new StringBuilder();
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage(Prompt)], new ChatCompletionOptions { Tools = { tool } }))
            foreach (var part in update.ToolCallUpdates) arguments.Append(part.FunctionArgumentsUpdate);
        Assert.Equal("Oslo", JsonLook.Text(arguments.ToString(), "city"));
    }

    [Fact]
    public async Task OpenAiResponses_WholeStreamedAndToolCall()
    {
        var rig = await shared.ReadyAsync();
        var client = Responses(rig.Proxy);
        var model = SharedRig.Model(Dialects.Responses);
        ResponseResult whole = await client.CreateResponseAsync(model, Prompt);
        Assert.Equal("Hello from upstream", whole.GetOutputText());
        Assert.Equal("Hello from upstream", await StreamAsync(client, model, Prompt));

        rig[Dialects.Responses].Answer(FakeAnswer.Json(Dialects.Responses.WholeTool()));
        ResponseResult call = await client.CreateResponseAsync(model, Prompt);
        Assert.Equal("get_weather", Assert.IsType<FunctionCallResponseItem>(Assert.Single(call.OutputItems), exactMatch: false).FunctionName);
        rig[Dialects.Responses].Answer(FakeAnswer.Sse(Dialects.Responses.Tool().Frames));
        var done = new List<string>();
        await foreach (var update in client.CreateResponseStreamingAsync(model, Prompt))
            if (update is StreamingResponseFunctionCallArgumentsDoneUpdate arguments) done.Add(arguments.FunctionArguments.ToString());
        Assert.Equal("Oslo", JsonLook.Text(Assert.Single(done), "city"));
    }

    [Fact]
    public async Task AnthropicMessages_WholeStreamedAndToolCall()
    {
        var rig = await shared.ReadyAsync();
        using var client = Messages(rig.Proxy);
        var model = SharedRig.Model(Dialects.Anthropic);
        var whole = await client.Messages.Create(Parameters(model, Prompt));
        Assert.Equal("Hello from upstream", TextOf(whole));
        Assert.Equal(5, whole.Usage.OutputTokens);
        Assert.Equal("Hello from upstream", await StreamAsync(client, model, Prompt));

        rig[Dialects.Anthropic].Answer(FakeAnswer.Json(Dialects.Anthropic.WholeTool()));
        var call = await client.Messages.Create(Parameters(model, Prompt));
        Assert.True(call.Content[0].TryPickToolUse(out var use));
        Assert.Equal("get_weather", use!.Name);
        Assert.Equal("Oslo", use.Input["city"].GetString());

        rig[Dialects.Anthropic].Answer(FakeAnswer.Sse(Dialects.Anthropic.Tool().Frames));
        var json = new StringBuilder();
        await foreach (var update in client.Messages.CreateStreaming(Parameters(model, Prompt)))
            if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickInputJson(out var part)) json.Append(part.PartialJson);
        Assert.Equal("Oslo", JsonLook.Text(json.ToString(), "city"));
    }

    [Fact]
    public async Task Libraries_SeeErrorsAndBrokenStreamsAsSuch()
    {
        var rig = await shared.ReadyAsync();
        // Late enough that the first words are out: before that the proxy answers with a status.
        rig[Dialects.Chat].Answer(FakeAnswer.BreakingSse(Task.Delay(500), "cut", "", Dialects.Chat.Text("One two three").Beginning));
        await Assert.ThrowsAnyAsync<Exception>(() => StreamAsync(Chat(rig.Proxy, SharedRig.Model(Dialects.Chat)), Prompt));
        rig[Dialects.Anthropic].Answer(FakeAnswer.BreakingSse(Task.Delay(500), "cut", "", Dialects.Anthropic.Text("One two three").Beginning));
        using var anthropic = Messages(rig.Proxy);
        await Assert.ThrowsAnyAsync<Exception>(() => StreamAsync(anthropic, SharedRig.Model(Dialects.Anthropic), Prompt));
        var refused = await Assert.ThrowsAsync<ClientResultException>(async () => await Chat(rig.Proxy, "nobody-serves-this").CompleteChatAsync([new UserChatMessage("hi")]));
        Assert.Equal(404, refused.Status);
    }

    [Fact]
    public async Task Libraries_ListModels()
    {
        var rig = await shared.ReadyAsync();
        var models = await new OpenAI.Models.OpenAIModelClient(new ApiKeyCredential("sk-fake-client"), OpenAiOptions(rig.Proxy)).GetModelsAsync();
        Assert.Contains(SharedRig.Model(Dialects.Chat), models.Value.Select(model => model.Id));
        using var client = Messages(rig.Proxy);
        var page = await client.Models.List();
        Assert.Contains(SharedRig.Model(Dialects.Anthropic), page.Items.Select(model => model.ID));
    }

    [Fact]
    public async Task Echo_AnswersEveryLibrary()
    {
        await using var proxy = await ProxyProcess.StartAsync("upstreams:\n  - {name: echo, api_type: echo}\n");
        var chat = Chat(proxy, "any");
        ChatCompletion whole = await chat.CompleteChatAsync([new UserChatMessage(Prompt)]);
        Assert.Contains(Prompt, whole.Content[0].Text);
        Assert.Contains(Prompt, await StreamAsync(chat, Prompt));
        var responses = Responses(proxy);
        ResponseResult result = await responses.CreateResponseAsync("any", Prompt);
        Assert.Contains(Prompt, result.GetOutputText());
        Assert.Contains(Prompt, await StreamAsync(responses, "any", Prompt));
        using var messages = Messages(proxy);
        Assert.Contains(Prompt, TextOf(await messages.Messages.Create(Parameters("any", Prompt))));
        Assert.Contains(Prompt, await StreamAsync(messages, "any", Prompt));
    }

    [Fact]
    public async Task Echo_AnswersEveryProtocolCompletely()
    {
        await using var proxy = await ProxyProcess.StartAsync("upstreams:\n  - {name: echo, api_type: echo}\n");
        foreach (var dialect in Dialects.List)
        {
            var whole = (await proxy.SendAsync(dialect, "any", false)).AssertStatus(200);
            Assert.Contains("What is new?", dialect.TextOfWhole(whole.Text));
            Assert.Equal("echo", whole.Header("x-aiproxy-upstream"));
            var stream = (await proxy.SendAsync(dialect, "any", true)).AssertStatus(200);
            Assert.Contains("What is new?", dialect.TextOfStream(stream.Text));
            Assert.True(dialect.LooksComplete(stream.Text), stream.Text);
            Assert.False(dialect.TellsFailure(stream.Text));
        }
    }

    private static OpenAIClientOptions OpenAiOptions(ProxyProcess proxy) => new()
    {
        Endpoint = new Uri(proxy.Address, "/v1"),
        Transport = new HttpClientPipelineTransport(proxy.Client),
        RetryPolicy = new ClientRetryPolicy(0),
    };

    private static ChatClient Chat(ProxyProcess proxy, string model) => new(model, new ApiKeyCredential("sk-fake-client"), OpenAiOptions(proxy));

    private static ResponsesClient Responses(ProxyProcess proxy) => new(new ApiKeyCredential("sk-fake-client"), new ResponsesClientOptions
    {
        Endpoint = new Uri(proxy.Address, "/v1"),
        Transport = new HttpClientPipelineTransport(proxy.Client),
        RetryPolicy = new ClientRetryPolicy(0),
    });

    private static AnthropicClient Messages(ProxyProcess proxy) => new() { BaseUrl = proxy.Address.ToString().TrimEnd('/'), ApiKey = "sk-fake-client", MaxRetries = 0 };

    private static MessageCreateParams Parameters(string model, string prompt) => new()
    {
        Model = model,
        MaxTokens = 64,
        Messages = [new UserMessageParam { Content = prompt }],
    };

    private static string TextOf(Message message) => string.Concat(message.Content.Select(block => block.TryPickText(out var text) ? text.Text : ""));

    private static async Task<string> StreamAsync(ChatClient chat, string prompt)
    {
        var text = new StringBuilder();
        OpenAI.Chat.ChatFinishReason? finish = null;
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage(prompt)]))
        {
            foreach (var part in update.ContentUpdate) text.Append(part.Text);
            finish = update.FinishReason ?? finish;
        }
        Assert.Equal(OpenAI.Chat.ChatFinishReason.Stop, finish);
        return text.ToString();
    }

    private static async Task<string> StreamAsync(ResponsesClient client, string model, string prompt)
    {
        var text = new StringBuilder();
        var completed = false;
        await foreach (var update in client.CreateResponseStreamingAsync(model, prompt))
        {
            if (update is StreamingResponseOutputTextDeltaUpdate delta) text.Append(delta.Delta);
            completed |= update is StreamingResponseCompletedUpdate;
        }
        Assert.True(completed);
        return text.ToString();
    }

    private static async Task<string> StreamAsync(AnthropicClient client, string model, string prompt)
    {
        var text = new StringBuilder();
        await foreach (var update in client.Messages.CreateStreaming(Parameters(model, prompt)))
            if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var part)) text.Append(part.Text);
        return text.ToString();
    }
}
