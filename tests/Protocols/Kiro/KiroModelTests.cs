using System.Text.Json;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.Protocols.Edges;
using static Aiproxy.Tests.Protocols.RequestTexts;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>Model ids, and how each model is asked to think and given its thoughts back.</summary>
public sealed class KiroModelTests
{
    [Theory]
    [InlineData("claude-sonnet-4-5-20250929", "claude-sonnet-4.5")]
    [InlineData("claude-sonnet-4-5", "claude-sonnet-4.5")]
    [InlineData("claude-sonnet-4.5", "claude-sonnet-4.5")]
    [InlineData("claude-opus-4-6[1m]", "claude-opus-4.6")]
    [InlineData("claude-opus-4-7-thinking", "claude-opus-4.7")]
    [InlineData("claude-haiku-4-5-latest", "claude-haiku-4.5")]
    [InlineData("claude-sonnet-4-20250514", "claude-sonnet-4")]
    [InlineData("claude-sonnet-4@20250514", "claude-sonnet-4")]
    [InlineData("claude-sonnet-5", "claude-sonnet-5")]
    [InlineData("claude-opus-9-1-20290101-thinking[1m]", "claude-opus-9.1")]
    [InlineData("claude-3-7-sonnet-20250219", "claude-3-7-sonnet-20250219")]
    [InlineData("claude-3-7-sonnet-latest", "claude-3-7-sonnet-20250219")]
    [InlineData("gpt-5.6-sol", "gpt-5.6-sol")]
    [InlineData("minimax-m2.5", "minimax-m2.5")]
    [InlineData("auto", "auto")]
    [InlineData("who-knows", "who-knows")]
    public void Name_BecomesTheServicesId(string name, string id) => Assert.Equal(id, new KiroModels().Id(name));

    [Theory]
    [InlineData("claude-sonnet-4.5", null, 200_000)]
    [InlineData("claude-sonnet-4.5[1m]", null, 1_000_000)]
    [InlineData("claude-sonnet-4.5", 500_000, 500_000)]
    [InlineData("minimax-m2.5", null, 200_000)]
    [InlineData("claude-sonnet-4-6", 500_000, 640_000)]
    public void Window_IsTheListedOne_ElseTheMarks_ElseTheConfiguredOne(string model, int? configured, long window)
    {
        var models = new KiroModels { Windows = new Dictionary<string, long> { ["claude-sonnet-4.6"] = 640_000 } };
        Assert.Equal(window, models.WindowOf(model, new ModelFacts { ContextWindow = configured }));
    }

    [Theory]
    [InlineData("claude-opus-4-6", ReasoningEffort.XHigh, "high")]
    [InlineData("claude-sonnet-5", ReasoningEffort.Minimal, "low")]
    [InlineData("claude-opus-5", ReasoningEffort.Max, "max")]
    [InlineData("claude-opus-4.8", ReasoningEffort.Medium, "medium")]
    public void NewClaude_IsAskedByMembers(string model, ReasoningEffort effort, string word)
    {
        JsonElement body = KiroWire.Write(Request(model) with { Reasoning = new ReasoningRequest { Effort = effort } });
        Pair.Same($$$"""{"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"{{{word}}}"}}""", body.At("additionalModelRequestFields"));
        Assert.False(body.At("conversationState").Has("history"));
    }

    [Fact]
    public void Adaptive_WithoutEffort_SaysNone() => Pair.Same("""{"thinking":{"type":"adaptive","display":"summarized"}}""",
        KiroWire.Write(Request("claude-opus-5") with { Reasoning = new ReasoningRequest { Adaptive = true } }).At("additionalModelRequestFields"));

    [Theory]
    [InlineData(ReasoningEffort.None, "none")]
    [InlineData(ReasoningEffort.High, "high")]
    public void Gpt_IsAskedByEffort(ReasoningEffort effort, string word) => Pair.Same($$$"""{"reasoning":{"effort":"{{{word}}}"}}""",
        KiroWire.Write(Request("gpt-5.6-terra") with { Reasoning = new ReasoningRequest { Effort = effort } }).At("additionalModelRequestFields"));

    [Theory]
    [InlineData(200L, 1024)]
    [InlineData(5000L, 5000)]
    [InlineData(90_000L, 24_576)]
    public void OldClaude_IsAskedByTags(long budget, int written)
    {
        JsonElement body = KiroWire.Write(Request("claude-sonnet-4.5") with { System = [new TextPart("Be brief.")], Reasoning = new ReasoningRequest { Budget = budget } });
        Assert.Equal($"<thinking_mode>enabled</thinking_mode><max_thinking_length>{written}</max_thinking_length>\n\nBe brief.",
            body.Text("conversationState.history.0.userInputMessage.content"));
        Assert.False(body.Has("additionalModelRequestFields"));
    }

