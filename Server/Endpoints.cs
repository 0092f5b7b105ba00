using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Microsoft.AspNetCore.Http;

namespace Aiproxy.Server;

/// <summary>The table of paths.</summary>
public sealed class Endpoints(
    Runtime runtime, ProtocolTable protocols, GenerateEndpoint generate, ModelsEndpoint models, CircuitEndpoints circuits, StatusEndpoint status,
    StoredConversations conversations)
{
    /// <summary>What is answered without a key. False: it is not one of these.</summary>
    public async Task<bool> TryOpenAsync(Call call, IClientProtocol dialect)
    {
        switch (call.Path.Path)
        {
            case "/api/hello" when call.Is("HEAD") || call.Is("GET"):
                // Claude Code's warm-up of the connection.
                call.IsQuiet = true;
                await call.ObjectAsync(StatusCodes.Status200OK, ("status", "ok")).ConfigureAwait(false);
                return true;
            case "/health" or "/healthz" when call.Is("HEAD") || call.Is("GET"):
                call.IsQuiet = true;
                await HealthAsync(call).ConfigureAwait(false);
                return true;
            case "/health" or "/healthz":
                await WrongMethodAsync(call, dialect, "GET").ConfigureAwait(false);
                return true;
            case "/v1/responses" when call.Is("GET") && call.Header("Upgrade") is { } upgrade && upgrade.Contains("websocket", StringComparison.OrdinalIgnoreCase):
                // 404 or 405 would cost Codex seven attempts before it takes HTTP.
                call.Context.Response.Headers.Upgrade = "HTTP/1.1";
                await call.ErrorAsync(dialect, new ProxyError(ErrorKind.InvalidRequest, "responses over WebSocket are not served here; use HTTP") { Code = "websocket_not_supported" },
                    StatusCodes.Status426UpgradeRequired).ConfigureAwait(false);
                return true;
            case "/reset-model" or "/unavailable-models" when circuits.IsForAdmins(call):
                await circuits.ServeAsync(call, dialect).ConfigureAwait(false);
                return true;
            case "/status" when circuits.IsForAdmins(call) && (call.Is("GET") || call.Is("HEAD")):
                await status.ServeAsync(call).ConfigureAwait(false);
                return true;
            default:
                return false;
        }
    }

    /// <summary>What needs a key.</summary>
    public Task ServeAsync(Call call, IClientProtocol dialect)
    {
        string path = call.Path.Path;
        if (path is "/v1/models" or "/v1beta/models" || (IsOneModel(path) && !IsUnknownVerb(call))) return OnlyGet(call, dialect, () => models.ServeAsync(call));
        if (path == "/unavailable-models") return circuits.ServeAsync(call, dialect);
        if (path == "/status") return OnlyGet(call, dialect, () => circuits.RefuseAsync(call, dialect));
        if (path == "/reset-model") return circuits.RefuseAsync(call, dialect);
        if (path == "/") return OnlyGet(call, dialect, () => call.ObjectAsync(StatusCodes.Status200OK, ("name", "aiproxy"), ("version", BuildInfo.Version)));
        if (protocols.Match(path) is not { } match) return NotFoundAsync(call, dialect);
        if (match.Target.Operation == Operation.Retrieve)
            return call.Is("DELETE") ? conversations.ServeAsync(call, dialect) : OnlyGet(call, dialect, () => conversations.ServeAsync(call, dialect));
        if (!call.Is("POST")) return WrongMethodAsync(call, dialect, "POST");
        return generate.ServeAsync(call, match.Protocol, match.Target);
    }

    private Task HealthAsync(Call call)
    {
        bool ready = !runtime.IsDraining && (call.Path.Member("ready") is null || circuits.HasUsableUpstream(call.Snapshot));
        return call.ObjectAsync(ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, ("status", ready ? "ok" : runtime.IsDraining ? "draining" : "no upstream is usable"));
    }

    // Gemini's verbs have a colon, and are no entries of a list.
    private static bool IsOneModel(string path) =>
        (path.StartsWith("/v1/models/", StringComparison.Ordinal) || path.StartsWith("/v1beta/models/", StringComparison.Ordinal)) && !HasVerb(path);

    // "A request path without a known verb -> 404 with the Google envelope"; a GET asks for a model whose name has a colon.
    private static bool IsUnknownVerb(Call call) => call.Is("POST") && call.Path.Path.Contains(':');

    private static bool HasVerb(string path) =>
        path.EndsWith(":generateContent", StringComparison.Ordinal) || path.EndsWith(":streamGenerateContent", StringComparison.Ordinal)
        || path.EndsWith("countTokens", StringComparison.Ordinal);

    private static Task OnlyGet(Call call, IClientProtocol dialect, Func<Task> serve) =>
        call.Is("GET") || call.Is("HEAD") ? serve() : WrongMethodAsync(call, dialect, "GET");

    private static Task WrongMethodAsync(Call call, IClientProtocol dialect, string allowed)
    {
        call.Context.Response.Headers.Allow = allowed;
        return call.ErrorAsync(dialect, new ProxyError(ErrorKind.MethodNotAllowed, $"this path takes {allowed}, not {call.Context.Request.Method}"));
    }

    private static Task NotFoundAsync(Call call, IClientProtocol dialect) =>
        call.ErrorAsync(dialect, new ProxyError(ErrorKind.NotFound, "there is no such path here; see the README for those that are"));
}
