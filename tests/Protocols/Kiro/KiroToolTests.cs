using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.Protocols.Edges;
using static Aiproxy.Tests.Protocols.RequestTexts;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>Names, descriptions, schemas and choice of tools; names come back as the client gave them.</summary>
public sealed class KiroToolTests
{
    private static ChatRequest With(params ToolDefinition[] tools) => Request(KiroWire.Model) with { Tools = tools };

    private static JsonElement Tools(JsonElement body) => body.At("conversationState.currentMessage.userInputMessage.userInputMessageContext.tools");

    private static string[] Names(JsonElement body) => [.. Tools(body).EnumerateArray().Select(tool => tool.Text("toolSpecification.name"))];

    private static string System(JsonElement body) => body.Text("conversationState.history.0.userInputMessage.content");

    private static JsonElement Schema(string schema) => Tools(KiroWire.Write(With(Tool("t", schema)))).At("0.toolSpecification.inputSchema.json");

    [Theory]
    [InlineData("read_file", "^read_file$")]
    [InlineData("Read-2", "^Read-2$")]
    [InlineData("web_search", "^remote_web_search$")]
    [InlineData("_private", "^t_private_[0-9a-f]{8}$")]
    [InlineData("7zip", "^t7zip_[0-9a-f]{8}$")]
    [InlineData("a.b/c", "^a_b_c_[0-9a-f]{8}$")]
    [InlineData("Web_Search", "^Web_Search_[0-9a-f]{8}$")]
    public void Name_IsLegal_AndComesBack(string name, string pattern)
    {
        string sent = Assert.Single(Names(KiroWire.Write(With(Tool(name)))));
        Assert.Matches(pattern, sent);
        Assert.Equal(name, Returned(With(Tool(name)), sent));
    }

    [Theory]
    [InlineData(62)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(200)]
    public void LongName_IsAliased_AndComesBack(int length)
    {
        string name = "mcp__" + new string('x', length - 5);
        string sent = Assert.Single(Names(KiroWire.Write(With(Tool(name)))));
        Assert.Equal(length <= 63, sent == name);
        Assert.Equal(name, Returned(With(Tool(name)), sent));
    }

    [Fact]
    public void NamesThatDifferInCaseAlone_AreToldApart_InCallsToo()
    {
        ChatRequest request = With(Tool("read"), Tool("Read"), Tool("READ")) with
        {
            Turns = [User(new TextPart("a")), Assistant(Call("c1", "READ"), Call("c2", "read"), Call("c3", "rEAD")), User(new TextPart("b"))],
        };
        JsonElement body = KiroWire.Write(request);
        string[] names = Names(body);
        Assert.Equal("read", names[0]);
        Assert.Equal(4, names.Length);
        Assert.Equal([names[2], "read", names[3]], body.At("conversationState.history.1.assistantResponseMessage.toolUses").EnumerateArray().Select(call => call.Text("name")));
        Assert.Equal(["read", "Read", "READ", "rEAD"], names.Select(name => Returned(request, name)));
    }

    [Fact]
    public void ToolWithTheNameThatAnotherIsRenamedTo_KeepsItsOwn()
    {
        foreach (ChatRequest request in (ChatRequest[])[With(Tool("web_search"), Tool("remote_web_search")), With(Tool("remote_web_search"), Tool("web_search"))])
        {
            string[] names = Names(KiroWire.Write(request));
            Assert.Equal(request.Tools.Select(tool => tool.Name), names.Select(name => Returned(request, name)));
        }
    }

