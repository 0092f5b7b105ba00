using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols;

public sealed class EnvelopeCutTests
{
    private static readonly string s_thought = SealEnvelope.Wrap(new Seal(SealKind.Thought, "", "c2ln"));

    private static string? Cut(string body, string protocol, string model = "m") =>
        EnvelopeCut.Apply(Encoding.UTF8.GetBytes(body.Replace("ENVELOPE", s_thought)), protocol, model) is { } cut ? Encoding.UTF8.GetString(cut) : null;

    [Theory]
    [InlineData("""[ {"type":"thinking","thinking":"","signature":"ENVELOPE"} , {"type":"text","text":"a"} ]""", """[  {"type":"text","text":"a"} ]""")]
    [InlineData("""[{"type":"text","text":"a"}, {"type":"thinking","thinking":"hm","signature":"ENVELOPE"}]""", """[{"type":"text","text":"a"}]""")]
    [InlineData("""[{"type":"text","text":"a,b"},{"type":"thinking","thinking":"","signature":"ENVELOPE"},{"signature":"ENVELOPE","type":"thinking","thinking":","}]""", """[{"type":"text","text":"a,b"}]""")]
    [InlineData("""[{"type":"thinking","thinking":"own","signature":"c2ln"},{"type":"redacted_thinking","data":"ENVELOPE"},{"type":"tool_use","id":"t","name":"f","input":{"signature":"ENVELOPE","type":"thinking"}}]""",
        """[{"type":"thinking","thinking":"own","signature":"c2ln"},{"type":"tool_use","id":"t","name":"f","input":{"signature":"ENVELOPE","type":"thinking"}}]""")]
    public void E33_Messages_ThinkingBlockInAnEnvelopeGoes(string content, string left)
    {
        string body = "{\"model\":\"m\", \"messages\" : [{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":CONTENT}], \"x\":1.50}";
        Assert.Equal(body.Replace("CONTENT", left).Replace("ENVELOPE", s_thought), Cut(body.Replace("CONTENT", content), "anthropic"));
    }

    [Fact]
    public void E33_NoProofEnvelope_GoesToo_AndAMessageThatIsLeftEmpty()
    {
        string body = $$"""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"{{SealEnvelope.Nothing}}"}]},{"role":"user","content":"more"}]}""";
        Assert.Equal("""{"messages":[{"role":"user","content":"q"},{"role":"user","content":"more"}]}""", Cut(body, "anthropic"));
    }

    [Theory]
    [InlineData("anthropic", """{"messages":[{"role":"user","content":[{"type":"text","text":"YWlwM"}]}]}""")]
    [InlineData("anthropic", """{"messages":[{"role":"user","content":"\"YWlwM"},{"role":"assistant","content":[{"type":"text","text":"ENVELOPE"}]}]}""")]
    [InlineData("anthropic", """{"messages":"ENVELOPE"}""")]
    [InlineData("anthropic", """{"messages":[{"role":"assistant","content":[{"type":"text","text":"a","signature":"ENVELOPE"}]}]}""")]
    [InlineData("openai", """{"messages":[{"role":"user","content":"ENVELOPE"}]}""")]
    [InlineData("responses", """{"input":"ENVELOPE"}""")]
    [InlineData("gemini", """{"contents":{"parts":{"text":"ENVELOPE"}}}""")]
    public void WithoutAnEnvelopeInItsPlace_TheBodyIsLeftAlone(string protocol, string body) => Assert.Null(Cut(body, protocol));

    /// <summary>"tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"</summary>
    [Fact]
    public void CallIdsOfOtherProviders_AreLegalForAClaude()
    {
        const string Body = """
            {"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"ID","name":"f","input":{"id":"functions.f:0"}},{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]}, {"role":"user","content":[{"type":"tool_result","tool_use_id" : "ID","content":"functions.f:0"},{"type":"tool_result","tool_use_id":"toolu_1"}]}],"x":1.50}
            """;
        string foreign = Body.Replace("ID", "functions.f:0"), legal = Body.Replace("ID", CallIds.For("functions.f:0", 64, true));
        Assert.Equal(legal, Cut(foreign, "anthropic", "claude-opus-5"));
        Assert.Null(Cut(legal, "anthropic", "claude-opus-5"));
        // Its own ids mean something to another model.
        Assert.Null(Cut(foreign, "anthropic", "kimi-k2"));
        Assert.Null(Cut("""{"messages":[{"role":"user","content":"\"tool_use_id\":\"a.b\""}]}""", "anthropic", "claude-opus-5"));
        string thinking = "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"ENVELOPE\"},{\"type\":\"tool_use\",\"id\":\"ID\"";
        Assert.Equal(legal, Cut(foreign.Replace("{\"type\":\"tool_use\",\"id\":\"functions.f:0\"", thinking.Replace("ID", "functions.f:0")), "anthropic", "claude-opus-5"));
    }

    [Fact]
    public void E33_Responses_ReasoningItemGoes() => Assert.Equal(
        """{"input":["q",{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gAAAA"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}""",
        Cut("""{"input":["q",{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"ENVELOPE"},{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gAAAA"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}""", "responses"));

    [Theory]
    [InlineData("gemini-2.5-pro", """{"functionCall":{"name":"f"}}""")]
    [InlineData("gemini-3-pro", """{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"}""")]
    public void E33_Gemini_SignatureGoesOrIsReplacedOnACall(string model, string call)
    {
        string body = """{"contents":[{"role":"model","parts":[{"thought_signature":"ENVELOPE","text":""},{"text":"a","thoughtSignature":"ENVELOPE"},{"functionCall":{"name":"f"},"thoughtSignature":"ENVELOPE"}]}]}""";
        Assert.Equal($$"""{"contents":[{"role":"model","parts":[{"text":"a"},{{call}}]}]}""", Cut(body, "gemini", model));
    }

    [Fact]
    public void E33_Gemini_ASignatureOfItsOwnStays_InAStepWithoutAnEnvelope()
    {
        const string User = """{"role":"user","parts":[{"text":"q"}]}""", Own = """{"role":"model","parts":[{"text":"b","thoughtSignature":"c2ln"}]}""";
        Assert.Equal($$$"""{"contents":[{{{User}}},{{{Own}}},{{{User}}},{"role":"model","parts":[{"text":"a"}]},{{{User}}},{{{Own}}}]}""",
            Cut($$$"""{"contents":[{{{User}}},{{{Own}}},{{{User}}},{"role":"model","parts":[{"text":"a","thoughtSignature":"ENVELOPE"}]},{{{User}}},{{{Own}}}]}""", "gemini", "gemini-2.5-pro"));
    }

    [Fact]
    public void AnyMembersAndOrder_LeaveJson()
    {
        string[] blocks = ["{\"type\":\"thinking\",\"thinking\":\"a,b\",\"signature\":\"ENVELOPE\"}", " {\"type\":\"text\",\"text\":\",\"} ", "\n{\"data\":\"ENVELOPE\",\"type\":\"redacted_thinking\"}"];
        for (int number = 0; number < 81; number++)
        {
            string[] picked = [.. Enumerable.Range(0, 4).Select(at => blocks[number / (int)Math.Pow(3, at) % 3])];
            string? cut = Cut($$"""{"messages":[{"role":"assistant","content":[{{string.Join(',', picked)}}]},{"role":"user","content":"q"}]}""", "anthropic");
            using JsonDocument left = JsonDocument.Parse(cut ?? "{\"messages\":[]}");
            int texts = picked.Count(block => block.Contains("\"text\""));
            if (cut is null) Assert.Equal(4, texts);
            else Assert.Equal(texts, texts == 0 ? left.RootElement.GetProperty("messages").GetArrayLength() - 1 : left.RootElement.GetProperty("messages")[0].GetProperty("content").GetArrayLength());
        }
    }

    [Theory]
    [InlineData("""{"input":[{"role":"user","content":"a"},{"id":"msg_SEED1","type":"message","role":"assistant","content":[]}]}""",
        """{"input":[{"role":"user","content":"a"},{"type":"message","role":"assistant","content":[]}]}""")]
    [InlineData("""{"input":[{"id":"rs_SEED0","type":"reasoning","summary":[],"encrypted_content":null},{"type":"function_call", "id":"fc_SEED12","name":"f","arguments":"{\"n\":1.0}"}]}""",
        """{"input":[{"type":"function_call","name":"f","arguments":"{\"n\":1.0}"}]}""")]
    [InlineData("""{"input":[{"type":"function_call","id":"fc_SEED12","name":"f","arguments":"{}"}]}""", """{"input":[{"type":"function_call","name":"f","arguments":"{}"}]}""")]
    [InlineData("""{"input":[{"type":"custom_tool_call","id":"ctc_SEED1","name":"p","input":"x"}]}""", """{"input":[{"type":"custom_tool_call","name":"p","input":"x"}]}""")]
    [InlineData("""{"input":[{"type":"item_reference","id":"rs_SEED0"},{"role":"user","content":"a"}]}""", """{"input":[{"role":"user","content":"a"}]}""")]
    [InlineData("""{"input":[{"id":"rs_SEED0","type":"reasoning","summary":[],"encrypted_content":"gAAA"}]}""", """{"input":[{"type":"reasoning","summary":[],"encrypted_content":"gAAA"}]}""")]
    public void E35_IdsMadeHere_DoNotReachAResponsesUpstream(string body, string expected) =>
        Assert.Equal(expected, Cut(body.Replace("SEED", "b30u4KN2POu2JvR18fwTZzth"), "responses"));

    [Theory]
    [InlineData("""{"input":[{"id":"msg_68e1f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5","type":"message"}]}""")]
    [InlineData("""{"input":[{"type":"item_reference","id":"msg_b30u4KN2POu2JvR18fwTZzth0"}]}""")]
    [InlineData("""{"input":[{"type":"function_call","id":"fc_b30u4KN2POu2JvR18fwTZzthx"}],"x":"msg_b30u4KN2POu2JvR18fwTZzth0"}""")]
    [InlineData("""{"input":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"}],"x":"rs_b30u"}""")]
    [InlineData("""{"input":[{"type":"message","id":"msg_b30u4KN2POu2JvR18fwTZzth00000","content":[]}]}""")]
    [InlineData("""{"input":[{"type":"message","id":"msg_b30u4KN2POu2JvR18fwTZ-th0","content":[]}]}""")]
    [InlineData("""{"input":[{"type":"message","id":"msg_b30u4KN2POu2JvR18fwTZzth","content":[]}]}""")]
    [InlineData("""{"input":"\"msg_"}""")]
    public void IdsOfOthers_AreLeftAlone(string body) => Assert.Null(Cut(body, "responses"));

    private const string StandIn = "skip_thought_signature_validator";

    /// <summary>In each step of the current turn the first call, where none is signed; nothing before the user's last words, nothing for older models.</summary>
    [Theory]
    [InlineData("""[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"a"}, {"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}}]}]""",
        """[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"a"}, {"thoughtSignature":"SKIP","functionCall":{"name":"f"}},{"functionCall":{"name":"g"}}]}]""")]
    [InlineData("""[{"parts":[{"text":"q"}]},{"role":"model","parts":[{"function_call":{"name":"f"}}]},{"role":"user","parts":[{"function_response":{"name":"f"}}]},{"role":"model","parts":[{"functionCall":{"name":"g"},"thoughtSignature":"c2ln"}]}]""",
        """[{"parts":[{"text":"q"}]},{"role":"model","parts":[{"thoughtSignature":"SKIP","function_call":{"name":"f"}}]},{"role":"user","parts":[{"function_response":{"name":"f"}}]},{"role":"model","parts":[{"functionCall":{"name":"g"},"thoughtSignature":"c2ln"}]}]""")]
    [InlineData("""[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"f"}},{"text":"and hurry"}]}]""",
        """[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"thoughtSignature":"SKIP","functionCall":{"name":"f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"f"}},{"text":"and hurry"}]}]""")]
    [InlineData("""[{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"f"}}]},{"role":"user","parts":[{"text":"new turn"}]}]""", null)]
    [InlineData("""[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"c2ln"},{"functionCall":{"name":"g"}}]}]""", null)]
    [InlineData("""[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"name":"f"},"thought_signature":"c2ln"}]},{"role":"model","parts":[{"functionCall":{"name":"g"}}]}]""", null)]
    [InlineData("""[{"role":"user","parts":[{"text":"\"functionCall\""}]}]""", null)]
    [InlineData("""{"parts":[{"functionCall":{}}]}""", null)]
    public void E30_Gemini3_UnsignedStepOfTheCurrentTurn_GetsTheStandIn(string contents, string? signed)
    {
        string Body(string inner) => $$"""{ "contents":{{inner}}, "x":1.50}""";
        Assert.Equal(signed is null ? null : Body(signed.Replace("SKIP", StandIn)), Cut(Body(contents), "gemini", "gemini-3.8-flash"));
        Assert.Null(Cut(Body(contents), "gemini", "gemini-2.5-pro"));
    }

    /// <summary>What an answer of another provider looks like in a Gemini client's history, whatever the provider.</summary>
    [Fact]
    public void E30_ForeignProof_GoesWithItsThoughts_OwnThoughtsStay()
    {
        string body = """
            {"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"own","thought":true},{"functionCall":{"name":"e"},"thoughtSignature":"c2ln"}]},
            {"role":"user","parts":[{"functionResponse":{"name":"e"}}]},{"role":"model","parts":[{"text":"theirs","thought":true}]},
            {"role":"model","parts":[{"text":"said"},{"functionCall":{"name":"f"},"thoughtSignature":"ENVELOPE"}]}]}
            """;
        Assert.Equal("""
            {"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"own","thought":true},{"functionCall":{"name":"e"},"thoughtSignature":"c2ln"}]},
            {"role":"user","parts":[{"functionResponse":{"name":"e"}}]},
            {"role":"model","parts":[{"text":"said"},{"functionCall":{"name":"f"},"thoughtSignature":"SKIP"}]}]}
            """.Replace("SKIP", StandIn), Cut(body, "gemini", "gemini-3-pro"));
    }

    [Theory]
    [InlineData("gpt-4o", """{"id":"c","type":"function","function":{"name":"f","arguments":"{\"extra_content\":1}"}}""", ""","extra_content":{"other":1}}""")]
    [InlineData("gemini-3-pro", null, null)]
    [InlineData("google/Gemini-2.5-flash", null, null)]
    public void Chat_ThoughtSignatures_GoToGeminiOnly(string model, string? call, string? end)
    {
        const string Call = """{"id":"c","type":"function","extra_content":{"google":{"thought_signature":"c2ln"}},"function":{"name":"f","arguments":"{\"extra_content\":1}"}}""";
        const string Other = """{"id":"d","extra_content":{"google":{"thought_signature":"c2ln"},"other":1}}""";
        string body = """{"messages":[{"role":"user","content":"\"thought_signature\""},{"role":"assistant","extra_content":{"google":{"thought_signature":"c2ln"}},"tool_calls":[CALLS]}],"model":"m"}""".Replace("CALLS", Call + "," + Other);
        string? expected = call is null ? null : $$$"""{"messages":[{"role":"user","content":"\"thought_signature\""},{"role":"assistant","tool_calls":[{{{call}}},{"id":"d"{{{end}}}]}],"model":"m"}""";
        Assert.Equal(expected, Cut(body, "openai", model));
    }
}
