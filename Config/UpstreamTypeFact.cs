namespace Aiproxy.Config;

/// <summary>What the configuration must know of an upstream type.</summary>
/// <param name="Name">The value of <c>api_type</c>.</param>
/// <param name="DefaultBaseUrl">Taken where the file gives no <c>base_url</c>; null: none (embedded, or known only at run time).</param>
/// <param name="UsesTokens">Signs in with <c>token</c>.</param>
/// <param name="UsesAuthFiles">Signs in with <c>auth_files</c>.</param>
/// <param name="IsAvailable">false: the name is legal, but this build sends it no traffic.</param>
/// <param name="Quirks">Switches that the type knows.</param>
public sealed record UpstreamTypeFact(
    string Name, Uri? DefaultBaseUrl, bool UsesTokens, bool UsesAuthFiles, bool IsAvailable, IReadOnlyList<string> Quirks)
{
    /// <summary>Answers in streams only: one answer is collected from a stream, whatever <c>must_stream</c> says.</summary>
    public bool AlwaysStreams { get; init; }

    /// <summary>Forgets each answer: what a client may refer to later must be kept here.</summary>
    public bool KeepsNoAnswers { get; init; }

    /// <summary>Runs inside this process: no address, no credentials.</summary>
    public bool IsEmbedded => DefaultBaseUrl is null && !UsesTokens && !UsesAuthFiles;
}
