using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Tests.Protocols.OpenAIChat;

/// <summary>Damaged transcripts: nothing throws, exactly one end is told, and what the writers make of it stays JSON.</summary>
public sealed class OpenAIFuzzTests
{
    private static readonly string[] s_pieces =
        ["null", "{}", "[]", "\"\"", "-1", "1e99", "true", "\"\\ud800\"", "[[[[", "}", "\"", "\\", "\"type\":5", "\"index\":\"x\"", "\"output_index\":-5", "\"choices\":{}", "\"delta\":[1]", "\u0000", "é", "\"id\":null", "\"name\":\"\""];

    private static byte[] Mutate(string text, Random random)
    {
        var bytes = new List<byte>(Encoding.UTF8.GetBytes(text));
        for (int round = random.Next(1, 6); round > 0 && bytes.Count > 2; round--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 12)));
                    break;
                case 2:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(s_pieces[random.Next(s_pieces.Length)]));
                    break;
                case 3:
                    int colon = bytes.IndexOf((byte)':', at);
                    int comma = colon < 0 ? -1 : bytes.FindIndex(colon, static one => one is (byte)',' or (byte)'}');
                    if (comma < 0) break;
                    bytes.RemoveRange(colon + 1, comma - colon - 1);
                    bytes.InsertRange(colon + 1, Encoding.UTF8.GetBytes(s_pieces[random.Next(s_pieces.Length)]));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }
        return [.. bytes];
    }

    private static void Run(string transcript, int seed, Func<IResponseSink, IResponseReader> create)
    {
        List<(string Event, string Data)> events = OpenAITranscript.Split(OpenAITranscript.Load(transcript));
        foreach (IClientProtocol client in new IClientProtocol[] { new OpenAIChatProtocol(), new OpenAIResponsesProtocol() })
        {
            var random = new Random(seed);
            var output = new ArrayBufferWriter<byte>();
            var copied = new ArrayBufferWriter<byte>();
            var recorder = new OpenAIRecorder();
            IResponseReader[] readers = [create(recorder), create(client.CreateWriter(output, OpenAITranscript.Options(stream: seed % 2 == 0)))];
            foreach ((string name, string data) in events)
            {
                byte[] bytes = random.Next(6) == 0 ? Mutate(data, random) : Encoding.UTF8.GetBytes(data);
                if (random.Next(20) == 0) continue;
                foreach (IResponseReader reader in readers)
                {
                    reader.Read(new Frame { Event = Encoding.UTF8.GetBytes(name), Data = bytes });
                    if (random.Next(10) == 0) reader.WriteKeepalive(copied);
                }
            }
            foreach (IResponseReader reader in readers)
            {
                reader.Complete();
                reader.WriteFailure(copied, new ProxyError(ErrorKind.BadGateway, "x"));
            }
            Assert.True(recorder.Reason is null != recorder.Error is null);
            foreach ((string Event, string Data) one in OpenAITranscript.Split(Latin(output.WrittenSpan)).Concat(OpenAITranscript.Split(Latin(copied.WrittenSpan))))
            {
                if (one.Data != "[DONE]") JsonDocument.Parse(one.Data, new JsonDocumentOptions { MaxDepth = 512 }).Dispose();
            }
        }
    }

    /// <summary>A byte a character: broken UTF-8 inside of strings is not this test's matter.</summary>
    private static string Latin(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    [Fact]
    public void DamagedChatStream_NeverThrows()
    {
        for (int seed = 0; seed < 1000; seed++) Run("openai/stream.sse", seed, static sink => new OpenAIChatResponseReader(sink));
    }

    [Fact]
    public void DamagedResponsesStream_NeverThrows()
    {
        for (int seed = 0; seed < 1000; seed++) Run("responses/stream.sse", seed, static sink => new OpenAIResponsesResponseReader(sink));
    }

    [Fact]
    public void DamagedWholeAnswer_NeverThrows()
    {
        for (int seed = 0; seed < 600; seed++)
        {
            foreach (string name in new[] { "openai/whole.json", "responses/whole.json" })
            {
                byte[] body = Mutate(OpenAITranscript.Load(name), new Random(seed));
                foreach (bool isChat in new[] { true, false })
                {
                    var sink = new OpenAIRecorder();
                    IResponseReader reader = isChat ? new OpenAIChatResponseReader(sink) : new OpenAIResponsesResponseReader(sink);
                    reader.ReadWhole(body);
                    reader.Complete();
                    Assert.True(sink.Reason is null != sink.Error is null);
                    Assert.NotNull(OpenAIErrorReader.Read(seed, body).Message);
                }
            }
        }
    }

    [Fact]
    public void DamagedRequest_IsReadOrRefused()
    {
        string[] requests =
        [
            """{"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"stop":"x","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}}""",
            """{"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},{"type":"reasoning","summary":[{"type":"summary_text","text":"t"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"r"}],"tools":[{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]}],"text":{"format":{"type":"json_object"}},"reasoning":{"effort":"low"}}""",
        ];
        for (int seed = 0; seed < 2000; seed++)
        {
            byte[] body = Mutate(requests[seed % 2], new Random(seed));
            JsonDocument document;
            try
            {
                document = JsonDocument.Parse(body);
            }
            catch (JsonException)
            {
                continue;
            }
            foreach (IClientProtocol protocol in new IClientProtocol[] { new OpenAIChatProtocol(), new OpenAIResponsesProtocol() })
            {
                try
                {
                    protocol.ReadRequest(document.RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = false });
                }
                catch (ProtocolException)
                {
                    // Refused with a reason: as it should be.
                }
            }
        }
    }
}
