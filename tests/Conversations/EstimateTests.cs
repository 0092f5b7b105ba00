using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Conversations;

/// <summary>The estimator on the corpus. Nobody has counted these requests with a vendor's tokenizer, and the usage in their answers is invented, so the error is
/// stated against what both vendors publish, about four characters a token, and not against true counts; those few that are known are in TokenEstimatorTests.</summary>
public sealed class EstimateTests(ITestOutputHelper output)
{
    // Per request: turns, calls and the prompt that teaches tool use, which the rule of thumb does not count.
    private static long Flat(ChatRequest request) => TokenEstimator.Estimate(request) - request.System.Sum(text => TextTokens.Count(text.Text.ToString()))
        - request.Turns.Sum(turn => turn.Parts.Sum(part => Texts(part).Sum(text => TextTokens.Count(text)))) - request.Tools.Sum(tool => Texts(tool).Sum(text => TextTokens.Count(text)));

    [Fact]
    public void Corpus_TextIsEstimatedAboveTheRuleOfThumb_ByLessThanDouble()
    {
        double thumb = 0, guessed = 0, flat = 0;
        int count = 0;
        foreach (string name in ConversationCase.Names)
        {
            ChatRequest request = ConversationCase.Load(name).Request;
            if (request.Turns.Any(turn => turn.Parts.Any(HasMedia))) continue;
            double characters = request.System.Sum(text => text.Text.ToString().Length) + request.Turns.Sum(turn => turn.Parts.Sum(part => Texts(part).Sum(text => text.Length)))
                + request.Tools.Sum(tool => Texts(tool).Sum(text => text.Length));
            long estimate = TokenEstimator.Estimate(request), ofFlat = Flat(request);
            Assert.InRange(ofFlat, 4, 2000);
            (thumb, guessed, flat, count) = (thumb + characters / 4, guessed + estimate - ofFlat, flat + ofFlat, count + 1);
            output.WriteLine($"{name}: {estimate} tokens, {ofFlat} of them flat, for {characters} characters");
        }
        output.WriteLine($"{count} requests: text {guessed / thumb:0.00} of the rule of thumb ({guessed} / {thumb}), and {flat / count:0} flat for each");
        Assert.InRange(count, 40, 1000);
        Assert.InRange(guessed / thumb, 1.0, 2.0);
    }

    /// <summary>A client does not see its numbers jump because another upstream answers: the estimate is of the conversation, not of one protocol's way to write it.</summary>
    [Fact]
    public void Corpus_EstimateDependsLittleOnTheProtocol()
    {
        var ratios = new List<double>();
        foreach (string name in ConversationCase.Names)
        {
            // One protocol's provider must be told the tools that a history used, and pays the prompt for them.
            if (name == "history-without-tools") continue;
            // What a server tool found goes back whole to its own provider alone.
            if (name.StartsWith("server-results-", StringComparison.Ordinal)) continue;
            var estimates = new List<long>();
            foreach (Speech speech in Speech.All)
            {
                if (Read(name, speech) is { } request) estimates.Add(TokenEstimator.Estimate(request));
            }
            if (estimates.Count == 0) continue;
            ratios.Add((double)estimates.Max() / estimates.Min());
            output.WriteLine($"{name}: {string.Join(' ', estimates)}");
        }
        ratios.Sort();
        output.WriteLine($"highest over lowest: median {ratios[ratios.Count / 2]:0.00}, worst {ratios[^1]:0.00}");
        Assert.InRange(ratios[ratios.Count / 2], 1.0, 1.01);
        Assert.InRange(ratios[^1], 1.0, 1.7);
    }

    private static ChatRequest? Read(string name, Speech speech)
    {
        var written = new ArrayBufferWriter<byte>();
        try
        {
            ChatRequest request = ConversationCase.Load(name).Request with { Model = speech.Model };
            speech.Upstream.WriteRequest(written, speech.Rules is { } rules ? HistoryRepair.Apply(request, rules) : request);
        }
        catch (ProtocolException)
        {
            return null;
        }
        JsonDocument document = JsonDocument.Parse(written.WrittenMemory, new JsonDocumentOptions { MaxDepth = 256 });
        RequestTarget target = speech.Name == "gemini" ? new RequestTarget(Operation.Generate, speech.Model, false) : new RequestTarget(Operation.Generate);
        return speech.Client.ReadRequest(document.RootElement, speech.Client.ReadHead(target, "", written.WrittenSpan));
    }

    private static bool HasMedia(Part part) => part is MediaPart || (part is ToolResultPart result && result.Content.Any(HasMedia));

    private static IEnumerable<string> Texts(Part part) => part switch
    {
        TextPart text => [text.Text.ToString()],
        ThinkingPart thinking => [thinking.Text.ToString()],
        RefusalPart refusal => [refusal.Text.ToString()],
        ToolCallPart call => [call.Name, Encoding.UTF8.GetString(call.Arguments.Span)],
        ToolResultPart result => result.Content.SelectMany(Texts),
        ForeignPart foreign => [Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(foreign.Raw))],
        _ => [],
    };

    private static IEnumerable<string> Texts(ToolDefinition tool) =>
        [tool.Name, tool.Namespace ?? "", tool.Description?.ToString() ?? "", .. new[] { tool.Schema, tool.Raw }.OfType<JsonElement>().Select(json => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(json)))];
}
