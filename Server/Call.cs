using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Aiproxy.Server;

/// <summary>One HTTP request as the endpoints see it, and the small answers that need no upstream.</summary>
public sealed class Call(HttpContext context, Snapshot snapshot, RequestPath path, RequestFacts facts)
{
    public HttpContext Context => context;

    public Snapshot Snapshot => snapshot;

    public RequestPath Path => path;

    public RequestFacts Facts => facts;

    /// <summary>Whose key the request carries; the anonymous one before the keys were looked at.</summary>
    public ClientKey Key { get; set; } = snapshot.Keys.Anonymous;

    /// <summary>Whose answers and proofs are remembered together: the key's name; empty where there are no keys.</summary>
    public string Client => snapshot.Keys.IsOpen ? "" : Key.Name;

    /// <summary>The exchange with an upstream, where there was one.</summary>
    public Exchange? Exchange { get; set; }

    /// <summary>No line in the log: warm-ups and probes.</summary>
    public bool IsQuiet { get; set; }

    /// <summary>Length of the request target as it was sent.</summary>
    public int TargetChars => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Length;

    public bool Is(string method) => context.Request.Method == method;

    /// <summary>A header's value; null: absent.</summary>
    public string? Header(string name) => context.Request.Headers.TryGetValue(name, out Microsoft.Extensions.Primitives.StringValues values) ? values.ToString() : null;

    public PresentedKeys Keys() =>
        new(Header("Authorization"), Header("x-api-key"), Header("x-goog-api-key"), Header("api-key"), context.Request.QueryString.Value);

    public bool IsLoopbackClient() =>
        OriginGuard.IsLoopbackClient(context.Connection.RemoteIpAddress, Header("X-Forwarded-For") ?? Header("Forwarded"));

    /// <summary>Answers with JSON that <paramref name="write"/> makes.</summary>
    public Task JsonAsync(int status, Action<IBufferWriter<byte>> write)
    {
        var body = new ArrayBufferWriter<byte>();
        write(body);
        return BodyAsync(status, "application/json; charset=utf-8", body.WrittenMemory);
    }

    /// <summary>Answers with a JSON object of text members.</summary>
    public Task ObjectAsync(int status, params (string Name, string Value)[] members) => JsonAsync(status, output =>
    {
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartObject();
        foreach ((string name, string value) in members) writer.WriteString(name, value);
        writer.WriteEndObject();
    });

    /// <summary>Answers with an error in the envelope of <paramref name="protocol"/>.</summary>
    public Task ErrorAsync(IClientProtocol protocol, ProxyError error, int? status = null)
    {
        facts.Error = error;
        if (context.Response.HasStarted) return Task.CompletedTask;
        var body = new ArrayBufferWriter<byte>();
        int natural = protocol.WriteError(body, error, facts.Id);
        foreach ((string name, string value) in ErrorHeaders.Of(error)) context.Response.Headers[name] = value;
        return BodyAsync(status ?? natural, "application/json; charset=utf-8", body.WrittenMemory);
    }

    public async Task BodyAsync(int status, string contentType, ReadOnlyMemory<byte> body)
    {
        HttpResponse response = context.Response;
        response.StatusCode = status;
        response.Headers["x-aiproxy-request-id"] = facts.Id;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        if (!Is("HEAD")) await response.BodyWriter.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}
