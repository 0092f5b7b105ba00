using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Tests.Protocols.Model;

public sealed class HistoryRepairTests
{
    /// <summary>Like Anthropic's API: strict in everything.</summary>
    private static readonly HistoryRules s_strict = new()
    {
        MaxNameLength = 128, MaxIdLength = 64, IdsAreWords = true, MergesRoles = true, StartsWithUser = true, NeedsTurn = true, DropsEmptyText = true, AfterTrailingAssistant = "Continue.",
    };

    private static ChatRequest Request(params Turn[] turns) => new() { Model = "m", Turns = turns };

    private static Turn User(params Part[] parts) => new(TurnRole.User, parts) { Path = "u" };

    private static Turn Assistant(params Part[] parts) => new(TurnRole.Assistant, parts) { Path = "a" };

    private static Turn System(string text) => new(TurnRole.System, [Text(text)]);

    private static TextPart Text(string text) => new(new JsonText(text)) { Path = "p" };

    private static ToolCallPart Call(string? id, string name = "f", string arguments = "{}") => new(id, name, Encoding.UTF8.GetBytes(arguments)) { Path = "c" };

    private static ToolResultPart Result(string? id, string text, string? name = null) => new(id, name, [Text(text)]) { Path = "r" };

    private static string Describe(ChatRequest request) => string.Join(" / ", request.Turns.Select(static turn => $"{turn.Role}[{string.Join(", ", turn.Parts.Select(Describe))}]"));

    private static string Describe(Part part) => part switch
    {
        TextPart text => text.Text.ToString(),
        ToolCallPart call => $"call {call.Id} {call.Name} {Encoding.UTF8.GetString(call.Arguments.Span)}",
        ToolResultPart result => $"{(result.IsError ? "error" : "result")} {result.CallId} {result.Name} {string.Join("+", result.Content.Select(Describe))}",
        _ => part.GetType().Name,
    };

    private static string Repair(HistoryRules rules, params Turn[] turns) => Describe(HistoryRepair.Apply(Request(turns), rules));

    [Fact]
    public void E01_ParallelResults_OneUserMessageInCallOrder() =>
        Assert.Equal("User[q] / Assistant[call a f {}, call b f {}, call c f {}] / User[result a f 1, result b f 2, result c f 3, more]",
            Repair(s_strict, User(Text("q")), Assistant(Call("a"), Call("b"), Call("c")), User(Result("c", "3"), Result("a", "1")), User(Result("b", "2")), User(Text("more"))));

    [Fact]
    public void IdsOnTheResultsOnly_ArePairedByNameThenByPlace()
    {
        ChatRequest repaired = HistoryRepair.Apply(Request(User(Text("q")), Assistant(Call(null), Call(null), Call("c")), User(Result("x", "1", "f"), Result("c", "3", "f"), Result("y", "2"))), s_strict);
        Assert.Equal(["1", "2", "3"], repaired.Turns[2].Parts.Cast<ToolResultPart>().Select(static result => Describe(result.Content[0])));
        // An id that no call has, where all have some, belongs to none of them.
        Assert.Contains("unknown tool call", Repair(s_strict, User(Text("q")), Assistant(Call("a")), User(Result("a", "1"), Result("z", "2", "f"))));
    }

    [Fact]
    public void E15_SameToolTwiceWithoutIds_TwoIdsPairedInOrder()
    {
        ChatRequest repaired = HistoryRepair.Apply(Request(User(Text("q")), Assistant(Call(null), Call(null)), User(Result(null, "1", "f"), Result(null, "2", "f"))), s_strict);
        var calls = repaired.Turns[1].Parts.Cast<ToolCallPart>().ToList();
        var results = repaired.Turns[2].Parts.Cast<ToolResultPart>().ToList();
        Assert.NotEqual(calls[0].Id, calls[1].Id);
        Assert.Equal(calls.Select(static call => call.Id), results.Select(static result => result.CallId));
        Assert.Equal(["1", "2"], results.Select(static result => Describe(result.Content[0])));
        Assert.StartsWith("call_", calls[0].Id);
        Assert.Equal(29, calls[0].Id!.Length);
    }

