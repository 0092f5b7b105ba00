using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Conversations;

/// <summary>Made-up histories as clients send them: results out of order, missing, or of calls that are gone; a role twice in a row; ids used again.</summary>
public static class RandomRequest
{
    private static readonly string[] s_words = ["alpha", "日本", "😀", "\"quoted\"", "back\\slash", "new\nline", "é", "<tag>", "{json}", "\u2028", "42"];

    private static readonly string[] s_arguments =
        ["{}", "{\"a\":1}", "{\"id\":9007199254740993,\"r\":1.10}", "{\"text\":\"日本 😀 \\n \\\"q\\\"\"}", "{\"deep\":{\"x\":[[],[{}]]}}"];

    public static ChatRequest Make(int seed)
    {
        var random = new Random(seed);
        var turns = new List<Turn>();
        int call = 0;
        for (int step = random.Next(1, 5); step > 0; step--)
        {
            turns.Add(new Turn(TurnRole.User, [Text(random)]));
            if (random.Next(4) == 0) turns.Add(new Turn(TurnRole.User, [Text(random), Text(random)]));
            if (random.Next(3) == 0)
            {
                turns.Add(new Turn(TurnRole.Assistant, [Text(random)]));
                continue;
            }
            var calls = new List<ToolCallPart>();
            for (int count = random.Next(1, 4); count > 0; count--) calls.Add(Call(random, call++));
            turns.Add(new Turn(TurnRole.Assistant, random.Next(2) == 0 ? [.. calls] : [Text(random), .. calls]));
            var results = calls.Where(_ => random.Next(5) > 0).OrderBy(_ => random.Next()).Select(Part (part) => Result(part.Id!, random)).ToList();
            if (random.Next(6) == 0) results.Insert(0, Result("call_gone", random));
            if (random.Next(2) == 0) results.Add(Text(random));
            if (results.Count > 0) turns.Add(new Turn(TurnRole.User, results));
        }
        turns.Add(new Turn(TurnRole.User, [Text(random)]));
        return new ChatRequest
        {
            Model = "case-model",
            System = [.. Enumerable.Range(0, random.Next(3)).Select(_ => Text(random))],
            Turns = turns,
            Tools = [.. Enumerable.Range(0, 3).Select(i => new ToolDefinition(ToolKind.Function, $"tool_{i}") { Path = $"tools[{i}]" })],
            MaxTokens = 4000,
        };
    }

    private static TextPart Text(Random random) => new(new JsonText($"t{random.Next(1000)} {s_words[random.Next(s_words.Length)]}."));

    // Every third id is one that was used before.
    private static ToolCallPart Call(Random random, int number) =>
        new($"call_{(number % 3 == 2 ? number - 2 : number)}", $"tool_{random.Next(3)}", Encoding.UTF8.GetBytes(s_arguments[random.Next(s_arguments.Length)]));

    private static ToolResultPart Result(string id, Random random) => new(id, null, [Text(random)]);
}
