using System.Text.Json;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>Tool definitions and the choice among them, in each direction that changes them.</summary>
public sealed class ToolDefinitionEdgeTests
{
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]";

    private static string AnthropicTool(string schema) => $$"""{{{Messages}},"tools":[{"name":"f","description":"does","input_schema":{{schema}} }]}""";

    private static string ChatTool(string schema) => $$$"""{{{{Messages}}},"tools":[{"type":"function","function":{"name":"f","description":"does","parameters":{{{schema}}} } }]}""";

    [Fact]
    public void E18_SchemaOfAnMcpTool_IsInTheFormThatGeminiTakes()
    {
        const string Schema = """
            {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"properties":{
              "kind":{"const":"a"},"map":{"type":"object","propertyNames":{"pattern":"^x"},"additionalProperties":{"type":"string"}},
              "count":{"type":"integer","exclusiveMinimum":0},"maybe":{"type":["string","null"]},"list":{"type":"array"}},"required":["kind","absent"]}
            """;
        JsonElement schema = Request("anthropic", AnthropicTool(Schema), "gemini", "gemini-3-pro").At("tools.0.functionDeclarations.0.parametersJsonSchema");
        Assert.False(schema.Has("$schema"));
        Same("""["a"]""", schema.At("properties.kind.enum"));
        Assert.False(schema.At("properties.map").Has("propertyNames"));
        Assert.Contains("propertyNames", schema.Text("properties.map.description"));
        Assert.Contains("exclusiveMinimum", schema.Text("properties.count.description"));
        Same("""["string","null"]""", schema.At("properties.maybe.type"));
        Assert.True(schema.At("properties.list").Has("items"));
        Same("""["kind"]""", schema.At("required"));

        JsonElement legacy = Request("anthropic", AnthropicTool(Schema), new GeminiProtocol(new GeminiTraits { LegacySchema = true }), "gemini-2.5-pro")
            .At("tools.0.functionDeclarations.0.parameters");
        Assert.Equal("STRING", legacy.Text("properties.maybe.type"));
        Assert.True(legacy.At("properties.maybe.nullable").GetBoolean());
        Assert.Equal("STRING", legacy.Text("properties.list.items.type"));
        foreach (string gone in (string[])["$schema", "const", "propertyNames\":", "exclusiveMinimum\":", "additionalProperties\":"]) Assert.DoesNotContain($"\"{gone}", legacy.GetRawText());
    }

    [Theory]
    [InlineData("openai", "anthropic", "tools.0.input_schema")]
    [InlineData("openai", "responses", "tools.0.parameters")]
    [InlineData("openai", "gemini", "tools.0.functionDeclarations.0.parametersJsonSchema")]
    [InlineData("anthropic", "openai", "tools.0.function.parameters")]
    [InlineData("anthropic", "responses", "tools.0.parameters")]
    [InlineData("anthropic", "gemini", "tools.0.functionDeclarations.0.parametersJsonSchema")]
    public void E19_PropertiesCalledLikeKeywords_AreKeptWithTheirSchemas(string client, string upstream, string path)
    {
        const string Properties = """
            {"pattern":{"type":"string"},"title":{"type":"string"},"type":{"type":"string"},"required":{"type":"boolean"},"properties":{"type":"object","properties":{"const":{"type":"string"}}},
             "const":{"type":"integer"},"default":{"type":"string"},"$schema":{"type":"string"},"anyOf":{"type":"string"},"format":{"type":"string"}}
            """;
        string schema = $$"""{"type":"object","properties":{{Properties}},"required":["pattern","title","type","required","properties","const","default"]}""";
        JsonElement written = Request(client, client == "openai" ? ChatTool(schema) : AnthropicTool(schema), upstream).At(path);
        Same(Properties, written.At("properties"));
        Assert.Equal(7, written.At("required").GetArrayLength());
    }

    [Theory]
    [InlineData("gemini", "anthropic", "tools.0.input_schema")]
    [InlineData("gemini", "openai", "tools.0.function.parameters")]
    [InlineData("gemini", "responses", "tools.0.parameters")]
    public void E19_ProtoSchema_ChangesSchemaPositionsOnly(string client, string upstream, string path)
    {
        const string Body = """
            {"contents":[{"parts":[{"text":"q"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","propertyOrdering":["type"],"properties":{
              "type":{"type":"STRING","nullable":true,"enum":["STRING","OBJECT"],"format":"enum"},"nullable":{"type":"ARRAY","items":{"type":"INTEGER"},"minItems":"2"}}}}]}]}
            """;
        JsonElement written = Request(client, Body, upstream).At(path);
        Same("""{"type":["string","null"],"enum":["STRING","OBJECT"]}""", written.At("properties.type"));
        Same("""{"type":"array","items":{"type":"integer"},"minItems":2}""", written.At("properties.nullable"));
        Assert.Equal("object", written.Text("type"));
        Assert.False(written.Has("propertyOrdering"));
    }

    [Theory]
    [InlineData("openai", "anthropic", "tools.0.input_schema", "tools.0.input_schema.description")]
    [InlineData("anthropic", "openai", "tools.0.function.parameters", "tools.0.function.description")]
    [InlineData("anthropic", "responses", "tools.0.parameters", "tools.0.description")]
    public void E20_RootAnyOf_MovesIntoTheDescription(string client, string upstream, string path, string description)
    {
        const string Schema = """
            {"type":"object","anyOf":[{"properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"]},{"properties":{"b":{"type":"string"},"c":{"type":"string"}},"required":["b","c"]}]}
            """;
        JsonElement body = Request(client, client == "openai" ? ChatTool(Schema) : AnthropicTool(Schema), upstream);
        JsonElement written = body.At(path);
        Assert.Equal("object", written.Text("type"));
        Assert.False(written.Has("anyOf"));
        Assert.Equal(["a", "b", "c"], written.At("properties").EnumerateObject().Select(property => property.Name));
        Same("""["b"]""", written.At("required"));
        Assert.Contains("anyOf", body.Text(description));
    }

    [Theory]
    [InlineData("openai", null, false)]
    [InlineData("openai", "false", false)]
    [InlineData("openai", "true", true)]
    [InlineData("anthropic", null, false)]
    [InlineData("gemini", null, false)]
    public void E50_Strict_IsAlwaysToldToResponses(string client, string? strict, bool told)
    {
        string flag = strict is null ? "" : $",\"strict\":{strict}";
        string body = client switch
        {
            "openai" => $$"""{{{Messages}},"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}{{flag}} } }]}""",
            "anthropic" => AnthropicTool("""{"type":"object"}"""),
            _ => """{"contents":[{"parts":[{"text":"q"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}]}""",
        };
        JsonElement tool = Request(client, body, "responses").At("tools.0");
        Assert.Equal(told, tool.At("strict").GetBoolean());
        Assert.Equal("object", tool.Text("parameters.type"));
    }

    private const string Patch = """
        {"input":"q","tools":[{"type":"custom","name":"apply_patch","description":"Edits files.","format":{"type":"grammar","syntax":"lark","definition":"start: BEGIN"}}]}
        """;

    [Theory]
    [InlineData("anthropic", "tools.0.input_schema", "tools.0.description")]
    [InlineData("gemini", "tools.0.functionDeclarations.0.parametersJsonSchema", "tools.0.functionDeclarations.0.description")]
    public void E51_CustomTool_IsAFunctionAndComesBackAsFreeText(string upstream, string schema, string description)
    {
        JsonElement body = Request("responses", Patch, upstream);
        Same("""{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}""", body.At(schema));
        Assert.Contains("start: BEGIN", body.Text(description));

        const string Input = "*** Begin Patch\n\"x\"\t\\ 日本\n*** End Patch\n";
        string arguments = $"{{\"input\":{JsonSerializer.Serialize(Input)}}}";
        string sse = upstream == "anthropic" ? Sse.Messages("tool_use", Sse.ToolBlock(0, "toolu_1", "apply_patch", arguments))
            : Sse.Gemini("STOP", $$"""{"functionCall":{"id":"toolu_1","name":"apply_patch","args":{{arguments}} } }""");
        string stream = Stream(upstream, sse, "responses", Read("responses", Patch));
        JsonElement item = Sse.Events(stream, "response.output_item.done").Single().At("item");
        Assert.Equal("custom_tool_call toolu_1 apply_patch", $"{item.At("type")} {item.At("call_id")} {item.At("name")}");
        Assert.Equal(Input, item.Text("input"));
        Assert.Equal(Input, Sse.Events(stream, "response.custom_tool_call_input.done").Single().Text("input"));

        JsonElement history = Request("responses", $$"""
            {"input":["q",{"type":"custom_tool_call","call_id":"toolu_1","name":"apply_patch","input":{{JsonSerializer.Serialize(Input)}} },{"type":"custom_tool_call_output","call_id":"toolu_1","output":"Done!"}]}
            """, upstream);
        string path = upstream == "anthropic" ? "messages.1.content.0.input.input" : "contents.1.parts.0.functionCall.args.input";
        Assert.Equal(Input, history.Text(path));
    }

    /// <summary>Most Chat servers know functions only: they get the wrapper, whichever protocol the client has the tool from, and the client its own kind of call.</summary>
    [Theory]
    [InlineData("responses", Patch)]
    [InlineData("openai", """{"messages":[{"role":"user","content":"q"}],"tools":[{"type":"custom","custom":{"name":"apply_patch","description":"Edits files.","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: BEGIN"}}}}]}""")]
    public void E51_ChatServerThatKnowsFunctionsOnly_GetsAFunction(string client, string request)
    {
        var server = new OpenAIChatProtocol();
        JsonElement body = Request(client, request, server);
        Assert.Equal("function", body.Text("tools.0.type"));
        Same("""{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}""", body.At("tools.0.function.parameters"));
        Assert.Contains("start: BEGIN", body.Text("tools.0.function.description"));

        const string Input = "*** Begin Patch\n\"x\"\t\\ 日本\n*** End Patch\n";
        string arguments = $"{{\"input\":{JsonSerializer.Serialize(Input)}}}";
        string sse = Sse.Chat("\"role\":\"assistant\",\"content\":null", Sse.Call(0, "call_1", "apply_patch", arguments[..9]), Sse.Call(0, "", "", arguments[9..]), Sse.Finish("tool_calls"));
        JsonElement whole = Joined("openai", sse, client, Read(client, request));
        JsonElement call = client == "responses" ? whole.At("output.0") : whole.At("choices.0.message.tool_calls.0");
        Assert.Equal(client == "responses" ? "custom_tool_call" : "custom", call.Text("type"));
        Assert.Equal(Input, call.Text(client == "responses" ? "input" : "custom.input"));
        string stream = Stream("openai", sse, client, Read(client, request));
        Assert.Equal(Input, client == "responses" ? Sse.Events(stream, "response.custom_tool_call_input.done").Single().Text("input")
            : string.Concat(Sse.Deltas(stream).Where(delta => delta.Has("tool_calls")).Select(delta => delta.Text("tool_calls.0.custom.input"))));
        if (client == "openai") return;

        JsonElement history = Request(client, $$"""
            {"input":["q",{"type":"custom_tool_call","call_id":"call_1","name":"apply_patch","input":{{JsonSerializer.Serialize(Input)}} },{"type":"custom_tool_call_output","call_id":"call_1","output":"Done!"}],"tools":[{"type":"custom","name":"apply_patch"}],"tool_choice":{"type":"custom","name":"apply_patch"} }
            """, server);
        Assert.Equal(Input, RequestTexts.Json(history.Text("messages.1.tool_calls.0.function.arguments")).Text("input"));
        Same("""{"type":"function","function":{"name":"apply_patch"}}""", history.At("tool_choice"));
    }

    [Theory]
    [InlineData("anthropic", "tools.0.name")]
    [InlineData("gemini", "tools.0.functionDeclarations.0.name")]
    [InlineData("openai", "tools.0.function.name")]
    public void E52_NamespaceTool_ReturnsWithNamespaceAndName(string upstream, string path)
    {
        const string Body = """{"input":"q","tools":[{"type":"namespace","name":"mcp_files","description":"d","tools":[{"type":"function","name":"read","parameters":{"type":"object"}}]}]}""";
        Assert.Equal("mcp_files__read", Request("responses", Body, upstream).Text(path));
        string sse = upstream switch
        {
            "anthropic" => Sse.Messages("tool_use", Sse.ToolBlock(0, "a", "mcp_files__read", "{}")),
            "gemini" => Sse.Gemini("STOP", """{"functionCall":{"id":"a","name":"mcp_files__read","args":{}}}"""),
            _ => Sse.Chat(Sse.Call(0, "a", "mcp_files__read", "{}"), Sse.Finish("tool_calls")),
        };
        JsonElement item = Sse.Events(Stream(upstream, sse, "responses", Read("responses", Body)), "response.output_item.done").Single().At("item");
        Assert.Equal(("mcp_files", "read"), (item.Text("namespace"), item.Text("name")));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public void E53_UndeclaredTool_PassesAsItWasCalled(string client)
    {
        const string Arguments = """{"tool_uses":[]}""";
        string body = client switch
        {
            "gemini" => """{"contents":[{"parts":[{"text":"q"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}]}""",
            "responses" => """{"input":"q","tools":[{"type":"function","name":"f","parameters":{}}]}""",
            "openai" => ChatTool("{}"),
            _ => AnthropicTool("{}"),
        };
        string upstream = client == "openai" ? "anthropic" : "openai";
        string sse = upstream == "openai" ? Sse.Chat(Sse.Call(0, "a", "multi_tool_use.parallel", Arguments), Sse.Finish("tool_calls"))
            : Sse.Messages("tool_use", Sse.ToolBlock(0, "a", "multi_tool_use.parallel", Arguments));
        string stream = Stream(upstream, sse, client, Read(client, body));
        Assert.Contains("\"name\":\"multi_tool_use.parallel\"", stream);
        Assert.Contains("tool_uses", stream);
    }

    [Theory]
    [InlineData("anthropic", "openai", "tools.0.function.name", 64)]
    [InlineData("anthropic", "responses", "tools.0.name", 64)]
    [InlineData("anthropic", "gemini", "tools.0.functionDeclarations.0.name", 64)]
    public void E49_LongName_IsAnAliasAndTheOriginalInTheAnswer(string client, string upstream, string path, int limit)
    {
        string name = "mcp__" + new string('x', 83);
        string body = $$"""
            {"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"{{name}}","input":{} }]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"}]}],
             "tools":[{"name":"{{name}}","input_schema":{"type":"object"} }],"tool_choice":{"type":"tool","name":"{{name}}"} }
            """;
        JsonElement written = Request(client, body, upstream);
        string alias = written.Text(path);
        Assert.True(alias.Length <= limit);
        Assert.DoesNotContain(name, written.GetRawText());
        Assert.True(written.GetRawText().Split($"\"{alias}\"").Length - 1 >= 3, "tools, history and choice have the same name");
        string sse = upstream switch
        {
            "openai" => Sse.Chat(Sse.Call(0, "a", alias, "{}"), Sse.Finish("tool_calls")),
            "gemini" => Sse.Gemini("STOP", $$"""{"functionCall":{"name":"{{alias}}","args":{} } }"""),
            _ => Sse.Named("""{"type":"response.created","response":{"id":"resp_1","status":"in_progress"}}""",
                $$"""{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"a","name":"{{alias}}","arguments":"{}"} }""",
                """{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}"""),
        };
        Assert.Equal(name, Sse.Blocks(Stream(upstream, sse, client, Read(client, body))).Single().Text("name"));
    }

    [Fact]
    public void E72_ParallelOff_IsAFlagInsideAuto()
    {
        string body = $$$"""{{{{Messages}}},"tools":[{"type":"function","function":{"name":"f"} }],"parallel_tool_calls":false}""";
        Same("""{"type":"auto","disable_parallel_tool_use":true}""", Request("openai", body, "anthropic").At("tool_choice"));
        Assert.False(Request("openai", ChatTool("{}"), "anthropic").Has("tool_choice"));
        string back = $$$"""{{{{Messages}}},"tools":[{"name":"f","input_schema":{"type":"object"} }],"tool_choice":{"type":"any","disable_parallel_tool_use":true} }""";
        JsonElement chat = Request("anthropic", back, "openai");
        Assert.Equal("required", chat.Text("tool_choice"));
        Assert.False(chat.At("parallel_tool_calls").GetBoolean());
    }

    [Fact]
    public void E51_ServerThatKnowsCustomTools_GetsThemAsTheyAre()
    {
        JsonElement body = Request("responses", Patch, new OpenAIChatProtocol(new OpenAIChatTraits { IsOfficial = true }));
        Assert.Equal("custom", body.Text("tools.0.type"));
        Assert.Equal("lark", body.Text("tools.0.custom.format.grammar.syntax"));
    }

    private const string Closed = """{"type":"object","properties":{"a":{"type":"string"},"b":{"type":["array","null"],"items":{"enum":[1,2]}}},"required":["a","b"],"additionalProperties":false}""";

    [Theory]
    [InlineData(Closed, true)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a"],"additionalProperties":false}""", false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"object"}},"required":["a"],"additionalProperties":false}""", false)]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", false)]
    public void OutputSchemaOfAnAlwaysStrictClient_IsStrictOnlyWhereItFitsTheSubset(string schema, bool fits)
    {
        string anthropic = $$"""{{{Messages}},"output_config":{"format":{"type":"json_schema","schema":{{schema}} } } }""";
        string gemini = $$"""{"contents":[{"parts":[{"text":"q"}]}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{{schema}} } }""";
        foreach ((string client, string body) in (ReadOnlySpan<(string, string)>)[("anthropic", anthropic), ("gemini", gemini)])
        {
            JsonElement chat = Request(client, body, "openai").At("response_format.json_schema");
            Assert.Equal(fits, chat.Has("strict") && chat.At("strict").GetBoolean());
            Assert.Equal(fits, Request(client, body, "responses").At("text.format.strict").GetBoolean());
        }
        string asked = $$"""{{{Messages}},"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{{schema}} } } }""";
        Assert.True(Request("openai", asked, "responses").At("text.format.strict").GetBoolean());
    }

    [Theory]
    [InlineData("openai", "bash_20250124")]
    [InlineData("responses", "text_editor_20250728")]
    [InlineData("gemini", "memory_20250818")]
    [InlineData("openai", "computer_20251124")]
    [InlineData("responses", "computer_toolset_20260801")]
    [InlineData("gemini", "browser_toolset_20260801")]
    public void ToolWhoseSchemaOnlyAnthropicKnows_IsRefusedAlsoBesideOthers(string upstream, string type)
    {
        string body = $$"""{{{Messages}},"tools":[{"name":"f","input_schema":{"type":"object"} },{"type":"{{type}}","name":"bash"}]}""";
        Assert.Equal((ErrorKind.Unsupported, "tools[1]"), (Refused("anthropic", body, upstream).Kind, Refused("anthropic", body, upstream).Param));
        string fetch = body.Replace(type, "web_fetch_20250910");
        Assert.DoesNotContain("web_fetch", Request("anthropic", fetch, upstream).GetRawText());
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("gemini")]
    public void RemoteServer_IsRefused_OtherHostedToolsAreDroppedBesideFunctions(string upstream)
    {
        const string Body = """{"input":"q","tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"computer_use_preview"},{"type":"TYPE","server_label":"s"}]}""";
        Assert.Equal("tools[2]", Refused("responses", Body.Replace("TYPE", "mcp"), upstream).Param);
        Assert.DoesNotContain("server_label", Request("responses", Body.Replace("TYPE", "web_search"), upstream).GetRawText());
    }

    [Theory]
    [InlineData("""{"type":"item_reference","id":"msg_1"}""")]
    [InlineData("""{"type":"compaction","encrypted_content":"x"}""")]
    public void ItemThatOnlyItsProviderCanRead_IsRefusedForEachUpstream(string item)
    {
        foreach (string upstream in (string[])["anthropic", "openai", "gemini"])
            Assert.Equal("input[1]", Refused("responses", $$"""{"input":["q",{{item}}]}""", upstream).Param);
    }
}
