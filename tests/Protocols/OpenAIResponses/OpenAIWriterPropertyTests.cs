using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;
using Aiproxy.Tests.Protocols.OpenAIChat;

namespace Aiproxy.Tests.Protocols.OpenAIResponses;

/// <summary>Any legal order of events, overlapping blocks included, gives a stream that obeys its grammar and says the same as the whole form.</summary>
public sealed class OpenAIWriterPropertyTests
{
    /// <summary>The same seed always makes the same calls.</summary>
    private static void Play(IResponseSink sink, int seed, bool isCut)
    {
        var random = new Random(seed);
        var open = new List<(int Block, BlockKind Kind)>();
        if (random.Next(8) > 0) sink.Start("id"u8, "m"u8);
        int next = 0;
        for (int step = random.Next(0, 40); step > 0; step--)
        {
            if (sink is IResponseWriter writer && random.Next(10) == 0) writer.Keepalive();
            switch (random.Next(6))
            {
                case 0 or 1 when open.Count < 4:
                    var kind = (BlockKind)random.Next(6);
                    open.Add((next, kind));
                    sink.BlockStart(next++, kind, random.Next(3) == 0 ? default : Encoding.ASCII.GetBytes($"c{random.Next(3)}"), kind is BlockKind.ToolCall or BlockKind.CustomToolCall ? "f"u8 : default);
                    break;
                case 2 when open.Count > 0:
                    (int block, BlockKind ended) = open[random.Next(open.Count)];
                    if (ended == BlockKind.ToolCall && random.Next(2) == 0) sink.BlockDelta(block, "\"{\\\"a\\\":1}\""u8);
                    open.RemoveAll(one => one.Block == block);
                    sink.BlockEnd(block);
                    break;
                case 3 when open.Count > 0:
                    sink.BlockSeal(open[random.Next(open.Count)].Block, (SealKind)random.Next(5), "\"proof\""u8);
                    break;
                case 4 when random.Next(5) == 0:
                    sink.Usage(new TokenUsage { Input = random.Next(100), Output = random.Next(100) });
                    break;
                default:
                    if (open.Count == 0) break;
                    (int target, BlockKind type) = open[random.Next(open.Count)];
                    if (type is not (BlockKind.ToolCall or BlockKind.Foreign)) sink.BlockDelta(target, random.Next(4) == 0 ? "\"\""u8 : Encoding.UTF8.GetBytes($"\"x{step}\\n\""));
                    break;
            }
        }
        if (isCut)
        {
            sink.Fail(new ProxyError(ErrorKind.BadGateway, "cut"));
            return;
        }
        foreach ((int block, _) in open) sink.BlockEnd(block);
        sink.Finish((FinishReason)random.Next(7));
    }

    private static string Write(IClientProtocol protocol, bool stream, int seed, bool isCut)
    {
        var output = new ArrayBufferWriter<byte>();
        Play(protocol.CreateWriter(output, OpenAITranscript.Options(stream)), seed, isCut);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    [Fact]
    public void Responses_AnyOrder_ObeysTheGrammar()
    {
        for (int seed = 0; seed < 1500; seed++)
        {
            string stream = Write(new OpenAIResponsesProtocol(), true, seed, seed % 3 == 0);
            JsonElement response = ResponsesGrammar.Check(stream);
            if (seed % 3 == 0)
            {
                Assert.Equal("failed", response.GetProperty("status").GetString());
                continue;
            }
            using JsonDocument whole = JsonDocument.Parse(Write(new OpenAIResponsesProtocol(), false, seed, false));
            Assert.Equal(response.GetRawText(), whole.RootElement.GetRawText());
            var sink = new OpenAIRecorder();
            OpenAITranscript.Feed(new OpenAIResponsesResponseReader(sink), stream);
            Assert.NotNull(sink.Reason);
        }
    }

    [Fact]
    public void Chat_AnyOrder_ObeysTheGrammar()
    {
        for (int seed = 0; seed < 1500; seed++)
        {
            bool isCut = seed % 3 == 0;
            string stream = Write(new OpenAIChatProtocol(), true, seed, isCut);
            List<(string Event, string Data)> events = OpenAITranscript.Split(stream);
            Assert.Equal(!isCut, events[^1].Data == "[DONE]");
            List<JsonElement> chunks = [.. events.Where(static one => one.Data != "[DONE]").Select(static one => JsonDocument.Parse(one.Data).RootElement)];
            List<JsonElement> choices = [.. chunks.Where(static chunk => chunk.TryGetProperty("choices", out _)).SelectMany(static chunk => chunk.GetProperty("choices").EnumerateArray())];
            if (choices.Count > 0) Assert.Equal("assistant", choices[0].GetProperty("delta").GetProperty("role").GetString());
            Assert.Equal(isCut ? 0 : 1, choices.Count(static choice => choice.GetProperty("finish_reason").ValueKind == JsonValueKind.String));
            List<long> indices = [.. choices.Where(static choice => choice.GetProperty("delta").TryGetProperty("tool_calls", out _))
                .SelectMany(static choice => choice.GetProperty("delta").GetProperty("tool_calls").EnumerateArray()).Select(static call => call.GetProperty("index").GetInt64()).Distinct()];
            Assert.Equal(Enumerable.Range(0, indices.Count).Select(static i => (long)i), indices.Order());
            if (isCut) continue;
            JsonElement whole = JsonDocument.Parse(Write(new OpenAIChatProtocol(), false, seed, false)).RootElement.GetProperty("choices")[0];
            string text = string.Concat(choices.Select(static choice => choice.GetProperty("delta").TryGetProperty("content", out JsonElement content) ? content.GetString() : ""));
            Assert.Equal(text, whole.GetProperty("message").GetProperty("content").GetString() ?? "");
            Assert.Equal(choices[^1].GetProperty("finish_reason").GetString(), whole.GetProperty("finish_reason").GetString());
            Assert.Equal(indices.Count, whole.GetProperty("message").TryGetProperty("tool_calls", out JsonElement calls) ? calls.GetArrayLength() : 0);
        }
    }
}
