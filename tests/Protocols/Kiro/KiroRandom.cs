using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>Histories worse than any client sends: roles in any order, results of anything, nothing in turns, names that nobody takes.</summary>
public static class KiroRandom
{
    private static readonly string[] s_words = ["alpha", "", " ", "\n", "日本", "😀", "\"q\"", "\\", "<thinking>", "```", "\u2028", "\uD800"];

    private static readonly string[] s_names = ["read", "Read", "web_search", "remote_web_search", "_x", "7z", "a.b", "", "ns/very", new('l', 80), "日本"];

    private static readonly string[] s_arguments = ["{}", "", "null", "[1]", "{\"a\":", "{\"id\":9007199254740993}", "\"text\""];

    private static readonly string[] s_schemas =
        ["{}", "true", "null", """{"type":"object","required":null,"additionalProperties":{"type":"string","additionalProperties":false}}""",
            """{"oneOf":[{"properties":{"a":{"required":[]}}},{"$ref":"#/$defs/x"}],"$defs":{"x":{"$schema":"y","type":"array","items":[true,false,{"additionalProperties":1}]}}}""",
            """{"properties":{"required":{"type":"object","required":["z"]},"p":[]}}"""];

    public static ChatRequest Request(int seed)
    {
        var random = new Random(seed);
        var names = new HashSet<string>();
        return new ChatRequest
        {
            Model = Pick(random, ["claude-sonnet-5", "claude-sonnet-4.5", "gpt-5.6-sol", "minimax-m2.5", "auto"]),
            Protocol = Pick(random, ["anthropic", "openai", "responses", "gemini", ""]),
            System = [.. Enumerable.Range(0, random.Next(3)).Select(_ => Text(random))],
            Turns = [.. Enumerable.Range(0, random.Next(12)).Select(at => Turn(random, at))],
            Tools = [.. Enumerable.Range(0, random.Next(6)).Select(at => Tool(random, at)).Where(tool => names.Add(tool.Name))],
            ToolChoice = random.Next(3) > 0 ? null : new ToolChoice(Pick(random, [ToolChoiceMode.Auto, ToolChoiceMode.None, ToolChoiceMode.Validated]), random.Next(10) > 0 ? [] : [Pick(random, s_names)]) { Path = "tool_choice" },
            Reasoning = random.Next(3) > 0 ? null : new ReasoningRequest { Effort = Pick(random, [ReasoningEffort.None, ReasoningEffort.Low, ReasoningEffort.Max]) },
            Output = random.Next(4) > 0 ? null : new OutputFormat(null),
            ParallelTools = random.Next(4) > 0 ? null : false,
        };
    }

    private static Turn Turn(Random random, int at)
    {
        TurnRole role = Pick(random, [TurnRole.User, TurnRole.User, TurnRole.Assistant, TurnRole.Assistant, TurnRole.System]);
        return new Turn(role, [.. Enumerable.Range(0, random.Next(5)).Select(_ => Part(random, role))]) { Path = $"turns[{at}]" };
    }

    /// <summary>Seldom at a place where it cannot be, which refuses the whole request.</summary>
    private static Part Part(Random random, TurnRole role)
    {
        Part part = Part(random);
        bool isMisplaced = (part is ToolCallPart && role != TurnRole.Assistant) || (part is ToolResultPart && role == TurnRole.Assistant);
        return isMisplaced && random.Next(400) > 0 ? Text(random) : part;
    }

    private static Part Part(Random random) => random.Next(9) switch
    {
        0 or 1 or 2 => Text(random),
        3 or 4 => new ToolCallPart(Id(random), Pick(random, s_names), Encoding.UTF8.GetBytes(Pick(random, s_arguments))) { Path = "call" },
        5 or 6 => new ToolResultPart(Id(random) ?? "call_0", null, [.. Enumerable.Range(0, random.Next(3)).Select(_ => random.Next(4) == 0 ? Image() : (Part)Text(random))]) { Path = "result", IsError = random.Next(3) == 0 },
        7 => new ThinkingPart(Pick(random, s_words)) { Seal = random.Next(2) == 0 ? null : new Seal(SealKind.Thinking, "", "fake") },
        _ => random.Next(4) == 0 ? Image() : new RefusalPart(Pick(random, s_words)),
    };

    private static MediaPart Image() => new(MediaKind.Image, new Base64Source("image/png", "iVBORw0KGgoAAAAN")) { Path = "image" };

    private static TextPart Text(Random random) => new(Pick(random, s_words) + Pick(random, s_words)) { Path = "text" };

    private static string? Id(Random random) => random.Next(6) switch { 0 => null, 1 => "", 2 => new string('i', 90), 3 => "a b", var at => $"call_{at}" };

    private static ToolDefinition Tool(Random random, int at) => new(random.Next(4) == 0 ? ToolKind.Custom : ToolKind.Function, Pick(random, s_names))
    {
        Path = $"tools[{at}]",
        Description = random.Next(3) switch { 0 => default(JsonText?), 1 => new JsonText(Pick(random, s_words)), _ => new JsonText(string.Concat(Enumerable.Repeat("é😀", 3000))) },
        Schema = random.Next(3) == 0 ? null : JsonDocument.Parse(Pick(random, s_schemas)).RootElement,
    };

    private static T Pick<T>(Random random, T[] items) => items[random.Next(items.Length)];
}
