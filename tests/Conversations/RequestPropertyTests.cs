using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Conversations;

/// <summary>Random histories written in one protocol, read, written in another and read again keep all texts, calls with ids, names and raw arguments, and
/// each result with its call; no call is left without a result.</summary>
public sealed class RequestPropertyTests
{
    public static TheoryData<string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string>();
            foreach (Speech from in Speech.All)
            {
                foreach (Speech to in Speech.All) pairs.Add(from.Name, to.Name);
            }
            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void History_ThroughEachPair_IsKept(string client, string upstream)
    {
        Speech from = Speech.Of(client), to = Speech.Of(upstream);
        Prop.ForAll(Gen.Choose(0, 1_000_000).ToArbitrary(), seed =>
        {
            ChatRequest made = RandomRequest.Make(seed);
            byte[] first = Write(from, made);
            using JsonDocument firstJson = JsonDocument.Parse(first);
            ChatRequest read = Read(from, first, firstJson);
            byte[] second = Write(to, read);
            Assert.Equal(second, Write(to, read));
            Assert.Empty(WireRules.WireRules.Check(upstream, second));
            using JsonDocument secondJson = JsonDocument.Parse(second);
            ChatRequest again = Read(to, second, secondJson);

            ChatRequest expected = HistoryRepair.Apply(made, from.Rules ?? new HistoryRules());
            Assert.Equal(Texts(expected, TurnRole.Assistant), Texts(again, TurnRole.Assistant));
            Assert.Equal(Texts(expected, TurnRole.User), Texts(again, TurnRole.User));
            Assert.Equal(Squeeze(expected.System), Squeeze(again.System));
            Assert.Equal(Calls(expected), Calls(again));
            Assert.Equal(Results(expected), Results(again));
            Assert.Equal(expected.Tools.Select(tool => tool.Name), again.Tools.Select(tool => tool.Name));
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(60));
    }

    private static byte[] Write(Speech speech, ChatRequest request)
    {
        var output = new ArrayBufferWriter<byte>();
        request = request with { Model = speech.Model };
        speech.Upstream.WriteRequest(output, speech.Rules is { } rules ? HistoryRepair.Apply(request, rules) : request);
        return output.WrittenSpan.ToArray();
    }

    private static ChatRequest Read(Speech speech, byte[] body, JsonDocument json)
    {
        RequestTarget target = speech.Name == "gemini" ? new RequestTarget(Operation.Generate, speech.Model, false) : new RequestTarget(Operation.Generate);
        return speech.Client.ReadRequest(json.RootElement, speech.Client.ReadHead(target, "", body));
    }

    private static string Texts(ChatRequest request, TurnRole role) =>
        Squeeze(request.Turns.Where(turn => turn.Role == role).SelectMany(turn => turn.Parts).OfType<TextPart>());

    /// <summary>Borders between texts are not the same everywhere, so white space does not count.</summary>
    private static string Squeeze(IEnumerable<Part> parts) =>
        string.Concat(parts.OfType<TextPart>().SelectMany(part => part.Text.ToString()).Where(letter => !char.IsWhiteSpace(letter)));

    private static List<string> Calls(ChatRequest request) =>
        [.. request.Turns.SelectMany(turn => turn.Parts).OfType<ToolCallPart>()
            .Select(call => $"{call.Id} {call.Name} {Encoding.UTF8.GetString(call.Arguments.Span)}")];

    private static List<string> Results(ChatRequest request) =>
        [.. request.Turns.SelectMany(turn => turn.Parts).OfType<ToolResultPart>().Select(result => $"{result.CallId} {Plain(Squeeze(result.Content))}")];

    /// <summary>Some protocols have no mark of failure but a word in front.</summary>
    private static string Plain(string text) => text.StartsWith("Error:", StringComparison.Ordinal) ? text["Error:".Length..] : text;
}
