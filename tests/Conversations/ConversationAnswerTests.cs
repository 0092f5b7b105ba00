using System.Buffers;
using System.Text;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.EventStream;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.StreamInvariants;

namespace Aiproxy.Tests.Conversations;

/// <summary>Each answer of the corpus in each client protocol, streamed and whole: obeys the protocol's grammar, says what it should, is what the golden file has.</summary>
public sealed class ConversationAnswerTests
{
    // What tells that the answer ended properly.
    private static readonly string[] Ends =
        ["\"stop_reason\":\"", "\"response.completed\"", "\"response.incomplete\"", "\"finishReason\":", "\"blockReason\":", "\"finish_reason\":\""];

    public static TheoryData<string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string>();
            foreach (string name in ConversationCase.Names.Where(name => ConversationCase.Load(name).HasAnswer))
            {
                foreach (Speech speech in Speech.All) pairs.Add(name, speech.Name);
            }
            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Streamed_IsLegal_ComesBack_AndIsGolden(string name, string protocol)
    {
        ConversationCase conversation = ConversationCase.Load(name);
        Speech speech = Speech.Of(protocol);
        byte[] sse = Write(conversation, speech, stream: true);
        StreamEnd end = CheckStream(speech, sse);
        SinkRecorder told = Told(conversation);
        Assert.Equal(told.Error is null ? StreamEnd.Finished : StreamEnd.Failed, end);

        SinkRecorder read = new();
        ReadStream(speech.Upstream, read, [.. sse]);
        Compare(told, read, speech, conversation.Request, keepsBroken: speech.Name != "gemini");
        Golden.Check($"{name}.{protocol}.sse.golden", sse);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Whole_ComesBack_AndIsGolden(string name, string protocol)
    {
        ConversationCase conversation = ConversationCase.Load(name);
        Speech speech = Speech.Of(protocol);
        byte[] json = Write(conversation, speech, stream: false);
        SinkRecorder told = Told(conversation), read = new();
        speech.Upstream.CreateReader(read).ReadWhole(json);
        Compare(told, read, speech, conversation.Request, keepsBroken: speech.Name is not ("gemini" or "anthropic"));
        Golden.Check($"{name}.{protocol}.json.golden", json);
    }

    /// <summary>A stream cut anywhere before it told its end must not read as a whole answer.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void Streamed_Cut_NeverReadsAsFinished(string name, string protocol)
    {
        Speech speech = Speech.Of(protocol);
        byte[] sse = Write(ConversationCase.Load(name), speech, stream: true);
        int end = Ends.Select(word => sse.AsSpan().IndexOf(Encoding.UTF8.GetBytes(word))).Where(at => at >= 0).DefaultIfEmpty(sse.Length).Min();
        for (int length = 0; length < end; length += 1 + length / 40)
        {
            SinkRecorder read = new();
            ReadStream(speech.Upstream, read, sse[..length]);
            Assert.NotNull(read.Error);
        }
    }

    public static byte[] Write(ConversationCase conversation, Speech speech, bool stream)
    {
        var output = new ArrayBufferWriter<byte>();
        IResponseWriter writer = speech.Client.CreateWriter(output, Wire.Options(stream, request: conversation.Request));
        conversation.Play(new WholeCharacters(writer));
        return output.WrittenSpan.ToArray();
    }

    public static StreamEnd CheckStream(Speech speech, byte[] sse) => speech.Name switch
    {
        "anthropic" => AnthropicStream.Check(sse),
        "openai" => ChatStream.Check(sse, usageAsked: true),
        "responses" => ResponsesStream.Check(sse),
        _ => GeminiStream.CheckSse(sse),
    };

    /// <summary>Reads a stream to its end, the bytes arriving in these pieces.</summary>
    internal static void ReadStream(IUpstreamProtocol protocol, IResponseSink sink, params byte[][] pieces)
    {
        IResponseReader reader = protocol.CreateReader(sink);
        var frames = new SseReader(ScriptedPipe.Of(pieces));
        while (frames.FillAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
        {
            while (frames.TryRead(out Frame frame)) reader.Read(in frame);
        }
        while (frames.TryRead(out Frame frame)) reader.Read(in frame);
        reader.Complete();
    }

    private static SinkRecorder Told(ConversationCase conversation)
    {
        SinkRecorder recorder = new();
        conversation.Play(recorder);
        return recorder;
    }

    /// <summary>What was written and what is read back are the same, as far as the protocol can say it.</summary>
    internal static void Compare(SinkRecorder told, SinkRecorder read, Speech speech, ChatRequest request, bool keepsBroken)
    {
        if (told.Error is not null)
        {
            Assert.NotNull(read.Error);
            return;
        }
        Assert.Null(read.Error);
        bool[] made = [.. told.Blocks.Where(block => block.Kind is BlockKind.ToolCall or BlockKind.CustomToolCall).Select(block => block.Id.Length == 0)];
        AnswerShape expected = AnswerShape.Of(told, speech, request, ToolNames.Of(request), keepsBroken, made);
        AnswerShape actual = AnswerShape.Of(read, speech, request, null, keepsBroken, made);
        Assert.Equal(expected.Content, actual.Content);
        Assert.Equal(expected.Proofs, actual.Proofs);
        Assert.Equal(expected.Sources, actual.Sources);
        Assert.Equal(expected.End, actual.End);
        Assert.Equal(expected.Usage, actual.Usage);
    }
}
