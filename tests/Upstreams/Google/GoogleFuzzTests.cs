using System.Text;
using Aiproxy.Config;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.EventStream;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Upstreams;
using Aiproxy.Upstreams.Google;

namespace Aiproxy.Tests.Upstreams.Google;

/// <summary>Damaged input ends in an answer or a refusal, never in another exception.</summary>
public sealed class GoogleFuzzTests
{
    private const string Body = """
        {"system_instruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"a"},{"inline_data":{"mime_type":"a/b","data":"eA=="}}]},
          {"role":"model","parts":[{"text":"t","thought":true},{"text":"","thoughtSignature":"c2ln"},{"functionCall":{"id":"c","name":"f \ud83d","args":{"a":1}},"thoughtSignature":"c2ln"}]},
          {"role":"user","parts":[{"functionResponse":{"id":"c","name":"f","response":{"a":[1]},"parts":[{"inline_data":{"data":"eA=="}}]}}]}],
         "tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"object","properties":{"a":{"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}]}},"required":["a"],"$defs":{"A":{"enum":[1]}}},"response":{"type":"string"}}]},{"google_search":{}}],
         "tool_config":{"function_calling_config":{"mode":"ANY","allowed_function_names":["f"]}},"safetySettings":[],
         "generation_config":{"maxOutputTokens":"99","thinkingConfig":{"thinkingBudget":2048,"thinkingLevel":"HIGH"},"responseSchema":{"type":"object"}}}
        """;

    [Fact]
    public void DamagedRequest_IsSentOrRefused()
    {
        var random = new Random(7);
        int sent = 0;
        (GoogleRig Rig, string Model)[] targets = [(new("geminicli"), "gemini-3-flash"), (new("antigravity"), "claude-opus-4-6-thinking"), (new("antigravity"), "gemini-3.1-pro-low"), (new("antigravity"), "gpt-oss-120b")];
        for (int i = 0; i < 4_000; i++)
        {
            string body = Encoding.UTF8.GetString(Wire.Mutate(Encoding.UTF8.GetBytes(Body), random));
            (GoogleRig rig, string model) = targets[i % targets.Length];
            try
            {
                using var test = new TestExchange("gemini", clock: rig.Clock, model: model, body: body, operation: i % 5 == 0 ? Operation.CountTokens : Operation.Generate);
                UpstreamConfig config = TestExchange.Upstream(rig.Name);
                var target = new UpstreamTarget(config, rig.Type, rig.Type.ProtocolFor(test.Exchange.Protocol, config)!, model, null, 0);
                var request = new WireRequest(test.Exchange, target, i % 2 == 0 ? new Mend { DropsProofs = true } : null);
                IReadOnlyList<ReadOnlyMemory<byte>> written = rig.Type.Wire!.Body(request, [test.Exchange.Body]);
                System.Text.Json.JsonDocument.Parse(written[0], new System.Text.Json.JsonDocumentOptions { MaxDepth = 300 });
                sent++;
            }
            catch (ProtocolException)
            {
                // Refused.
            }
        }
        Assert.InRange(sent, 400, 4_000);
    }

    [Fact]
    public async Task DamagedAnswer_IsReadToItsEnd()
    {
        var random = new Random(8);
        var names = new Dictionary<string, string> { ["f"] = "g" };
        var cuts = new Dictionary<string, ArgumentCut> { ["f"] = new("_", new Dictionary<string, ArgumentCut>(), null) };
        var opening = new EnvelopeOpening(names, cuts, new ClaudeSignatures(new FakeClock()), "claude-x");
        byte[] stream = Encoding.UTF8.GetBytes(GoogleRig.Events(
            GoogleRig.Text("a\u00e4"), GoogleRig.Parts("""{"functionCall":{"name":"f","args":{"_":true,"a":{"b":[1]}}},"thoughtSignature":"RXNpZw=="}""", "STOP"), """[{"error":{"code":500}}]"""));
        for (int i = 0; i < 4_000; i++)
        {
            byte[] damaged = Wire.Mutate(stream, random);
            await using (var frames = new GoogleEnvelope(new SseReader(ScriptedPipe.Whole(damaged)), opening))
            {
                var sink = new SinkRecorder();
                IResponseReader reader = new GeminiProtocol().CreateReader(sink);
                while (await frames.FillAsync(CancellationToken.None))
                    while (frames.TryRead(out Frame frame)) reader.Read(in frame);
                reader.Complete();
            }
            opening.Whole(damaged);
            CountAnswer.Complete(damaged);
            CodeAssistError.Read(damaged).Delay(DateTimeOffset.UnixEpoch);
        }
    }
}
