namespace Aiproxy.Server.Commands;

/// <summary><c>demo</c>: a configuration without file or key, and lines to try it with.</summary>
public static class DemoCommand
{
    public const string DefaultAddress = "127.0.0.1:8080";

    /// <param name="address">Legal values of the key <c>listen</c>.</param>
    public static string Config(string address) =>
        $$"""
        listen: "{{address.Replace("\"", "", StringComparison.Ordinal)}}"
        upstreams:
          - name: echo
            api_type: echo
        """;

    /// <summary>One line a protocol, ready to paste; each streams when <c>stream</c> is turned on in it (Gemini: by the verb).</summary>
    public static IEnumerable<string> CurlLines(string address)
    {
        string url = "http://" + address;
        yield return Curl(url + "/v1/messages", """{"model":"echo","max_tokens":64,"stream":false,"messages":[{"role":"user","content":"Hello from Anthropic Messages"}]}""");
        yield return Curl(url + "/v1/chat/completions", """{"model":"echo","stream":false,"messages":[{"role":"user","content":"Hello from OpenAI Chat"}]}""");
        yield return Curl(url + "/v1/responses", """{"model":"echo","stream":false,"input":"Hello from OpenAI Responses"}""");
        yield return Curl(url + "/v1beta/models/echo:generateContent", """{"contents":[{"role":"user","parts":[{"text":"Hello from Gemini"}]}]}""");
    }

    private static string Curl(string url, string body) => $"curl -sN {url} -H 'content-type: application/json' -d '{body}'";
}
