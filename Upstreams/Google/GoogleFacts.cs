namespace Aiproxy.Upstreams.Google;

/// <summary>What may age of Google Code Assist: hosts, API version, model ids, names that its own tools go by.</summary>
public static class GoogleFacts
{
    public const string ApiVersion = "v1internal";

    /// <summary>Begins the User-Agent of the tool whose sign-in <c>geminicli</c> uses.</summary>
    public const string GeminiCliAgent = "GeminiCLI/";

    /// <summary>Likewise of <c>antigravity</c>; the server reads the version behind it.</summary>
    public const string AntigravityAgent = "antigravity/";

    /// <summary>Most tokens that Claude answers with here, whatever its own limit elsewhere.</summary>
    public const long ClaudeMaxOutput = 64_000;

    /// <summary>Since then Gemini CLI's sign-in serves licences of organisations only.</summary>
    public const string GeminiCliEnd =
        "Google ended Gemini CLI sign-in for individuals on 2026-06-18; accounts with a Gemini Code Assist Standard or Enterprise licence and an own project go on";

    public static Uri Production { get; } = new("https://cloudcode-pa.googleapis.com");

    public static Uri Daily { get; } = new("https://daily-cloudcode-pa.googleapis.com");

    /// <summary>In the order of trying.</summary>
    public static IReadOnlyList<Uri> AntigravityHosts { get; } = [Daily, Production];

    /// <summary>There is no list to ask for.</summary>
    public static IReadOnlyList<string> GeminiCliModels { get; } =
    [
        "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-3-pro-preview", "gemini-3.1-pro-preview", "gemini-3-flash-preview", "gemini-3-flash",
        "gemini-3.1-flash-lite", "gemini-3.1-flash-lite-preview", "gemini-3.5-flash",
    ];

    /// <summary>Until the provider's own list was read.</summary>
    public static IReadOnlyList<string> AntigravityModels { get; } =
    [
        "claude-opus-4-6-thinking", "claude-sonnet-4-6",
        "gemini-3.7-flash-high", "gemini-3.6-flash-high", "gemini-3.5-flash-low", "gemini-3.5-flash-extra-low", "gemini-3-flash", "gemini-3-flash-agent", "gemini-pro-agent",
        "gemini-3.1-pro-low", "gemini-3.1-flash-lite", "gemini-3.1-flash-image",
        "gpt-oss-120b-medium",
    ];
}