    [Fact]
    public void ToolNamedLikeAnothersAlias_IsToldApart()
    {
        string alias = Names(KiroWire.Write(With(Tool("read"), Tool("Read"))))[1];
        ChatRequest request = With(Tool(alias), Tool("read"), Tool("Read"));
        string[] names = Names(KiroWire.Write(request));
        Assert.Equal(3, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.Equal([alias, "read", "Read"], names.Select(name => Returned(request, name)));
    }

    [Fact]
    public void InventedName_PassesThrough() => Assert.Equal("nobody_knows", Returned(With(Tool("read")), "nobody_knows"));

    [Fact]
    public void NamespaceAndFreeForm_ComeBackFlat()
    {
        ChatRequest request = With(Tool("list") with { Namespace = "mcp.server" }, new ToolDefinition(ToolKind.Custom, "patch") { Path = "tools[1]" });
        string[] names = Names(KiroWire.Write(request));
        Assert.Equal("mcp.server__list", Returned(request, names[0]));
        Assert.Equal("patch", names[1]);
        Pair.Same("""{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}""", Tools(KiroWire.Write(request)).At("1.toolSpecification.inputSchema.json"));
    }

    [Fact]
    public void TwoToolsOfOneName_AreRefused() => Assert.Equal("tools[0]", KiroWire.Refused(With(Tool("a"), Tool("a"))).Param);

    [Fact]
    public void MissingDescription_IsTheName() => Assert.Equal("read", Tools(KiroWire.Write(With(Tool("read")))).Text("0.toolSpecification.description"));

    [Theory]
    [InlineData(10_240, "x")]
    [InlineData(10_241, "x")]
    [InlineData(10_000, "é")]
    [InlineData(4_000, "日")]
    [InlineData(3_000, "😀")]
    public void LongDescription_GoesOnInTheSystemPrompt_NoCharacterCut(int times, string letter)
    {
        string text = string.Concat(Enumerable.Repeat(letter, times));
        JsonElement body = KiroWire.Write(With(Tool("read") with { Description = text }));
        string sent = Tools(body).Text("0.toolSpecification.description");
        if (Encoding.UTF8.GetByteCount(text) <= 10_240)
        {
            Assert.Equal(text, sent);
            return;
        }
        const string Head = "The description of the tool read goes on:\n", Tail = " (goes on in the system prompt)";
        Assert.EndsWith(Tail, sent, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(sent), 10_230, 10_240);
        Assert.StartsWith(Head, System(body), StringComparison.Ordinal);
        Assert.Equal(text, sent[..^Tail.Length] + System(body)[Head.Length..]);
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}""", """{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}""")]
    [InlineData("""{"$schema":"x","additionalProperties":false,"required":[],"properties":{}}""", """{"type":"object","properties":{}}""")]
    [InlineData("""{"type":"object","required":null,"properties":null}""", """{"type":"object","properties":{}}""")]
    [InlineData("""{"type":"object"}""", """{"type":"object","properties":{}}""")]
    [InlineData("true", """{"type":"object","properties":{}}""")]
    [InlineData("""{"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"number"},"description":"map"}}}""",
        """{"type":"object","properties":{"m":{"type":"object","description":"map (additionalProperties: {\"type\":\"number\"})"}}}""")]
    [InlineData("""{"type":"object","properties":{"l":{"type":"array","items":{"type":"object","additionalProperties":false,"required":[]}}}}""",
        """{"type":"object","properties":{"l":{"type":"array","items":{"type":"object"}}}}""")]
    [InlineData("""{"type":"object","properties":{"additionalProperties":{"type":"string"},"required":{"type":"boolean"},"$schema":{},"x":true,"y":false}}""",
        """{"type":"object","properties":{"additionalProperties":{"type":"string"},"required":{"type":"boolean"},"$schema":{},"x":{},"y":{"not":{}}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object","additionalProperties":true}}}""",
        """{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object"}}}""")]
    public void Schema_LosesWhatIsRefused(string schema, string expected) => Pair.Same(expected, Schema(schema));

    [Fact]
    public void CompositionAtTheRoot_IsMerged()
    {
        JsonElement schema = Schema("""{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object","properties":{"b":{"type":"string"}}}]}""");
        Assert.False(schema.Has("anyOf"));
        Assert.True(schema.At("properties").Has("a") && schema.At("properties").Has("b"));
    }

    [Fact]
    public void ChoiceNone_SendsNoTools_ButThoseOfTheHistory()
    {
        var none = new ToolChoice(ToolChoiceMode.None, []);
        JsonElement plain = KiroWire.Write(With(Tool("read"), Tool("write")) with { ToolChoice = none });
        Assert.False(plain.At("conversationState.currentMessage.userInputMessage").Has("userInputMessageContext"));
        JsonElement used = KiroWire.Write(With(Tool("read"), Tool("write")) with
        {
            ToolChoice = none,
            Turns = [User(new TextPart("a")), Assistant(Call("c", "write")), User(Result("c", "write", new TextPart("ok")))],
        });
        Assert.Equal(["write"], Names(used));
        Assert.Equal("Do not call any tool.", System(used));
    }

