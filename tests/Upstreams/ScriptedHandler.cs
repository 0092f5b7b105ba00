using System.Net;
using System.Text;

namespace Aiproxy.Tests.Upstreams;

/// <summary>An upstream without a network: answers in the order of its script, and keeps what it was sent.</summary>
public sealed class ScriptedHandler : HttpMessageHandler
{
    private readonly Queue<Func<CancellationToken, Task<HttpResponseMessage>>> _script = new();

    public List<string> Bodies { get; } = [];

    public List<Uri> Addresses { get; } = [];

    /// <summary>Names in lower case; values of one name joined.</summary>
    public List<Dictionary<string, string>> Headers { get; } = [];

    public int Left => _script.Count;

    /// <summary>Sees each request before it is read.</summary>
    public Action<HttpRequestMessage>? OnRequest { get; set; }

    public ScriptedHandler Answers(int status, string body, string type = "application/json", params (string Name, string Value)[] headers) =>
        Does(_ => Task.FromResult(Make(status, new ByteArrayContent(Encoding.UTF8.GetBytes(body)), type, headers)));

    public ScriptedHandler AnswersWith(int status, Stream body, string type = "application/json") =>
        Does(_ => Task.FromResult(Make(status, new StreamContent(body), type)));

    public ScriptedHandler Fails(Exception fault) => Does(_ => Task.FromException<HttpResponseMessage>(fault));

    public ScriptedHandler Hangs() => Does(async cancellationToken =>
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        throw new InvalidOperationException("never");
    });

    public ScriptedHandler Does(Func<CancellationToken, Task<HttpResponseMessage>> step)
    {
        _script.Enqueue(step);
        return this;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        OnRequest?.Invoke(request);
        Bodies.Add(request.Content is null ? "" : await request.Content.ReadAsStringAsync(CancellationToken.None));
        Addresses.Add(request.RequestUri!);
        var headers = new Dictionary<string, string>();
        foreach ((string name, IEnumerable<string> values) in request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? [])) headers[name.ToLowerInvariant()] = string.Join(", ", values);
        Headers.Add(headers);
        Assert.True(_script.TryDequeue(out Func<CancellationToken, Task<HttpResponseMessage>>? step), "a request more than the script has");
        return await step(cancellationToken);
    }

    private static HttpResponseMessage Make(int status, HttpContent content, string type, params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = content };
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        foreach ((string name, string value) in headers) response.Headers.TryAddWithoutValidation(name, value);
        return response;
    }
}