    [Fact]
    public void E17_MissingResult_GetsASyntheticError() =>
        Assert.Equal("User[q] / Assistant[call a f {}, call b f {}, call c f {}] / User[result a f 1, result b f 2, error c f no result: the call was interrupted]",
            Repair(s_strict, User(Text("q")), Assistant(Call("a"), Call("b"), Call("c")), User(Result("a", "1"), Result("b", "2"))));

    [Fact]
    public void UnansweredCallBeforeUserText_IsAnsweredFirst() =>
        Assert.Equal("Assistant[call a f {}] / User[error a f no result: the call was interrupted, stop]", Repair(new HistoryRules(), Assistant(Call("a")), User(Text("stop"))));

    [Fact]
    public void OrphanResult_BecomesUserText() =>
        Assert.Equal("User[[result of an unknown tool call] old, q] / Assistant[hi] / User[[result of an unknown tool call] x]",
            Repair(s_strict with { AfterTrailingAssistant = null }, User(Result("gone", "old"), Text("q")), Assistant(Text("hi")), User(Result("gone", "x"))));

    [Fact]
    public void SameIdInTwoTurns_PairsWithTheNearest()
    {
        ChatRequest repaired = HistoryRepair.Apply(Request(Assistant(Call("call_1", "f")), User(Result("call_1", "1")), Assistant(Call("call_1", "g")), User(Result("call_1", "2"))), new HistoryRules());
        var results = repaired.Turns.SelectMany(static turn => turn.Parts).OfType<ToolResultPart>().ToList();
        Assert.Equal([("f", "1"), ("g", "2")], results.Select(static result => (result.Name!, Describe(result.Content[0]))));
        Assert.Equal("call_1", results[0].CallId);
        Assert.NotEqual("call_1", results[1].CallId);
    }

    [Theory]
    [InlineData("g", "f", "y / x")]
    [InlineData("unknown", "g", "x / y")]
    [InlineData(null, null, "x / y")]
    [InlineData("f", "f", null)]
    public void ResultsWithoutIds_GoByTheirName_ElseByTheirPlace(string? first, string? second, string? expected)
    {
        ChatRequest request() => HistoryRepair.Apply(Request(User(Text("q")), Assistant(Call(null, "f"), Call(null, "g")), User(Result(null, "x", first), Result(null, "y", second))), new HistoryRules());
        if (expected is null) Assert.Equal("r", Assert.Throws<ProtocolException>(request).Error.Param);
        else Assert.Equal(expected, string.Join(" / ", request().Turns[2].Parts.Cast<ToolResultPart>().Select(static result => ((TextPart)result.Content[0]).Text.ToString())));
    }

    [Fact]
    public void ResultWithoutIdAndCall_IsRefused() =>
        Assert.Equal("r", Assert.Throws<ProtocolException>(() => Repair(new HistoryRules(), User(Result(null, "x")))).Error.Param);

    [Fact]
    public void ResultWithoutId_TakesTheOnlyOpenCall() => Assert.Contains("result a f x", Repair(new HistoryRules(), Assistant(Call("a")), User(Result(null, "x"))));

    [Fact]
    public void E41_MidSystem_KeepsItsPlaceAfterTheResults()
    {
        Turn[] turns = [Assistant(Call("a")), System("note"), User(Result("a", "1"), Text("go")), Assistant(Text("b"))];
        Assert.Equal("Assistant[call a f {}] / User[result a f 1, <system-reminder>\nnote\n</system-reminder>] / User[go] / Assistant[b]", Repair(new HistoryRules(), turns));
        Assert.Equal("Assistant[call a f {}] / User[result a f 1] / System[note] / User[go] / Assistant[b]", Repair(new HistoryRules { KnowsMidSystem = true }, turns));
    }

    [Fact]
    public void E42_BillingBlock_IsRemoved()
    {
        ChatRequest request = Request(User(Text("q"))) with { System = [Text("x-anthropic-billing-header: cc_version=1;"), Text("You are")] };
        Assert.Equal(["You are"], HistoryRepair.Apply(request, new HistoryRules()).System.Select(Describe));
        Assert.Equal(2, HistoryRepair.Apply(request, new HistoryRules { KeepsBillingBlock = true }).System.Count);
    }

