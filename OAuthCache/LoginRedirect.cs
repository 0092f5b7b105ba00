namespace Aiproxy.OAuthCache;

/// <summary>Where on this machine a provider sends the browser back to.</summary>
/// <param name="Host"><c>localhost</c> or <c>127.0.0.1</c>: to a provider they are different strings.</param>
/// <param name="Path">With its slash.</param>
/// <param name="Ports">Those that the provider knows, tried in this order; empty: any.</param>
public sealed record LoginRedirect(string Host, string Path, IReadOnlyList<int> Ports)
{
    public string At(int port) => $"http://{Host}:{port}{Path}";
}
