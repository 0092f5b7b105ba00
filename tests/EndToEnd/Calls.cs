using System.Net.Http.Headers;
using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>What a client does with a running proxy.</summary>
public static class Calls
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>One generate call, read to its end.</summary>
    public static async Task<LiveReply> SendAsync(this ProxyProcess proxy, IDialect dialect, string model, bool stream, params (string Name, string Value)[] headers)
    {
        var reply = await proxy.OpenAsync(dialect, model, stream, headers);
        return await reply.ReadToEndAsync(Patience);
    }

    /// <summary>One generate call, returned at its headers.</summary>
    public static Task<LiveReply> OpenAsync(this ProxyProcess proxy, IDialect dialect, string model, bool stream, params (string Name, string Value)[] headers) =>
        proxy.OpenAsync(HttpMethod.Post, dialect.Path(model, stream), Encoding.UTF8.GetBytes(dialect.Body(model, "What is new?", stream)), [.. dialect.ClientHeaders, .. headers]);

    public static async Task<LiveReply> PostAsync(this ProxyProcess proxy, string path, byte[] body, params (string Name, string Value)[] headers) =>
        await (await proxy.OpenAsync(HttpMethod.Post, path, body, headers)).ReadToEndAsync(Patience);

    public static Task<LiveReply> PostAsync(this ProxyProcess proxy, string path, string body, params (string Name, string Value)[] headers) =>
        proxy.PostAsync(path, Encoding.UTF8.GetBytes(body), headers);

    public static Task<LiveReply> GetAsync(this ProxyProcess proxy, string path, params (string Name, string Value)[] headers) =>
        proxy.RequestAsync(HttpMethod.Get, path, headers);

    public static async Task<LiveReply> RequestAsync(this ProxyProcess proxy, HttpMethod method, string path, params (string Name, string Value)[] headers) =>
        await (await proxy.OpenAsync(method, path, null, headers)).ReadToEndAsync(Patience);

    public static async Task<LiveReply> OpenAsync(
        this ProxyProcess proxy, HttpMethod method, string path, byte[]? body, (string Name, string Value)[] headers, CancellationToken cancellationToken = default)
    {
        using var message = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            message.Content = new ByteArrayContent(body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        foreach (var (name, value) in headers)
        {
            if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)) message.Content!.Headers.Remove(name);
            if (!message.Headers.TryAddWithoutValidation(name, value)) message.Content!.Headers.TryAddWithoutValidation(name, value);
        }
        var answer = await proxy.Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return new LiveReply(answer, await answer.Content.ReadAsStreamAsync(cancellationToken), proxy.Log);
    }
}
