using System.Buffers;
using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.StreamInvariants;

namespace Aiproxy.Tests.Conversations;

/// <summary>Each answer of the corpus in each client protocol, streamed and whole: obeys the protocol's grammar, says what it should, and is what the golden file has.</summary>
public sealed class ConversationAnswerTests
{
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
        ReadStream(speech.Upstream, sse, read);
        Compare(told, read, speech, conversation, keepsBroken: speech.Name != "gemini");
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
        Compare(told, read, speech, conversation, keepsBroken: speech.Name is not ("gemini" or "anthropic"));
        Golden.Check($"{name}.{protocol}.json.golden", json);
    }

    /// <summary>A stream cut anywhere before its end must not read as a whole answer.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void Streamed_Cut_NeverReadsAsFinished(string name, string protocol)
    {
        Speech speech = Speech.Of(protocol);
        string sse = Encoding.UTF8.GetString(Write(ConversationCase.Load(name), speech, stream: true));
        List<(string Event, string Data)> events = Wire.Events(sse);
        string[] ends = ["message_delta", "message_stop", "response.completed", "response.incomplete", "[DONE]"];
        int last = events.FindIndex(item => ends.Contains(item.Event) || ends.Contains(item.Data) || HasEnd(item.Data));
        for (int count = 0; count < (last < 0 ? events.Count : last); count++)
        {
            SinkRecorder read = new();
            IResponseReader reader = speech.Upstream.CreateReader(read);
            for (int i = 0; i < count; i++) Wire.Push(reader, events[i].Data, events[i].Event);
            reader.Complete();
            Assert.NotNull(read.Error);
        }

        static bool HasEnd(string data) => data.Contains("\"finishReason\":", StringComparison.Ordinal) || data.Contains("\"finish_reason\":\"", StringComparison.Ordinal);
    }

    public static byte[] Write(ConversationCase conversation, Speech speech, bool stream)
    {
        var output = new ArrayBufferWriter<byte>();
        conversation.Play(speech.Client.CreateWriter(output, Wire.Options(stream, request: conversation.Request)));
        return output.WrittenSpan.ToArray();
    }

    public static StreamEnd CheckStream(Speech speech, byte[] sse) => speech.Name switch
    {
        "anthropic" => AnthropicStream.Check(sse),
        "openai" => ChatStream.Check(sse, usageAsked: true),
        "responses" => ResponsesStream.Check(sse),
        _ => GeminiStream.CheckSse(sse),
    };

    internal static void ReadStream(IUpstreamProtocol protocol, byte[] sse, IResponseSink sink) => Wire.Read(protocol, Encoding.UTF8.GetString(sse), sink);

    private static SinkRecorder Told(ConversationCase conversation)
    {
        SinkRecorder recorder = new();
        conversation.Play(recorder);
        return recorder;
    }

    private static void Compare(SinkRecorder told, SinkRecorder read, Speech speech, ConversationCase conversation, bool keepsBroken)
    {
        if (told.Error is not null)
        {
            Assert.NotNull(read.Error);
            return;
        }
        Assert.Null(read.Error);
        AnswerShape expected = AnswerShape.Of(told, speech, conversation.Request, keepsBroken), actual = AnswerShape.Of(read, speech, conversation.Request, keepsBroken);
        Assert.Equal(expected.Content, actual.Content);
        Assert.Equal(expected.Proofs, actual.Proofs);
        Assert.Equal(expected.End, actual.End);
        Assert.Equal(expected.Usage, actual.Usage);
    }
}
