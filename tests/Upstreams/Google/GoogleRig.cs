using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Upstreams;
using Aiproxy.Upstreams.Google;

namespace Aiproxy.Tests.Upstreams.Google;

/// <summary>One of the two types over a script, with a sign-in that knows its project.</summary>
public sealed class GoogleRig
{
    public const string Token = "ya29.FAKE-access-token";

    private readonly IUpstreamType _type;

    public GoogleRig(string type)
    {
        Name = type;
        _type = type == "geminicli" ? new GeminiCliUpstream(Clock, name => Environment.GetValueOrDefault(name)) : new AntigravityUpstream(Clock);
        SignIn = new Credential { Id = type + ".json", Type = type, AccessToken = Token, Email = "me@example.com", ProjectId = "my-project-123" };
    }

    public string Name { get; }

    public FakeClock Clock { get; } = new();

    public ScriptedHandler Upstream { get; } = new();

    public Dictionary<string, string> Environment { get; } = [];

    public Credential SignIn { get; set; }

    public Func<UpstreamConfig, UpstreamConfig> Change { get; set; } = static config => config;

    public IUpstreamType Type => _type;

    public Task<Attempt> SendAsync(TestExchange test, string model) => new ScriptedTransport(_type, Upstream).SendAsync(
        test, new UpstreamCredential(new Secret(Token), SignIn), model, config => Change(config with { BaseUrls = Name == "geminicli" ? [GoogleFacts.Production] : [] }));

    /// <summary>A request whose answer is well; what was sent must pass the provider's rules.</summary>
    public async Task<JsonElement> SentAsync(string protocol, string model, string body, bool stream = true)
    {
        using var test = new TestExchange(protocol, stream, clock: Clock, body: body, model: model);
        Upstream.Answers(200, Events(Text("hi", "STOP")), "text/event-stream");
        Attempt attempt = await SendAsync(test, model);
        Assert.Equal(OutcomeKind.Success, attempt.Outcome.Kind);
        return Checked();
    }

    /// <summary>What was sent last, which the provider would take.</summary>
    public JsonElement Checked()
    {
        string method = Upstream.Addresses[^1].AbsolutePath.Split(':')[^1];
        Assert.Empty(CodeAssistRules.Check(Name, method, Upstream.Bodies[^1]));
        Assert.True(method == "countTokens" || CodeAssistRules.HasProject(Upstream.Bodies[^1]));
        return JsonDocument.Parse(Upstream.Bodies[^1]).RootElement;
    }

    public static string Text(string text, string? finish = null) => Parts($$"""{"text":{{JsonSerializer.Serialize(text)}}}""", finish);

    public static string Parts(string parts, string? finish = null) =>
        $$"""{"response":{"candidates":[{"content":{"role":"model","parts":[{{parts}}]}{{(finish is null ? "" : $",\"finishReason\":\"{finish}\"")}}}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5},"modelVersion":"up","responseId":"r1"},"traceId":"t1"}""";

    public static string Events(params string[] data) => string.Concat(data.Select(static one => "data: " + one + "\r\n\r\n"));

    public static string Error(int code, string status, string message, string details = "") =>
        "{\"error\":{\"code\":" + code + ",\"status\":\"" + status + "\",\"message\":" + JsonSerializer.Serialize(message) + (details.Length > 0 ? ",\"details\":[" + details + "]" : "") + "}}";

    public static string Info(string reason, string metadata = "{}") =>
        $$"""{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{{reason}}","domain":"cloudcode-pa.googleapis.com","metadata":{{metadata}}}""";

    public static string Retry(string delay) => $$"""{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{{delay}}"}""";

    public static string Quota(string id) => $$"""{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"{{id}}"}]}""";
}
