namespace Aiproxy.OAuthCache;

/// <summary>One look at an auth file.</summary>
/// <param name="Bytes">null: it could not be read.</param>
/// <param name="File">null when <paramref name="Problem"/> is set.</param>
/// <param name="Problem">Completes "FILE ".</param>
/// <param name="Stamp">Taken before the content was read: a change in between is seen again.</param>
public sealed record FileRead(byte[]? Bytes, AuthFile? File, string? Problem, FileStamp? Stamp)
{
    public bool IsIncomplete { get; init; }

    public bool IsMissing { get; init; }

    /// <summary>Hides the content.</summary>
    public override string ToString() => Problem ?? "an auth file";
}
