namespace Aiproxy.Tests.EndToEnd;

public static class Dialects
{
    public static IDialect Anthropic { get; } = new AnthropicDialect();

    public static IDialect Chat { get; } = new ChatDialect();

    public static IDialect Responses { get; } = new ResponsesDialect();

    public static IDialect Gemini { get; } = new GeminiDialect();

    public static IReadOnlyList<IDialect> List { get; } = [Anthropic, Chat, Responses, Gemini];

    public static TheoryData<string> Names => [.. List.Select(dialect => dialect.Name)];

    /// <summary>Every protocol, whole and streamed.</summary>
    public static TheoryData<string, bool> NamesAndModes
    {
        get
        {
            var rows = new TheoryData<string, bool>();
            foreach (var dialect in List)
            {
                rows.Add(dialect.Name, false);
                rows.Add(dialect.Name, true);
            }
            return rows;
        }
    }

    public static IDialect Of(string name) => List.Single(dialect => dialect.Name == name);
}
