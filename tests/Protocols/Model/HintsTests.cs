using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Conversations;
using Aiproxy.Tests.Upstreams;
using Aiproxy.Upstreams;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Aiproxy.Tests.Protocols.Model;

/// <summary>The table of hints against what readers and writers do.</summary>
public sealed class HintsTests
{
    private static readonly string[] All = ["anthropic", "openai", "responses", "gemini"];

    // Models that take what their protocol has a word for.
    private static readonly Dictionary<string, string> Models = new() { ["anthropic"] = "claude-sonnet-4-5", ["openai"] = "gpt-4o", ["responses"] = "gpt-4o", ["gemini"] = "gemini-2.0-flash" };

    private static readonly Dictionary<string, string> Bodies = new()
    {
        ["anthropic"] = """
            {"model":"m","max_tokens":100,"system":[{"type":"text","text":"s"}],"thinking":{"type":"disabled"},"output_config":{},
            "tools":[{"name":"f","input_schema":{"type":"object","properties":{}}},{"type":"web_search_20250305","name":"web_search"}],
            "messages":[{"role":"user","content":[{"type":"text","text":"q"},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},
            {"role":"assistant","content":[{"type":"text","text":"a","citations":[{"type":"web_search_result_location"}]},{"type":"tool_use","id":"t1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"r"}]}]}
            """,
        ["openai"] = """
            {"model":"m","max_tokens":100,"web_search_options":{},"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],
            "messages":[{"role":"user","content":[{"type":"text","text":"p"}]},{"role":"assistant","content":[{"type":"text","text":"a"}]},{"role":"user","content":[{"type":"text","text":"q"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]}
            """,
        ["responses"] = """
            {"model":"m","max_output_tokens":100,"reasoning":{},"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}},{"type":"web_search"}],
            "input":["p",{"role":"assistant","content":[{"type":"output_text","text":"a"}]},{"role":"user","content":[{"type":"input_text","text":"q"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}]}]}
            """,
        ["gemini"] = """
            {"generationConfig":{"maxOutputTokens":100},"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}}],"googleSearch":{}}],"toolConfig":{},
            "contents":[{"role":"user","parts":[{"text":"q"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]}]}
            """,
    };

    // What stands under a path in the test; anything else stands there as an object.
    private static readonly Dictionary<string, string> Samples = new()
    {
        ["service_tier"] = "\"priority\"", ["serviceTier"] = "\"priority\"", ["top_k"] = "40", ["generationConfig.topK"] = "40", ["seed"] = "7", ["generationConfig.seed"] = "7",
        ["frequency_penalty"] = "0.5", ["presence_penalty"] = "0.5", ["generationConfig.presencePenalty"] = "0.5", ["generationConfig.frequencyPenalty"] = "0.5",
        ["verbosity"] = "\"low\"", ["text.verbosity"] = "\"low\"", ["metadata.user_id"] = "\"u\"", ["safety_identifier"] = "\"u\"", ["user"] = "\"u\"", ["prompt_cache_key"] = "\"k\"",
        ["tools[].strict"] = "true", ["tools[].function.strict"] = "true", ["tools[].defer_loading"] = "true", ["top_logprobs"] = "0", ["include"] = "[\"reasoning.encrypted_content\"]",
        ["reasoning.mode"] = "\"pro\"", ["reasoning.context"] = "\"auto\"", ["input[].phase"] = "\"commentary\"", ["input[].status"] = "\"completed\"", ["messages[].name"] = "\"n\"",
        ["messages[].content[].image_url.detail"] = "\"low\"", ["input[].content[].detail"] = "\"low\"", ["messages[].content[].context"] = "\"c\"",
        ["tools[].functionDeclarations[].parameters.propertyOrdering"] = "[\"a\"]", ["messages[].clear_at"] = "\"x\"", ["messages[].content[].citations[].cited_text"] = "\"c\"", ["messages[].content[].citations[].url"] = "\"https://a.invalid/\"",
        ["tools[].max_uses"] = "3", ["tools[].allowed_domains"] = "[\"a.invalid\"]", ["tools[].blocked_domains"] = "[\"a.invalid\"]", ["tools[].filters"] = "{\"allowed_domains\":[\"a.invalid\"]}",
        ["tools[].user_location"] = "{\"city\":\"Oslo\"}", ["web_search_options.user_location"] = "{\"approximate\":{\"city\":\"Oslo\"}}",
        ["tools[].search_context_size"] = "\"low\"", ["web_search_options.search_context_size"] = "\"low\"",
        ["messages[].annotations"] = "[{\"type\":\"url_citation\",\"url_citation\":{\"url\":\"https://a.invalid/\",\"title\":\"A\"}}]",
        ["input[].content[].annotations"] = "[{\"type\":\"url_citation\",\"url\":\"https://a.invalid/\",\"title\":\"A\"}]", ["store"] = "true", ["truncation"] = "\"auto\"",
    };

    public static TheoryData<string, string, string> Rows()
    {
        var rows = new TheoryData<string, string, string>();
        foreach (Hint hint in Hints.All)
            foreach (string target in All)
                if (target != hint.Protocol) rows.Add(hint.Protocol, hint.Path, target);
        return rows;
    }

