using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Google;

/// <summary>What a model's name decides about how Code Assist is asked for it.</summary>
/// <param name="Name">The upstream's name, without <c>models/</c>.</param>
/// <param name="IsAntigravity">Antigravity serves other families too, and has rules for each.</param>
public sealed record GoogleModel(string Name, bool IsAntigravity)
{
    public bool IsClaude { get; } = IsAntigravity && GeminiNames.IsClaude(Name);

    /// <summary>Neither this nor Claude: an open model such as gpt-oss.</summary>
    public bool IsGemini { get; } = !IsAntigravity || Name.StartsWith("gemini", StringComparison.OrdinalIgnoreCase);

    /// <summary>Calls must be signed, and thinking is steered by level. Antigravity has names without a number, of the current generation.</summary>
    public bool IsGemini3 => IsGemini && (ModelTable.BuiltIn(Name).IsGemini3 || (IsAntigravity && !Starts("gemini-2") && !Starts("gemini-1")));

    /// <summary>Claude thinks under these names alone.</summary>
    public bool IsThinkingClaude => IsClaude && Name.EndsWith("-thinking", StringComparison.OrdinalIgnoreCase);

    public bool IsImage => Name.Contains("image", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whole answers have been incomplete: asked for as a stream, and collected.</summary>
    public bool AnswersInStreams => IsAntigravity && (IsClaude || IsGemini3Pro);

    public SchemaUse ToolSchema => IsAntigravity && (IsClaude || IsGemini3Pro) ? SchemaUse.ValidatedTool : SchemaUse.Tool;

    /// <summary>The level that the name itself says; null: none.</summary>
    public string? Level =>
        !IsAntigravity || !IsGemini3 ? null
        : Name.EndsWith("-low", StringComparison.OrdinalIgnoreCase) ? "low"
        : Name.EndsWith("-medium", StringComparison.OrdinalIgnoreCase) ? "medium"
        : Name.EndsWith("-high", StringComparison.OrdinalIgnoreCase) ? "high"
        : null;

    private bool IsGemini3Pro => Starts("gemini-3") && Name.Contains("pro", StringComparison.OrdinalIgnoreCase);

    private bool Starts(string prefix) => Name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
}
