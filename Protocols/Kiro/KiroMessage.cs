using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Kiro;

/// <summary>One message of a conversation as it will be written; mutable while it is put together.</summary>
public sealed class KiroMessage(bool isUser, string path)
{
    public bool IsUser => isUser;

    /// <summary>Where the client said it, for refusals.</summary>
    public string Path => path;

    /// <summary>Paragraphs of the content, none of them blank.</summary>
    public List<string> Texts { get; } = [];

    public List<KiroImage> Images { get; } = [];

    public List<KiroResult> Results { get; } = [];

    public List<ToolCallPart> Calls { get; } = [];

    /// <summary>Thoughts that can be given back; null: none.</summary>
    public ThinkingPart? Reasoning { get; set; }

    /// <summary>Never blank: "content never empty or whitespace".</summary>
    public string Content(KiroTexts texts) => Texts.Count > 0 ? string.Join("\n\n", Texts)
        : !isUser ? texts.CallsOnly
        : Results.Count > 0 ? texts.ResultsOnly
        : Images.Count > 0 ? texts.ImagesOnly
        : texts.Continue;
}

/// <param name="Format"><c>png</c>, <c>jpeg</c>, <c>gif</c> or <c>webp</c>.</param>
/// <param name="Data">Standard base64.</param>
/// <param name="Bytes">Decoded length.</param>
public sealed record KiroImage(string Format, JsonText Data, long Bytes, string Path);

public sealed record KiroResult(string CallId, bool IsError, string Text);
