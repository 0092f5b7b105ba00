namespace Aiproxy.OAuthCache;

/// <summary>An auth file's content, or why it is none.</summary>
/// <param name="File">null when <paramref name="Problem"/> is set.</param>
/// <param name="Problem">Completes "FILE: "; holds nothing of the content but the words for what was found.</param>
/// <param name="IsIncomplete">The content is empty or breaks off: somebody may be writing it right now.</param>
public sealed record AuthReading(AuthFile? File, string? Problem, bool IsIncomplete = false);