    [Fact]
    public void E43_EmptyText_IsDroppedAndItsCacheMarkMoves()
    {
        ChatRequest repaired = HistoryRepair.Apply(Request(User(Text("a"), Text(" \n") with { CacheHint = true }), Assistant(Text("x")), User(Text("")), Assistant(Text("y")), User(Text("z"))), s_strict);
        Assert.Equal("User[a] / Assistant[x, y] / User[z]", Describe(repaired));
        Assert.True(repaired.Turns[0].Parts[0].CacheHint);
    }

    [Fact]
    public void E45_TrailingAssistant_IsFollowedByContinue() => Assert.Equal("User[q] / Assistant[x] / User[Continue.]", Repair(s_strict, User(Text("q")), Assistant(Text("x"))));

    [Fact]
    public void AssistantFirst_GetsAUserTurn() =>
        Assert.StartsWith("User[(continued)] / Assistant[x]", Repair(s_strict, Assistant(Text("x")), User(Text("q"))));

    [Theory]
    [InlineData("", "{}")]
    [InlineData(" null ", "{}")]
    [InlineData("{\"id\":9007199254740993, \"a\" : 1}", "{\"id\":9007199254740993, \"a\" : 1}")]
    [InlineData("{\"a\":", "{\"_raw\":\"{\\\"a\\\":\"}")]
    [InlineData("[1]", "{\"_raw\":\"[1]\"}")]
    public void E21_E22_Arguments_AreAnObject(string arguments, string expected) =>
        Assert.Contains($"call a f {expected}", Repair(new HistoryRules(), Assistant(Call("a", "f", arguments))));

    [Fact]
    public void E48_LongId_IsHashedOnBothSides()
    {
        string id = new('x', 120);
        ChatRequest repaired = HistoryRepair.Apply(Request(Assistant(Call(id)), User(Result(id, "1"))), new HistoryRules());
        var call = (ToolCallPart)repaired.Turns[0].Parts[0];
        Assert.Equal(29, call.Id!.Length);
        Assert.Equal(call.Id, ((ToolResultPart)repaired.Turns[1].Parts[0]).CallId);
        Assert.Equal(CallIds.For(id, 64, false), call.Id);
        Assert.Equal("a:b", CallIds.For("a:b", 64, false));
        Assert.StartsWith("call_", CallIds.For("a:b", 64, true));
    }

    [Fact]
    public void E49_LongName_IsTheSameEverywhere()
    {
        string name = "mcp__" + new string('x', 83), alias = ToolNames.For(name, 64);
        ChatRequest repaired = HistoryRepair.Apply(Request(Assistant(Call("a", name)), User(Result("a", "1"))) with
        {
            Tools = [new ToolDefinition(ToolKind.Function, name)],
            ToolChoice = new ToolChoice(ToolChoiceMode.Any, [name]),
        }, new HistoryRules());
        Assert.Equal([alias, alias, alias, alias], [repaired.Tools[0].Name, repaired.ToolChoice!.Names[0], ((ToolCallPart)repaired.Turns[0].Parts[0]).Name, ((ToolResultPart)repaired.Turns[1].Parts[0]).Name!]);
        Assert.Matches("^[A-Za-z0-9_-]{64}$", alias);
        Assert.Equal("mcp___", ToolNames.For("mcp.ä", 64)[..6]);
        Assert.StartsWith("a-b_c_d_", ToolNames.For("a-b_c.d", 64), StringComparison.Ordinal);
    }

    [Fact]
    public void TwoToolsOfOneName_AreRefused() => Assert.Throws<ProtocolException>(() =>
        HistoryRepair.Apply(Request() with { Tools = [new ToolDefinition(ToolKind.Function, "f"), new ToolDefinition(ToolKind.Function, "f")] }, new HistoryRules()));

