using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Conversations;

/// <summary>Damaged answers and requests of the corpus: a reader keeps to its contract and throws nothing but what it declares, and what is written of it is whole.</summary>
/// <remarks>Each test says how many cases it read. <c>AIPROXY_FUZZ_ROUNDS</c> makes the run longer; every round damages every file another way.</remarks>
public sealed class CorpusFuzzTests(ITestOutputHelper output)
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("AIPROXY_FUZZ_ROUNDS"), out int rounds) ? rounds : 12;

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void DamagedAnswer_IsReadOrFails_NothingElse(string protocol)
    {
        Speech speech = Speech.Of(protocol);
        int cases = 0;
        foreach (string kind in (string[])["json", "sse"])
        {
            foreach (string file in Files(protocol, kind))
            {
                byte[] answer = File.ReadAllBytes(file);
                for (int round = 0; round < Rounds; round++, cases++)
                {
                    bool isJson = kind == "json" && round % 2 == 0;
                    byte[] damaged = isJson ? JsonDamage.Make(answer, RandomOf(file, round)) : Wire.Mutate(answer, RandomOf(file, round));
                    SinkRecorder recorder = new();
                    Read(speech, recorder, damaged, kind == "sse");
                }
            }
        }
        output.WriteLine($"{cases} damaged {protocol} answers");
    }

    /// <summary>A request is read whole or refused with a reason, and each upstream's body for it is JSON, the same each time, and nothing that the vendor refuses.</summary>
    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void DamagedRequest_IsWrittenWholeOrRefused(string protocol)
    {
        Speech from = Speech.Of(protocol);
        int cases = 0, written = 0, refused = 0;
        var faults = new List<string>();
        foreach (string file in Files(protocol, "request"))
        {
            byte[] request = File.ReadAllBytes(file);
            if (!request.AsSpan().StartsWith("{"u8)) continue;
            for (int round = 0; round < Rounds; round++, cases++)
            {
                // Bytes that are wrong mostly make it no JSON.
                byte[] damaged = round % 6 == 0 ? Wire.Mutate(request, RandomOf(file, round)) : JsonDamage.Make(request, RandomOf(file, round));
                try
                {
                    using JsonDocument? document = Parse(damaged);
                    if (document is null || Read(from, damaged, document) is not { } read) continue;
                    foreach (Speech to in Speech.All)
                    {
                        if (Write(to, read) is not { } body)
                        {
                            refused++;
                            continue;
                        }
                        written++;
                        // A client's own protocol is never written anew: what is wrong in it is the upstream's to tell.
                        if (to != from) faults.AddRange(WireRules.WireRules.Check(to.Name, body).Select(fault => $"to {to.Name}: {fault} ({Path.GetFileName(file)}, round {round})"));
                    }
                }
                catch (Exception broken)
                {
                    throw new InvalidOperationException($"{Path.GetFileName(file)}, round {round}: {broken.Message}\n{Encoding.UTF8.GetString(damaged)}", broken);
                }
            }
        }
        output.WriteLine($"{cases} damaged {protocol} requests, {written} bodies written, {refused} refused");
        Assert.True(faults.Count == 0, string.Join('\n', faults.Take(4000)));
        Assert.True(written > cases / 4, $"only {written} bodies of {cases} requests: the damage is too heavy to say anything");
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
        int cases = 0;
        foreach (string file in Files(protocol, "sse"))
        {
            byte[] answer = File.ReadAllBytes(file);
            for (int round = 0; round < Rounds; round++, cases++)
            {
                byte[] damaged = Wire.Mutate(answer, RandomOf(file, -1 - round));
                foreach (Speech to in Speech.All)
                {
                    var written = new ArrayBufferWriter<byte>();
                    IResponseWriter writer = to.Client.CreateWriter(written, Wire.Options());
                    var watch = new Watch(new WholeCharacters(writer), TimeProvider.System);
                    Read(from, watch, damaged, isStream: true);
                    if (!watch.IsFinished) writer.Fail(watch.Failure ?? new ProxyError(ErrorKind.BadGateway, "cut"));
                    try
                    {
                        ConversationAnswerTests.CheckStream(to, written.WrittenSpan.ToArray());
                    }
                    catch (Exception broken)
                    {
                        string where = $"{Path.GetFileName(file)}, round {round}, to {to.Name}";
                        throw new InvalidOperationException($"{where}: {broken.Message}\n{Encoding.UTF8.GetString(damaged)}", broken);
                    }
                }
            }
        }
        output.WriteLine($"{cases} damaged {protocol} streams, each to {Speech.All.Count} clients");
    }

    private static IEnumerable<string> Files(string protocol, string kind) =>
        Directory.GetFiles(ConversationCase.Folder, $"*.{protocol}.{kind}.golden").Order(StringComparer.Ordinal);

    /// <summary>Null: it is no JSON any more.</summary>
    private static JsonDocument? Parse(byte[] body)
    {
        try
        {
            return JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 256 });
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Null: refused.</summary>
    private static ChatRequest? Read(Speech speech, byte[] body, JsonDocument document)
    {
        try
        {
            RequestTarget target = speech.Name == "gemini" ? new RequestTarget(Operation.Generate, speech.Model, false) : new RequestTarget(Operation.Generate);
            return speech.Client.ReadRequest(document.RootElement, speech.Client.ReadHead(target, "", body));
        }
        catch (ProtocolException refused)
        {
            Assert.NotEmpty(refused.Error.Message);
            return null;
        }
    }

    /// <summary>Null: refused.</summary>
    private static byte[]? Write(Speech speech, ChatRequest request)
    {
        request = request with { Model = speech.Model };
        try
        {
            byte[] first = Once(), second = Once();
            Assert.Equal(first, second);
            JsonDocument.Parse(first, new JsonDocumentOptions { MaxDepth = 512 }).Dispose();
            return BrokenText.Mend(first).ToArray();
        }
        catch (ProtocolException refused)
        {
            Assert.NotEmpty(refused.Error.Message);
            return null;
        }

        byte[] Once()
        {
            var body = new ArrayBufferWriter<byte>();
            speech.Upstream.WriteRequest(body, request);
            return body.WrittenSpan.ToArray();
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

    /// <summary>The same for each run, unlike a string's own hash.</summary>
    private static Random RandomOf(string file, int round) =>
        new(unchecked(Path.GetFileName(file).Aggregate(17, (hash, letter) => hash * 31 + letter) * 65_537 + round));
}
