// The Responses client of the OpenAI library is marked as experimental by its maker.
#pragma warning disable OPENAI001

using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using Anthropic;
using Anthropic.Models.Messages;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Responses;

namespace Aiproxy.Tests.Conversations;

/// <summary>The vendors' own libraries read each answer of the corpus, streamed and whole, and find in it what was said: all text, and each call with its
/// name and arguments. A failed stream never ends as if it were whole.</summary>
public sealed class LibraryTests
{
    public static TheoryData<string> Answers => [.. ConversationCase.Names.Where(name => ConversationCase.Load(name).HasAnswer)];

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task OpenAiChat_ReadsTheAnswer(string name)
    {
        (ConversationCase conversation, SinkRecorder told, byte[] sse, byte[] json) = Load(name, "openai");
        Assert.SkipWhen(conversation.Request.Tools.Any(tool => tool.Kind == ToolKind.Custom), "this library throws at free-form calls");
        string text = told.Text(BlockKind.Text);
        List<string> calls = Calls(told, conversation, knowsSpaces: false);
        var streamed = new StringBuilder();
        var arguments = new SortedDictionary<int, (string Head, StringBuilder Arguments)>();
        OpenAI.Chat.ChatFinishReason? finish = null;
        Exception? failure = await Record.ExceptionAsync(async () =>
        {
            await foreach (StreamingChatCompletionUpdate update in Chat(sse, "text/event-stream").CompleteChatStreamingAsync([new UserChatMessage("x")]))
            {
                foreach (ChatMessageContentPart part in update.ContentUpdate) streamed.Append(part.Text);
                foreach (StreamingChatToolCallUpdate call in update.ToolCallUpdates)
                {
                    if (!arguments.ContainsKey(call.Index)) arguments[call.Index] = ($"{call.ToolCallId} {call.FunctionName}", new StringBuilder());
                    arguments[call.Index].Arguments.Append(call.FunctionArgumentsUpdate);
                }
                finish = update.FinishReason ?? finish;
            }
        });
        if (told.Error is not null)
        {
            Assert.True(failure is not null || finish is null);
            return;
        }
        Assert.Null(failure);
        Assert.NotNull(finish);
        Assert.Equal(text, streamed.ToString());
        Assert.Equal(calls, arguments.Values.Select(call => $"{call.Head} {call.Arguments}"));

        ChatCompletion whole = await Chat(json, "application/json").CompleteChatAsync([new UserChatMessage("x")]);
        Assert.Equal(text, string.Concat(whole.Content.Select(part => part.Text)));
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task OpenAiResponses_ReadsTheAnswer(string name)
    {
        (ConversationCase conversation, SinkRecorder told, byte[] sse, byte[] json) = Load(name, "responses");
        List<string> calls = Calls(told, conversation, knowsSpaces: true);
        var streamed = new StringBuilder();
        ResponseResult? end = null;
        bool failed = false;
        await foreach (StreamingResponseUpdate update in Responses(sse, "text/event-stream").CreateResponseStreamingAsync("m", "x"))
        {
            if (update is StreamingResponseOutputTextDeltaUpdate delta) streamed.Append(delta.Delta);
            if (update is StreamingResponseCompletedUpdate completed) end = completed.Response;
            if (update is StreamingResponseIncompleteUpdate incomplete) end = incomplete.Response;
            failed |= update is StreamingResponseFailedUpdate;
        }
        Assert.Equal(told.Error is not null, failed);
        if (failed)
        {
            Assert.Null(end);
            return;
        }
        Assert.Equal(told.Text(BlockKind.Text), streamed.ToString());
        Check(end!);
        Check(await Responses(json, "application/json").CreateResponseAsync("m", "x"));

        void Check(ResponseResult result)
        {
            IEnumerable<ResponseContentPart> parts = result.OutputItems.OfType<MessageResponseItem>().SelectMany(item => item.Content);
            Assert.Equal(told.Text(BlockKind.Text), string.Concat(parts.Select(part => part.Text)));
            Assert.Equal(calls, result.OutputItems.OfType<FunctionCallResponseItem>().Select(call => $"{call.CallId} {call.FunctionName} {call.FunctionArguments}"));
        }
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task AnthropicMessages_ReadsTheAnswer(string name)
    {
        (ConversationCase conversation, SinkRecorder told, byte[] sse, byte[] json) = Load(name, "anthropic");
        string text = string.Concat(told.Blocks.Where(block => block.Kind is BlockKind.Text or BlockKind.Refusal).Select(block => block.Text));
        var streamed = new StringBuilder();
        var inputs = new StringBuilder();
        bool stopped = false;
        Exception? failure = await Record.ExceptionAsync(async () =>
        {
            using AnthropicClient client = Messages(sse, "text/event-stream");
            await foreach (RawMessageStreamEvent update in client.Messages.CreateStreaming(Parameters))
            {
                stopped |= update.TryPickStop(out _);
                if (!update.TryPickContentBlockDelta(out var delta)) continue;
                if (delta.Delta.TryPickText(out var part)) streamed.Append(part.Text);
                if (delta.Delta.TryPickInputJson(out var input)) inputs.Append(input.PartialJson);
            }
        });
        Assert.Equal(told.Error is null, stopped);
        if (told.Error is not null)
        {
            Assert.NotNull(failure);
            return;
        }
        Assert.Null(failure);
        Assert.Equal(text, streamed.ToString());
        foreach (RecordedBlock call in told.Blocks.Where(block => block.Kind == BlockKind.ToolCall)) Assert.Contains(call.Text, inputs.ToString());

        using AnthropicClient wholeClient = Messages(json, "application/json");
        Message whole = await wholeClient.Messages.Create(Parameters);
        Assert.Equal(text, string.Concat(whole.Content.Select(block => block.TryPickText(out var part) ? part.Text : "")));
        int calls = told.Blocks.Count(block =>
            block.Kind is BlockKind.ToolCall or BlockKind.CustomToolCall && (told.Finished != FinishReason.MaxTokens || block.Text.EndsWith('}')));
        Assert.Equal(calls, whole.Content.Count(block => block.TryPickToolUse(out _)));
    }

    private static MessageCreateParams Parameters => new() { Model = "m", MaxTokens = 64, Messages = [new UserMessageParam { Content = "x" }] };

    private static (ConversationCase Case, SinkRecorder Told, byte[] Sse, byte[] Json) Load(string name, string protocol)
    {
        ConversationCase conversation = ConversationCase.Load(name);
        SinkRecorder told = new();
        conversation.Play(told);
        Speech speech = Speech.Of(protocol);
        byte[] sse = ConversationAnswerTests.Write(conversation, speech, stream: true);
        return (conversation, told, sse, ConversationAnswerTests.Write(conversation, speech, stream: false));
    }

    /// <summary>Id, name and arguments of each function call as an OpenAI client sees them.</summary>
    /// <param name="knowsSpaces">The protocol tells a tool's namespace apart from its name.</param>
    private static List<string> Calls(SinkRecorder told, ConversationCase conversation, bool knowsSpaces)
    {
        ToolNames names = ToolNames.Of(conversation.Request);
        var calls = new List<string>();
        int ordinal = 0;
        foreach (RecordedBlock block in told.Blocks)
        {
            if (block.Kind is not (BlockKind.ToolCall or BlockKind.CustomToolCall)) continue;
            ToolDefinition? tool = names.Find(block.Name);
            string id = block.Id.Length > 0 ? block.Id : $"call_{Wire.Seed}{ordinal}";
            ordinal++;
            if (block.Kind == BlockKind.CustomToolCall || tool?.Kind == ToolKind.Custom) continue;
            calls.Add($"{id} {(tool is null ? block.Name : knowsSpaces ? tool.Name : ToolNames.Flat(tool))} {(block.Text.Length == 0 ? "{}" : block.Text)}");
        }
        return calls;
    }

    private static ChatClient Chat(byte[] body, string type) => new("m", new ApiKeyCredential("sk-fake"), new OpenAIClientOptions
    {
        Endpoint = new Uri("http://stub.invalid/v1"),
        Transport = Transport(body, type),
        RetryPolicy = new ClientRetryPolicy(0),
    });

    private static ResponsesClient Responses(byte[] body, string type) => new(new ApiKeyCredential("sk-fake"), new ResponsesClientOptions
    {
        Endpoint = new Uri("http://stub.invalid/v1"),
        Transport = Transport(body, type),
        RetryPolicy = new ClientRetryPolicy(0),
    });

    private static AnthropicClient Messages(byte[] body, string type) =>
        new() { BaseUrl = "http://stub.invalid", ApiKey = "sk-fake", MaxRetries = 0, HttpClient = new HttpClient(new Stub(body, type)) };

    private static HttpClientPipelineTransport Transport(byte[] body, string type) => new(new HttpClient(new Stub(body, type)));

    /// <summary>Answers each request with the same bytes; nothing leaves the process.</summary>
    private sealed class Stub(byte[] body, string type) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue(type);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = content, RequestMessage = request });
        }
    }
}
