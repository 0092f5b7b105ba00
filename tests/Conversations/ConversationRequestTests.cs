using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Conversations;

/// <summary>Each request of the corpus in each upstream protocol: legal JSON that the protocol's own reader takes, the same bytes every time, and what the
/// golden file has. A refusal is golden too, with its path.</summary>
public sealed class ConversationRequestTests
{
    public static TheoryData<string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string>();
            foreach (string name in ConversationCase.Names)
            {
                foreach (Speech speech in Speech.All) pairs.Add(name, speech.Name);
            }
            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Written_IsReadable_Repeatable_AndGolden(string name, string protocol)
    {
        Speech speech = Speech.Of(protocol);
        byte[]? body = Write(name, speech, out string? refusal);
        if (refusal is not null)
        {
            Golden.Check($"{name}.{protocol}.request.golden", Encoding.UTF8.GetBytes($"refused: {refusal}\n"));
            return;
        }
        Assert.SkipWhen(body is null, $"{protocol} writes no requests yet");

        Assert.Equal(body, Write(name, speech, out _));
        using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 256 });
        RequestTarget target = speech.Name == "gemini" ? new RequestTarget(Operation.Generate, speech.Model, false) : new RequestTarget(Operation.Generate);
        CheckPairs(speech.Client.ReadRequest(document.RootElement, speech.Client.ReadHead(target, "", body)));
        Golden.Check($"{name}.{protocol}.request.golden", body);
    }

    private static byte[]? Write(string name, Speech speech, out string? refusal)
    {
        refusal = null;
        var output = new ArrayBufferWriter<byte>();
        try
        {
            ConversationCase conversation = ConversationCase.Load(name);
            ChatRequest request = conversation.Request with { Model = conversation.Model(speech) };
            speech.Upstream.WriteRequest(output, speech.Rules is { } rules ? HistoryRepair.Apply(request, rules) : request);
        }
        catch (NotSupportedException)
        {
            return null;
        }
        catch (ProtocolException refused)
        {
            refusal = $"{refused.Error.Kind} {refused.Error.Param}: {refused.Error.Message}";
            return null;
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>No history that leaves here has a call without its result or a result without its call.</summary>
    private static void CheckPairs(ChatRequest request)
    {
        var open = new List<string>();
        for (int i = 0; i < request.Turns.Count; i++)
        {
            foreach (Part part in request.Turns[i].Parts)
            {
                if (part is ToolCallPart call) open.Add(call.Id ?? call.Name);
                else if (part is ToolResultPart result) Assert.True(open.Remove(result.CallId ?? result.Name ?? ""), $"turn {i}: a result of no call");
            }
        }
        Assert.Empty(open);
    }
}
