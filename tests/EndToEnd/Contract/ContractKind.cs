namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>One way to be an upstream: a type, and where it matters the kind of sign-in or the family of models behind it.</summary>
/// <param name="Model">As the upstream names it.</param>
/// <param name="Speaks">The client protocol whose bytes are forwarded; empty: none.</param>
/// <param name="Method">kiro: how the sign-in was made.</param>
public sealed record ContractKind(string Name, string Type, string Model, string Speaks, IModelService Service, FakeProviderLayout Layout = FakeProviderLayout.CliProxy, string Method = "social")
{
    public static IReadOnlyList<ContractKind> Keys { get; } =
    [
        new("anthropic", "anthropic", "claude-sonnet-4-5", "anthropic", new KeyService(Dialects.Anthropic)),
        new("openai", "openai", "gpt-5.1", "openai", new KeyService(Dialects.Chat)),
        new("responses", "responses", "gpt-5.1", "responses", new KeyService(Dialects.Responses)),
        new("gemini", "gemini", "gemini-2.5-pro", "gemini", new KeyService(Dialects.Gemini)),
    ];

    public static IReadOnlyList<ContractKind> SignIns { get; } =
    [
        new("codex", "codex", "gpt-5.5", "responses", new CodexService(), FakeProviderLayout.Official),
        new("claudecode", "claudecode", "claude-sonnet-4-5-20250929", "anthropic", new ClaudeCodeService(), FakeProviderLayout.Official),
        new("geminicli", "geminicli", "gemini-2.5-pro", "gemini", new CodeAssistService("geminicli"), FakeProviderLayout.Official),
        new("antigravity", "antigravity", "gemini-3-flash", "gemini", new CodeAssistService("antigravity")),
        new("antigravity-claude", "antigravity", "claude-opus-4-6-thinking", "gemini", new CodeAssistService("antigravity"), FakeProviderLayout.Official),
        new("kiro", "kiro", "claude-sonnet-4.6", "", new KiroService(), FakeProviderLayout.Official),
        new("kiro-builder-id", "kiro", "claude-sonnet-4.6", "", new KiroService(), FakeProviderLayout.CliProxy, "builder-id"),
        new("kiro-idc", "kiro", "claude-sonnet-4.6", "", new KiroService(), FakeProviderLayout.KiroRs, "idc"),
    ];

    public static IReadOnlyList<ContractKind> List { get; } = [.. Keys, .. SignIns];

    public bool HasSignIn => SignIns.Contains(this);

    public static ContractKind Of(string name) => List.Single(kind => kind.Name == name);

    public static ContractKind OfKey(IDialect dialect) => Keys.Single(kind => kind.Type == dialect.Name);

    /// <summary>Each kind, each client protocol, whole and streamed.</summary>
    public static TheoryData<string, string, bool> Rows => RowsOf(List);

    public static TheoryData<string, string, bool> SignInRows => RowsOf(SignIns);

    public static TheoryData<string, string> Clients
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (ContractKind kind in List)
                foreach (IDialect client in Dialects.List) rows.Add(kind.Name, client.Name);
            return rows;
        }
    }

    private static TheoryData<string, string, bool> RowsOf(IEnumerable<ContractKind> kinds)
    {
        var rows = new TheoryData<string, string, bool>();
        foreach (ContractKind kind in kinds)
        {
            foreach (IDialect client in Dialects.List)
            {
                rows.Add(kind.Name, client.Name, false);
                rows.Add(kind.Name, client.Name, true);
            }
        }
        return rows;
    }
}
