namespace Aiproxy.OAuthCache;

/// <summary>The user's side of a sign-in.</summary>
/// <param name="Say">One line.</param>
/// <param name="Open">Shows a page in a browser, where there is one.</param>
/// <param name="ReadLineAsync">One line that the user typed; null at the end of the input. At most one runs at a time; one that was cancelled may eat a line.</param>
public sealed record LoginScreen(Action<string> Say, Action<Uri> Open, Func<CancellationToken, Task<string?>> ReadLineAsync);
