using System.Buffers;
using System.Text;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Conversations;

/// <summary>Damaged answers of the corpus, streamed and whole: a reader keeps to the sink's contract and throws nothing but what it declares.</summary>
public sealed class CorpusFuzzTests
{
    private const int Rounds = 12;

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void DamagedAnswer_IsReadOrFails_NothingElse(string protocol)
    {
        Speech speech = Speech.Of(protocol);
        foreach (string file in Directory.GetFiles(ConversationCase.Folder, $"*.{protocol}.*.golden").Order(StringComparer.Ordinal))
        {
            byte[] answer = File.ReadAllBytes(file);
            bool isStream = file.EndsWith(".sse.golden", StringComparison.Ordinal);
            for (int round = 0; round < Rounds; round++)
            {
                byte[] damaged = Wire.Mutate(answer, new Random(HashOf(file) + round));
                SinkRecorder recorder = new();
                Read(speech, recorder, damaged, isStream);
            }
        }
    }

    /// <summary>What a damaged upstream says reaches a client of any protocol as a legal stream.</summary>
    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void DamagedStream_Translated_ObeysTheClientsGrammar(string protocol)
    {
        Speech from = Speech.Of(protocol);
        foreach (string file in Directory.GetFiles(ConversationCase.Folder, $"*.{protocol}.sse.golden").Order(StringComparer.Ordinal))
        {
            byte[] answer = File.ReadAllBytes(file);
            for (int round = 0; round < Rounds; round++)
            {
                byte[] damaged = Wire.Mutate(answer, new Random(HashOf(file) - round));
                foreach (Speech to in Speech.All)
                {
                    var output = new ArrayBufferWriter<byte>();
                    IResponseWriter writer = to.Client.CreateWriter(output, Wire.Options());
                    var watch = new Watch(new WholeCharacters(writer), TimeProvider.System);
                    Read(from, watch, damaged, isStream: true);
                    if (!watch.IsFinished) writer.Fail(watch.Failure ?? new ProxyError(ErrorKind.BadGateway, "cut"));
                    try
                    {
                        ConversationAnswerTests.CheckStream(to, output.WrittenSpan.ToArray());
                    }
                    catch (Exception broken)
                    {
                        string where = $"{Path.GetFileName(file)}, round {round}, to {to.Name}";
                        throw new InvalidOperationException($"{where}: {broken.Message}\n{Encoding.UTF8.GetString(damaged)}", broken);
                    }
                }
            }
        }
    }

    private static void Read(Speech speech, IResponseSink sink, byte[] body, bool isStream)
    {
        try
        {
            if (isStream) ConversationAnswerTests.ReadStream(speech.Upstream, sink, [.. body]);
            else speech.Upstream.CreateReader(sink).ReadWhole(body);
        }
        catch (Exception declared) when (declared is ProtocolException or FrameException)
        {
            // The pump makes a failure of it.
        }
    }

    /// <summary>The same for each run, unlike a string's own.</summary>
    private static int HashOf(string file) => Path.GetFileName(file).Aggregate(17, (hash, letter) => unchecked(hash * 31 + letter)) & 0xFFFFFF;
}
