using System.Buffers;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.StreamInvariants;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Conversations;

/// <summary>Random answers through each writer and reader keep texts, names, ids, raw arguments, proofs, usage and the reason, however the bytes arrive.</summary>
public sealed class AnswerPropertyTests
{
    private static readonly FsCheck.Config s_config = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(300);

    private static readonly ChatRequest s_request = new() { Model = "m", Turns = [], Reasoning = new ReasoningRequest { Visible = true } };

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void Streamed_AnySplit_ComesBack(string protocol)
    {
        Speech speech = Speech.Of(protocol);
        Prop.ForAll(RandomConversation.Answers().ToArbitrary(), answer =>
        {
            byte[] sse = Write(speech, answer, stream: true);
            Assert.Equal(StreamEnd.Finished, ConversationAnswerTests.CheckStream(speech, sse));
            SinkRecorder whole = new(), split = new();
            ConversationAnswerTests.ReadStream(speech.Upstream, whole, sse[..]);
            ConversationAnswerTests.ReadStream(speech.Upstream, split, Cut(sse, answer.Seed));
            Assert.Equal(whole.Lines, split.Lines);
            ConversationAnswerTests.Compare(Told(answer), split, speech, s_request, keepsBroken: true);
        }).Check(s_config);
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void Whole_ComesBack(string protocol)
    {
        Speech speech = Speech.Of(protocol);
        Prop.ForAll(RandomConversation.Answers().ToArbitrary(), answer =>
        {
            SinkRecorder read = new();
            speech.Upstream.CreateReader(read).ReadWhole(Write(speech, answer, stream: false));
            ConversationAnswerTests.Compare(Told(answer), read, speech, s_request, keepsBroken: true);
        }).Check(s_config);
    }

    /// <summary>From each protocol into each other: what both can say survives the way through both.</summary>
    [Theory]
    [InlineData("anthropic", "openai")]
    [InlineData("anthropic", "responses")]
    [InlineData("anthropic", "gemini")]
    [InlineData("openai", "anthropic")]
    [InlineData("openai", "responses")]
    [InlineData("openai", "gemini")]
    [InlineData("responses", "anthropic")]
    [InlineData("responses", "openai")]
    [InlineData("responses", "gemini")]
    [InlineData("gemini", "anthropic")]
    [InlineData("gemini", "openai")]
    [InlineData("gemini", "responses")]
    public void Translated_TextsAndCallsSurvive(string upstream, string client)
    {
        Speech from = Speech.Of(upstream), to = Speech.Of(client);
        Prop.ForAll(RandomConversation.Answers().ToArbitrary(), answer =>
        {
            var output = new ArrayBufferWriter<byte>();
            IResponseWriter writer = to.Client.CreateWriter(output, Wire.Options(request: s_request));
            ConversationAnswerTests.ReadStream(from.Upstream, new WholeCharacters(writer), Cut(Write(from, answer, stream: true), answer.Seed));
            byte[] sse = output.WrittenSpan.ToArray();
            Assert.Equal(StreamEnd.Finished, ConversationAnswerTests.CheckStream(to, sse));
            SinkRecorder read = new(), direct = new();
            ConversationAnswerTests.ReadStream(to.Upstream, read, sse);
            ConversationAnswerTests.ReadStream(from.Upstream, direct, Write(from, answer, stream: true));
            foreach (BlockKind kind in (BlockKind[])[BlockKind.Text, BlockKind.Thinking])
            {
                if (to.BlankTexts) Assert.Equal(direct.Text(kind), read.Text(kind));
                else Assert.Equal(direct.Text(kind).TrimEnd(), read.Text(kind).TrimEnd());
            }
            Assert.Equal(Calls(direct, to), Calls(read, to));
        }).Check(s_config.WithMaxTest(100));
    }

    /// <summary>Sorted: calls that are made at once may come in the order in which they become whole.</summary>
    private static List<string> Calls(SinkRecorder recorder, Speech to) =>
        [.. recorder.Blocks.Where(block => block.Kind is BlockKind.ToolCall or BlockKind.CustomToolCall)
            .Select(block => $"{block.Id} {block.Name} {Input(block, to)}").Order(StringComparer.Ordinal)];

    private static string Input(RecordedBlock block, Speech to) => block.Kind == BlockKind.CustomToolCall
        ? to.CustomCalls ? block.Text : $$"""{"input":"{{block.Raw}}"}"""
        : block.Text.Length == 0 ? "{}" : block.Text;

    private static byte[] Write(Speech speech, RandomConversation answer, bool stream)
    {
        var output = new ArrayBufferWriter<byte>();
        answer.Play(speech.Client.CreateWriter(output, Wire.Options(stream, request: s_request)));
        return output.WrittenSpan.ToArray();
    }

    private static SinkRecorder Told(RandomConversation answer)
    {
        SinkRecorder recorder = new();
        answer.Play(recorder);
        return recorder;
    }

    private static byte[][] Cut(byte[] bytes, int seed)
    {
        var random = new Random(seed);
        var pieces = new List<byte[]>();
        for (int at = 0; at < bytes.Length;)
        {
            int length = Math.Min(bytes.Length - at, random.Next(4) == 0 ? 1 : random.Next(1, 90));
            pieces.Add(bytes[at..(at + length)]);
            at += length;
        }
        return [.. pieces];
    }
}
