using System.Text.Json;
using Aiproxy.Balancer;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Microsoft.AspNetCore.Http;

namespace Aiproxy.Server;

/// <summary><c>/unavailable-models</c> and <c>/reset-model</c>, as the Go aiproxy has them.</summary>
public sealed class CircuitEndpoints(UpstreamStateTable states, RequestBody bodies, TimeProvider clock)
{
    private const int MaxBodyBytes = 64 * 1024;
    private static readonly TimeSpan BodyWait = TimeSpan.FromSeconds(5);

    /// <summary>The admin key, where there is one; else a client on this machine.</summary>
    public bool IsForAdmins(Call call) =>
        call.Snapshot.Config.AdminKey is { } key ? ClientKeys.IsMatch(call.Keys(), key) : call.IsLoopbackClient();

    /// <summary>For a client that is no admin.</summary>
    public Task RefuseAsync(Call call, IClientProtocol dialect) =>
        call.ErrorAsync(dialect, new ProxyError(ErrorKind.Permission, call.Snapshot.Config.AdminKey is null
            ? "without admin_key this is answered to clients on the proxy's own machine only" : "this asks for the admin key"));

    public Task ServeAsync(Call call, IClientProtocol dialect)
    {
        bool lists = call.Path.Path == "/unavailable-models";
        if (!call.Is(lists ? "GET" : "POST"))
        {
            call.Context.Response.Headers.Allow = lists ? "GET" : "POST";
            return call.ErrorAsync(dialect, new ProxyError(ErrorKind.MethodNotAllowed, $"this path takes {(lists ? "GET" : "POST")}"));
        }
        return lists ? ListAsync(call) : ResetAsync(call);
    }

    /// <summary>An upstream is enabled whose credentials do not all rest.</summary>
    public bool HasUsableUpstream(Snapshot snapshot) =>
        snapshot.Config.Upstreams.Any(upstream => upstream.Enabled && states.For(upstream).Credentials.NextAvailable is null);

    private Task ListAsync(Call call) => call.JsonAsync(200, output =>
    {
        DateTimeOffset now = clock.GetUtcNow();
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartArray();
        foreach (UpstreamConfig upstream in call.Snapshot.Config.Upstreams.Where(upstream => upstream.Enabled))
        {
            foreach (BlockedModel blocked in states.For(upstream).BlockedModels())
            {
                writer.WriteStartObject();
                writer.WriteString("upstream_name", upstream.Name);
                writer.WriteString("model_name", blocked.Model);
                writer.WriteNumber("time_to_reset", Math.Max(0, (long)Math.Ceiling((blocked.Until - now).TotalSeconds)));
                writer.WriteEndObject();
            }
        }
        writer.WriteEndArray();
    });

    private async Task ResetAsync(Call call)
    {
        using PooledBody body = await bodies.ReadAsync(
            call.Context.Request.BodyReader, new BodyHead(call.Context.Request.ContentLength, call.Header("Content-Encoding"), MaxBodyBytes, BodyWait),
            call.Context.RequestAborted).ConfigureAwait(false);
        if (Read(body.Memory) is not { } wanted)
        {
            await call.ObjectAsync(400, ("error", "expected an object with the texts upstream_name and model_name")).ConfigureAwait(false);
            return;
        }
        UpstreamConfig? upstream = call.Snapshot.Config.Upstreams.FirstOrDefault(upstream => upstream.Name == wanted.Upstream);
        bool reset = upstream is not null && states.For(upstream).Reset(wanted.Model);
        if (reset) await call.ObjectAsync(200, ("status", "ok")).ConfigureAwait(false);
        else await call.ObjectAsync(404, ("error", "model is not unavailable")).ConfigureAwait(false);
    }

    private static (string Upstream, string Model)? Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            JsonElement root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("upstream_name", out JsonElement upstream) && upstream.ValueKind == JsonValueKind.String
                && root.TryGetProperty("model_name", out JsonElement model) && model.ValueKind == JsonValueKind.String
                ? (upstream.GetString()!, model.GetString()!) : null;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: half a surrogate pair in a name.
            return null;
        }
    }
}
