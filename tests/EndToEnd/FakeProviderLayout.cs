namespace Aiproxy.Tests.EndToEnd;

/// <summary>The shapes of auth files that are about; not every type has each.</summary>
public enum FakeProviderLayout
{
    /// <summary>The provider's own tool: codex, claudecode, geminicli, kiro; for antigravity the file of <c>agy</c>.</summary>
    Official,

    /// <summary>Flat, with <c>type</c>; geminicli nests its tokens under <c>token</c>. What <c>aiproxy login</c> writes.</summary>
    CliProxy,

    /// <summary>geminicli: <see cref="CliProxy"/> with the members of <c>token</c> at the root.</summary>
    Flat,

    /// <summary>geminicli: what gcloud keeps, without an access token.</summary>
    AuthorizedUser,

    /// <summary>kiro: an array of camelCase objects with regions.</summary>
    KiroRs,

    /// <summary>kiro: snake_case without <c>type</c>, as the Go aiproxy wrote it.</summary>
    GoAiproxy,

    /// <summary>claudecode: an access token and nothing else.</summary>
    SetupToken,
}