    [Fact]
    public void E51_CustomTool_BecomesAFunctionWithInput()
    {
        using JsonDocument format = JsonDocument.Parse("""{"type":"grammar","syntax":"lark","definition":"start: x"}""");
        ChatRequest repaired = HistoryRepair.Apply(Request(Assistant(Call("a", "p", "\"l1\\nl2\"") with { IsCustom = true }), User(Result("a", "ok") with { IsCustom = true })) with
        {
            Tools = [new ToolDefinition(ToolKind.Custom, "p") { Description = "Patch.", Raw = format.RootElement }],
        }, new HistoryRules());
        Assert.Equal("Assistant[call a p {\"input\":\"l1\\nl2\"}] / User[result a p ok]", Describe(repaired));
        Assert.Equal(ToolKind.Function, repaired.Tools[0].Kind);
        Assert.Equal("Patch.\n\nThe input must match this grammar:\nstart: x", repaired.Tools[0].Description.ToString());
        Assert.False(((ToolResultPart)repaired.Turns[1].Parts[0]).IsCustom);
    }

    [Fact]
    public void E52_NamespaceTool_GetsAFlatName()
    {
        ChatRequest repaired = HistoryRepair.Apply(Request(Assistant(Call("a", "g") with { Namespace = "ns" })) with { Tools = [new ToolDefinition(ToolKind.Function, "g") { Namespace = "ns" }] }, new HistoryRules());
        Assert.Equal("ns__g", repaired.Tools[0].Name);
        Assert.Contains("call a ns__g {}", Describe(repaired));
    }

    [Fact]
    public void LongerConversation_KeepsTheBeginning()
    {
        Turn[] turns = [User(Text("q")), Assistant(Call(null), Call("x:y")), User(Result(null, "1", "f"), Result("x:y", "2")), Assistant(Call(null)), User(Result(null, "3"))];
        string whole = Repair(s_strict, turns), head = Repair(s_strict, turns[..3]);
        Assert.StartsWith(head, whole);
    }

    [Theory]
    [InlineData("anthropic", "messages")]
    [InlineData("openai", "messages")]
    [InlineData("responses", "input")]
    [InlineData("gemini", "contents")]
    public void NothingSaid_IsRefused_WhereTheClientWouldHaveSaidIt(string protocol, string path)
    {
        foreach (HistoryRules rules in new[] { s_strict, new HistoryRules { DropsEmptyText = true } })
        {
            ProtocolException refused = Assert.Throws<ProtocolException>(() => HistoryRepair.Apply(Request(User(Text(" ")), Assistant()) with { Protocol = protocol }, rules));
            Assert.Equal((ErrorKind.InvalidRequest, path), (refused.Error.Kind, refused.Error.Param));
        }
    }

    [Fact]
    public void PartAtAPlaceOfAnother_IsRefusedWithItsPath()
    {
        var nowhere = new MediaPart(MediaKind.Image, new UrlSource(new JsonText(" "))) { Path = "m" };
        (string Path, Turn Turn)[] rows =
        [
            ("c", User(Text("q"), Call("a"))),
            ("c", new Turn(TurnRole.System, [Call("a")])),
            ("r", Assistant(Call("a"), Result("a", "1"))),
            ("m", User(nowhere)),
            ("m", User(new ToolResultPart("a", null, [nowhere]) { Path = "r" })),
            ("m", User(new MediaPart(MediaKind.Document, new PartsSource([nowhere])) { Path = "d" })),
            ("m", User(new MediaPart(MediaKind.Image, new UrlSource(new JsonText("data:image/svg+xml,<svg/>"))) { Path = "m" })),
            ("m", User(new MediaPart(MediaKind.Image, new Base64Source("image/png", new JsonText(""))) { Path = "m" })),
        ];
        foreach ((string path, Turn turn) in rows)
        {
            ProxyError error = Assert.Throws<ProtocolException>(() => Repair(s_strict, User(Text("q")), Assistant(Call("a")), turn)).Error;
            Assert.Equal((ErrorKind.InvalidRequest, path), (error.Kind, error.Param));
        }
        foreach (string url in (string[])["https://a.example/b.png", "HTTP://a.example/b"])
            Repair(s_strict, User(new MediaPart(MediaKind.Image, new UrlSource(new JsonText(url)))));
    }

