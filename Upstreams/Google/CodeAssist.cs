using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>Addresses and headers that all calls to Code Assist share.</summary>
public static class CodeAssist
{
    private const string UserAgent = "User-Agent";

    /// <summary><c>https://host/v1internal:method</c>.</summary>
    public static Uri Address(Uri host, string method)
    {
        string start = host.AbsoluteUri.TrimEnd('/');
        if (start.EndsWith("/" + GoogleFacts.ApiVersion, StringComparison.Ordinal)) start = start[..^(GoogleFacts.ApiVersion.Length + 1)];
        return new Uri(start + "/" + GoogleFacts.ApiVersion + ":" + method);
    }

    public static string Method(RequestHead head) => head.Target.Operation == Operation.CountTokens ? "countTokens"
        : head.Stream ? "streamGenerateContent?alt=sse"
        : "generateContent";

    public static void Authorize(HttpRequestMessage message, UpstreamCredential? credential)
    {
        message.Headers.Remove("x-goog-api-key");
        message.Headers.Remove("Authorization");
        if (credential is not null) message.Headers.TryAddWithoutValidation("Authorization", "Bearer " + credential.Secret.Reveal());
    }

    /// <summary>What a call on a client's behalf says of itself; of the client's program only where it is the provider's own.</summary>
    /// <param name="ownAgent">How the User-Agent of the provider's own tool begins.</param>
    public static void SetHeaders(HttpRequestMessage message, WireRequest request, string ownAgent)
    {
        bool streams = message.RequestUri?.Query.Length > 0;
        Set(message, "Accept", streams ? "text/event-stream" : "application/json");
        // Names whose quota is used; a client's would be checked against our account, and refused.
        message.Headers.Remove("x-goog-user-project");
        if (!IsOwnTool(request, ownAgent)) return;
        foreach ((string name, string value) in request.Exchange.ToolHeaders) Set(message, name, value);
    }

    public static HttpRequestMessage Post(Uri host, string method, string body) => new(HttpMethod.Post, Address(host, method))
    {
        Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
    };

    private static bool IsOwnTool(WireRequest request, string ownAgent) =>
        request.Forwards && request.Exchange.ToolHeaders.Any(header =>
            header.Key.Equals(UserAgent, StringComparison.OrdinalIgnoreCase) && header.Value.StartsWith(ownAgent, StringComparison.Ordinal));

    private static void Set(HttpRequestMessage message, string name, string value)
    {
        message.Headers.Remove(name);
        message.Headers.TryAddWithoutValidation(name, value);
    }
}