    [Theory]
    [InlineData("claude-sonnet-4.5")]
    [InlineData("claude-opus-5")]
    [InlineData("minimax-m2.5")]
    public void Off_AndNothingSaid_SayNothing(string model)
    {
        foreach (ReasoningRequest? reasoning in (ReasoningRequest?[])[null, new ReasoningRequest(), new ReasoningRequest { Effort = ReasoningEffort.None }, new ReasoningRequest { Budget = 0 }])
        {
            JsonElement body = KiroWire.Write(Request(model) with { Reasoning = reasoning });
            Assert.False(body.Has("additionalModelRequestFields") || body.At("conversationState").Has("history"));
        }
    }

    [Fact]
    public void ModelThatDoesNotReason_IsNotAsked() =>
        Assert.False(KiroWire.Write(Request("glm-5") with { Reasoning = new ReasoningRequest { Effort = ReasoningEffort.High } }).Has("additionalModelRequestFields"));

    public static TheoryData<string, Seal?, string?> Proofs => new()
    {
        { "claude-opus-5", new Seal(SealKind.Thinking, "", "sig-fake"), """{"reasoningText":{"text":"so","signature":"sig-fake"}}""" },
        { "claude-opus-5", new Seal(SealKind.Thinking, SealEnvelope.Anthropic, "sig-fake"), """{"reasoningText":{"text":"so","signature":"sig-fake"}}""" },
        { "claude-opus-5", new Seal(SealKind.Redacted, "", "ZmFrZQ=="), """{"redactedContent":"ZmFrZQ=="}""" },
        { "claude-opus-5", new Seal(SealKind.Thinking, SealEnvelope.Gemini, "x"), null },
        { "claude-opus-5", new Seal(SealKind.Encrypted, "here", "x"), null },
        { "claude-opus-5", null, null },
        { "claude-sonnet-4.5", new Seal(SealKind.Thinking, "", "x"), null },
        { "minimax-m2.5", new Seal(SealKind.Thinking, "", "x"), null },
        { "gpt-5.6-sol", new Seal(SealKind.Encrypted, "here", "enc"), """{"reasoningText":{"text":"so","signature":"enc"}}""" },
        { "gpt-5.6-sol", new Seal(SealKind.Encrypted, "elsewhere", "enc"), null },
        { "gpt-5.6-sol", new Seal(SealKind.Thinking, "", "x"), null },
    };

    [Theory]
    [MemberData(nameof(Proofs))]
    public void Thoughts_AreGivenBack_WhereTheirProofIsTheModels(string model, Seal? seal, string? expected)
    {
        ChatRequest request = Request(model, User(new TextPart("a")), Assistant(new ThinkingPart("so") { Seal = seal, IsRedacted = seal?.Kind == SealKind.Redacted }, new TextPart("b")), User(new TextPart("c")));
        JsonElement message = KiroWire.Write(request, new KiroTraits { Issuer = "here" }).At("conversationState.history.1.assistantResponseMessage");
        Assert.Equal(expected is not null, message.Has("reasoningContent"));
        if (expected is not null) Pair.Same(expected, message.At("reasoningContent"));
        Assert.Equal("b", message.Text("content"));
    }

    [Fact]
    public void OfSeveralThoughts_TheOnesNearestToTheCallGoBack()
    {
        var seal = new Seal(SealKind.Thinking, "", "s2");
        ChatRequest request = Request("claude-opus-5", User(new TextPart("a")), Assistant(new ThinkingPart("1") { Seal = new Seal(SealKind.Thinking, "", "s1") }),
            Assistant(new ThinkingPart("2") { Seal = seal }, Call("c", "t")), User(Result("c", "t", new TextPart("ok"))));
        Assert.Equal("s2", KiroWire.Write(request).Text("conversationState.history.1.assistantResponseMessage.reasoningContent.reasoningText.signature"));
    }

    [Fact]
    public void GptsProof_IsThisUpstreamsAlone()
    {
        SinkRecorder record = KiroWire.Record(KiroWire.Asking("gpt-5.6-sol"), KiroWire.Thought("so"), KiroWire.Signature("enc"));
        Assert.Equal("Encrypted enc", record.Blocks[0].Seal);
    }
}