    [Fact]
    public void ChoiceOfAToolThatIsNotThere_IsRefused()
    {
        ChatRequest request = Request(User(Text("q"))) with { Tools = [new ToolDefinition(ToolKind.Function, "f"), new ToolDefinition(ToolKind.Function, "g.h")] };
        foreach (string name in (string[])["F", "h", "x"])
        {
            ToolChoice choice = new(ToolChoiceMode.Any, ["f", name]) { Path = "tool_choice" };
            Assert.Equal("tool_choice", Assert.Throws<ProtocolException>(() => HistoryRepair.Apply(request with { ToolChoice = choice }, s_strict)).Error.Param);
        }
        ChatRequest legal = HistoryRepair.Apply(request with { ToolChoice = new(ToolChoiceMode.Any, ["g.h"]) }, s_strict);
        Assert.Equal(legal.Tools[1].Name, Assert.Single(legal.ToolChoice!.Names));
    }

    [Fact]
    public void SystemPromptAlone_GetsATurnWhereOneIsNeeded()
    {
        ChatRequest request = Request() with { System = [Text("You are")] };
        Assert.Equal("User[Begin.]", Describe(HistoryRepair.Apply(request, s_strict)));
        Assert.Equal("", Describe(HistoryRepair.Apply(request, new HistoryRules())));
    }

    [Fact]
    public void AnyHistory_EndsWithEveryCallAnsweredOnce()
    {
        for (int seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            List<Turn> turns = [User(Text("q"))];
            for (int i = random.Next(0, 8); i > 0; i--)
            {
                var parts = new List<Part>();
                bool isAssistant = random.Next(2) == 0;
                for (int k = random.Next(0, 4); k > 0; k--)
                {
                    string? id = random.Next(5) == 0 ? null : $"c{random.Next(4)}";
                    parts.Add(random.Next(3) == 0 ? Text(random.Next(3) == 0 ? " " : "t") : isAssistant ? Call(id, $"f{random.Next(2)}") : Result(id ?? "none", "r", $"f{random.Next(2)}"));
                }
                turns.Add(random.Next(6) == 0 ? System("s") : isAssistant ? Assistant([.. parts]) : User([.. parts]));
            }
            ChatRequest once = HistoryRepair.Apply(Request([.. turns]), s_strict);
            Assert.Equal(Describe(once), Describe(HistoryRepair.Apply(once, s_strict)));
            foreach (HistoryRules rules in new[] { s_strict, new HistoryRules(), new HistoryRules { KnowsMidSystem = true, DropsEmptyText = true } }) Check(HistoryRepair.Apply(Request([.. turns]), rules), rules);
            foreach (IUpstreamProtocol protocol in new IUpstreamProtocol[] { new OpenAIChatProtocol(), new OpenAIResponsesProtocol() })
            {
                var output = new global::System.Buffers.ArrayBufferWriter<byte>();
                protocol.WriteRequest(output, Request([.. turns]));
                using JsonDocument body = JsonDocument.Parse(output.WrittenMemory);
                ChatRequest back = ((IClientProtocol)protocol).ReadRequest(body.RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = false });
                Check(back, new HistoryRules());
            }
        }
    }

    private static void Check(ChatRequest request, HistoryRules rules)
    {
        var open = new List<string>();
        var all = new HashSet<string>();
        for (int i = 0; i < request.Turns.Count; i++)
        {
            Turn turn = request.Turns[i];
            if (turn.Role == TurnRole.Assistant)
            {
                Assert.Empty(open);
                open = [.. turn.Parts.OfType<ToolCallPart>().Select(static call => call.Id!)];
                Assert.All(open, id => Assert.True(all.Add(id)));
                continue;
            }
            var results = turn.Parts.TakeWhile(static part => part is ToolResultPart).Cast<ToolResultPart>().ToList();
            Assert.Equal(results.Count, turn.Parts.Count(static part => part is ToolResultPart));
            Assert.Equal(open, results.Select(static result => result.CallId));
            open = [];
            if (rules.MergesRoles && i > 0) Assert.NotEqual(request.Turns[i - 1].Role, turn.Role);
        }
        Assert.Empty(open);
    }
}
