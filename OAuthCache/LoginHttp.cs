using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>The calls of a sign-in: one try each, 30 s, answers of 1 MB at most.</summary>
/// <param name="invoker">Follows no redirects and knows the outgoing proxy. Stays the caller's.</param>
/// <param name="userAgent">Our own name.</param>
public sealed class LoginHttp(HttpMessageInvoker invoker, TimeProvider clock, string userAgent)
{
    private const int MaxAnswerBytes = 1024 * 1024;
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(30);

    public TimeProvider Clock => clock;

    public Task<LoginReply> GetAsync(Uri url, string? bearer, CancellationToken cancellationToken, params IEnumerable<(string Name, string Value)> headers) =>
        SendAsync(HttpMethod.Get, url, null, bearer, headers, cancellationToken);

    public Task<LoginReply> PostFormAsync(Uri url, CancellationToken cancellationToken, params IEnumerable<(string Name, string Value)> fields) =>
        SendAsync(HttpMethod.Post, url, Body("application/x-www-form-urlencoded", Encoding.ASCII.GetBytes(LoginQuery.Write(fields))), null, [], cancellationToken);

    /// <summary>A JSON object of strings.</summary>
    public Task<LoginReply> PostJsonAsync(Uri url, CancellationToken cancellationToken, params IEnumerable<(string Name, string Value)> fields) =>
        PostJsonAsync(url, null, writer =>
        {
            foreach ((string name, string value) in fields) writer.WriteString(name, value);
        }, cancellationToken);

    /// <param name="write">The members of the body's root object.</param>
    public Task<LoginReply> PostJsonAsync(
        Uri url, string? bearer, Action<Utf8JsonWriter> write, CancellationToken cancellationToken, string mediaType = "application/json", params IEnumerable<(string Name, string Value)> headers)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        return SendAsync(HttpMethod.Post, url, Body(mediaType, buffer.WrittenSpan.ToArray()), bearer, headers, cancellationToken);
    }

    private async Task<LoginReply> SendAsync(
        HttpMethod method, Uri url, HttpContent? content, string? bearer, IEnumerable<(string Name, string Value)> headers, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(method, url) { Content = content };
        message.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        message.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (bearer is not null) message.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bearer);
        foreach ((string name, string value) in headers) message.Headers.TryAddWithoutValidation(name, value);

        using var limit = new CancellationTokenSource(CallLimit, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using HttpResponseMessage response = await invoker.SendAsync(message, both.Token).ConfigureAwait(false);
            byte[]? body = await ReadAsync(response.Content, both.Token).ConfigureAwait(false);
            if (body is null) return new LoginReply { Host = url.Authority, Status = 0, Fault = "its answer is longer than 1 MB" };
            return new LoginReply { Host = url.Authority, Status = (int)response.StatusCode, Body = Parse(body) };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new LoginReply { Host = url.Authority, Status = 0, Fault = $"no answer in {CallLimit.TotalSeconds:0} s" };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new LoginReply { Host = url.Authority, Status = 0, Fault = Words((e as HttpRequestException)?.HttpRequestError) };
        }
    }

    private static async Task<byte[]?> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        using Stream stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var all = new ArrayBufferWriter<byte>();
        while (true)
        {
            int count = await stream.ReadAsync(all.GetMemory(8192), cancellationToken).ConfigureAwait(false);
            if (count == 0) return all.WrittenSpan.ToArray();
            all.Advance(count);
            if (all.WrittenCount > MaxAnswerBytes) return null;
        }
    }

    private static JsonElement Parse(byte[] body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static ByteArrayContent Body(string mediaType, byte[] bytes) => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };

    private static string Words(HttpRequestError? error) => error switch
    {
        HttpRequestError.NameResolutionError => "its name cannot be resolved",
        HttpRequestError.ConnectionError => "no connection",
        HttpRequestError.SecureConnectionError => "no secure connection (TLS)",
        HttpRequestError.ProxyTunnelError => "the outgoing proxy refuses the connection",
        _ => "the connection broke",
    };
}
