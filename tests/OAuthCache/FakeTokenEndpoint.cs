using System.Net;
using System.Text;
using System.Text.Json;

namespace Aiproxy.Tests.OAuthCache;

/// <summary>A provider's token endpoint without a network: rotates, and refuses a refresh token that was used before.</summary>
public sealed class FakeTokenEndpoint : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly Queue<Func<CancellationToken, Task<HttpResponseMessage>>> _script = new();
    private readonly HashSet<string> _used = [];
    private int _serial;

    /// <summary>The only one that is accepted.</summary>
    public string RefreshToken { get; set; } = Sample.Refresh;

    public bool Rotates { get; set; } = true;

    public string Lifetime { get; set; } = "3600";

    /// <summary>Waited for before each answer; whoever waits is counted in <see cref="Calls"/> already.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public List<string> Bodies { get; } = [];

    public List<HttpRequestMessage> Requests { get; } = [];

    public int Calls { get { lock (_gate) return Bodies.Count; } }

    /// <summary>How often a refresh token came that had been exchanged before.</summary>
    public int Reuses { get; private set; }

    public string AccessToken => $"at-fake-{_serial}";

    /// <summary>The next answer, instead of a grant. The refresh token stays valid.</summary>
    public FakeTokenEndpoint Answers(int status, string body, params (string Name, string Value)[] headers) =>
        Does(_ => Task.FromResult(Make(status, body, headers)));

    public FakeTokenEndpoint Fails(Exception fault) => Does(_ => Task.FromException<HttpResponseMessage>(fault));

    public FakeTokenEndpoint Hangs() => Does(async cancellationToken =>
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        throw new InvalidOperationException("never");
    });

    /// <summary>The exchange takes place, but its answer does not arrive.</summary>
    public FakeTokenEndpoint LosesAnAnswer(bool rotates) => Does(_ =>
    {
        if (rotates) Rotate();
        return Task.FromException<HttpResponseMessage>(new HttpRequestException("cut"));
    });

    public FakeTokenEndpoint Does(Func<CancellationToken, Task<HttpResponseMessage>> step)
    {
        _script.Enqueue(step);
        return this;
    }

    public static HttpResponseMessage Make(int status, string body, params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach ((string name, string value) in headers) response.Headers.TryAddWithoutValidation(name, value);
        return response;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string body = await request.Content!.ReadAsStringAsync(CancellationToken.None);
        Func<CancellationToken, Task<HttpResponseMessage>>? step;
        lock (_gate)
        {
            Bodies.Add(body);
            Requests.Add(request);
            _script.TryDequeue(out step);
        }

        await Gate.WaitAsync(cancellationToken);
        if (step is not null) return await step(cancellationToken);
        lock (_gate) return Exchange(TokenOf(body));
    }

    private HttpResponseMessage Exchange(string token)
    {
        if (token != RefreshToken)
        {
            if (_used.Contains(token)) Reuses++;
            return Make(400, """{"error":"invalid_grant","error_description":"do not show me"}""");
        }

        Rotate();
        string refresh = Rotates ? $$"""
            ,"refresh_token":"{{RefreshToken}}","refreshToken":"{{RefreshToken}}"
            """ : "";
        return Make(200, $$"""{"access_token":"{{AccessToken}}","accessToken":"{{AccessToken}}"{{refresh}},"expires_in":{{Lifetime}},"expiresIn":{{Lifetime}},"token_type":"Bearer"}""");
    }

    private void Rotate()
    {
        _serial++;
        if (!Rotates) return;
        _used.Add(RefreshToken);
        RefreshToken = $"rt-fake-{_serial}";
    }

    private static string TokenOf(string body)
    {
        if (!body.StartsWith('{')) return Uri.UnescapeDataString(body.Split('&').First(pair => pair.StartsWith("refresh_token=", StringComparison.Ordinal))[14..]);
        using JsonDocument document = JsonDocument.Parse(body);
        return (document.RootElement.TryGetProperty("refresh_token", out JsonElement token) ? token : document.RootElement.GetProperty("refreshToken")).GetString()!;
    }
}