    [Fact]
    public void Demand_IsASentence()
    {
        ChatRequest request = With(Tool("read"), Tool("web_search"), Tool("write"));
        Assert.Equal("Answer with a call of one of the tools.", Said(ToolChoiceMode.Any));
        Assert.Equal("Answer with a call of the tool remote_web_search.", Said(ToolChoiceMode.Any, "web_search"));
        Assert.Equal("Answer with a call of one of these tools: read, write.", Said(ToolChoiceMode.Any, "read", "write"));

        string Said(ToolChoiceMode mode, params string[] names) => System(KiroWire.Write(request with { ToolChoice = new ToolChoice(mode, names) }));
    }

    [Fact]
    public void LimitedChoice_SendsTheSubset_AndSaysSoWhereMoreMustBeDeclared()
    {
        ChatRequest request = With(Tool("read"), Tool("write")) with { ToolChoice = new ToolChoice(ToolChoiceMode.Auto, ["read"]) };
        JsonElement body = KiroWire.Write(request);
        Assert.Equal(["read"], Names(body));
        Assert.False(body.At("conversationState").Has("history"));
        body = KiroWire.Write(request with { Turns = [User(new TextPart("a")), Assistant(Call("c", "write")), User(new TextPart("b"))] });
        Assert.Equal(["read", "write"], Names(body));
        Assert.Equal("Call no other tools than these: read.", System(body));
    }

    [Fact]
    public void DemandWithoutTools_AndForeignDemand_AreRefused()
    {
        Assert.Equal("tool_choice", KiroWire.Refused(Request(KiroWire.Model) with { ToolChoice = new ToolChoice(ToolChoiceMode.Any, []) { Path = "tool_choice" } }).Param);
        Assert.Equal("tool_choice", KiroWire.Refused(With(Tool("a")) with { ToolChoice = new ToolChoice(ToolChoiceMode.Any, []) { Path = "tool_choice", Foreign = Json("{}") } }).Param);
    }

    [Fact]
    public void ServerTool_IsDroppedBesideOthers_RefusedAlone()
    {
        var search = new ToolDefinition(ToolKind.Foreign, "web_search") { Path = "tools[1]", Raw = Json("""{"type":"web_search"}""") };
        var shell = new ToolDefinition(ToolKind.Foreign, "bash") { Path = "tools[1]", Raw = Json("""{"type":"bash_20250124"}""") };
        Assert.Equal(["read"], Names(KiroWire.Write(With(Tool("read"), search))));
        Assert.Equal("tools[1]", KiroWire.Refused(With(search)).Param);
        Assert.Equal("tools[1]", KiroWire.Refused(With(Tool("read"), shell)).Param);
    }

    [Fact]
    public void OneCallAtATime_TheOthersAreDropped()
    {
        SinkRecorder record = KiroWire.Record(With(Tool("read_file")) with { ParallelTools = false }, KiroWire.Call("a", "{}", true), KiroWire.Call("b", "{}", true));
        Assert.Equal("a", Assert.Single(record.Blocks).Id);
    }

    [Fact]
    public void Arguments_KeepTheirDigits_AndAreObjects()
    {
        JsonElement body = KiroWire.Write(Request(KiroWire.Model, User(new TextPart("a")),
            Assistant(Call("1", "t", "{\"id\":9007199254740993}"), Call("2", "t", ""), Call("3", "t", "null"), Call("4", "t", "[1")), User(new TextPart("b"))));
        Assert.Equal(["{\"id\":9007199254740993}", "{}", "{}", "{\"_raw\":\"[1\"}"],
            body.At("conversationState.history.1.assistantResponseMessage.toolUses").EnumerateArray().Select(call => call.At("input").GetRawText()));
    }

    private static string Returned(ChatRequest request, string name) => Assert.Single(KiroWire.Record(request, KiroWire.Call("c", "{}", true, name)).Blocks).Name;
}