    private static string Written(string protocol, string body, string target, string model)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        IClientProtocol client = TestExchange.Protocols[protocol];
        ChatRequest request = client.ReadRequest(document.RootElement, new RequestHead { Target = new RequestTarget(Operation.Generate), Model = "m", Stream = false });
        var output = new ArrayBufferWriter<byte>();
        Speech.Of(target).Upstream.WriteRequest(output, request with { Model = model });
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static void Put(JsonNode? owner, string path, string value)
    {
        if (owner is not JsonObject found) return;
        int dot = path.IndexOf('.');
        string name = dot < 0 ? path : path[..dot];
        if (name.EndsWith("[]"))
        {
            foreach (JsonNode? element in found[name[..^2]]?.AsArray() ?? []) Put(element, path[(dot + 1)..], value);
        }
        else if (dot < 0)
        {
            found[name] = JsonNode.Parse(value);
        }
        else
        {
            // An image has a member that other parts have not.
            if (found[name] is null && name != "image_url" && name != "parameters") found[name] = new JsonObject();
            Put(found[name], path[(dot + 1)..], value);
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Row_IsWhatTheWriterDoes(string protocol, string path, string target)
    {
        JsonNode body = JsonNode.Parse(Bodies[protocol])!;
        // Only models that reason take a verbosity; the others take more of the rest.
        string model = path.EndsWith("verbosity") && target is ("openai" or "responses") ? "gpt-5.5" : Models[target];
        string plain = Written(protocol, body.ToJsonString(), target, model);
        string sample = protocol == "anthropic" && path == "service_tier" ? "\"standard_only\"" : Samples.GetValueOrDefault(path, "{\"a\":1}");
        Put(body, path, sample);
        string hinted = body.ToJsonString();
        Assert.NotEqual(JsonNode.Parse(Bodies[protocol])!.ToJsonString(), hinted);

        bool drops = Hints.All.Single(hint => hint.Protocol == protocol && hint.Path == path).IsDroppedFor(target);
        Assert.True(drops == (Written(protocol, hinted, target, model) == plain), $"{path} of {protocol} is {(drops ? "not dropped" : "dropped")} for {target}");
        using JsonDocument document = JsonDocument.Parse(hinted);
        Assert.Equal(drops ? [path] : [], Hints.DroppedFrom(document.RootElement, protocol, target));
    }

    [Theory]
    [InlineData("anthropic", """{"model":"m","messages":[],"brand_new":1,"top_k":null}""", "openai", "brand_new")]
    [InlineData("gemini", """{"contents":[],"safety_settings":[],"system_instruction":{},"generation_config":{"top_k":1}}""", "openai", "safetySettings generationConfig.topK")]
    [InlineData("gemini", """{"contents":[],"tools":[{"function_declarations":[{"behavior":"BLOCKING"}]}]}""", "anthropic", "tools[].functionDeclarations[].behavior")]
    [InlineData("openai", """{"messages":[],"metadata":{}}""", "openai", "")]
    [InlineData("responses", "[1]", "openai", "")]
    public void Dropped_NamesUnknownMembersToo(string protocol, string body, string target, string dropped)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        Assert.Equal(dropped, string.Join(' ', Hints.DroppedFrom(document.RootElement, protocol, target)));
    }

    [Fact]
    public void Log_TellsEachPropertyOnce_AndNothingBelowDebug()
    {
        var lines = new List<string>();
        var sink = new Lines(lines);
        using JsonDocument body = JsonDocument.Parse("""{"model":"m","messages":[{"role":"user","content":"secret words"}],"speed":"fast","x":"secret"}""");
        var log = new DropLog(new LoggerConfiguration().MinimumLevel.Debug().WriteTo.Sink(sink).CreateLogger());
        foreach (string target in (string[])["openai", "gemini", "openai", "anthropic"]) log.Note(body.RootElement, "anthropic", target);
        Assert.Equal(["\"speed\" of anthropic requests has no word in openai and is left out", "\"x\" of anthropic requests has no word in openai and is left out"], lines);

        new DropLog(new LoggerConfiguration().MinimumLevel.Information().WriteTo.Sink(sink).CreateLogger()).Note(body.RootElement, "anthropic", "openai");
        Assert.Equal(2, lines.Count);
    }

    [Fact]
    public void Readme_ListsTheTable()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "README.md"))) folder = Path.GetDirectoryName(folder)!;
        string readme = File.ReadAllText(Path.Combine(folder, "README.md"));
        foreach (string protocol in All) Assert.Contains(Line(protocol), readme);
    }

    /// <summary>The table's rows of one protocol as the README has them.</summary>
    private static string Line(string protocol)
    {
        IEnumerable<string> groups = Hints.All.Where(hint => hint.Protocol == protocol).GroupBy(hint => string.Join(", ", hint.Targets))
            .Select(group => (group.Key.Length == 0 ? "" : $"to {group.Key}: ") + string.Join(", ", group.Select(hint => $"`{hint.Path}`")));
        return $"| {protocol} | {string.Join("; ", groups)} |";
    }

    private sealed class Lines(List<string> lines) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => lines.Add(logEvent.RenderMessage());
    }
}
