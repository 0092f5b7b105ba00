using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serilog;

namespace Aiproxy.Server;

/// <summary>Where every request comes in: guards, keys, the way to its endpoint, and the line it leaves in the log. Step 1 of the walk.</summary>
public sealed class Front(Runtime runtime, Endpoints endpoints, ProtocolTable protocols, ILogger log, TimeProvider clock)
{
    // The server's own limit is higher, so that this one can be told in the client's envelope.
    private const int MaxHeaderBytes = 64 * 1024;

    // An upstream's address is made of it, and addresses end at 64 KB.
    private const int MaxTargetChars = 16 * 1024;

    /// <summary>The server's request delegate. Never throws.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        Snapshot snapshot = runtime.Current;
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        RequestPath path = RequestPath.Parse(target);
        var facts = new RequestFacts
        {
            Id = RequestIds.From(context.Request.Headers.TryGetValue("x-request-id", out var sent) ? sent.ToString() : null),
            Method = context.Request.Method,
            Path = path.Path.Length <= MaxTargetChars ? path.Path : path.Path[..100] + "...",
            Started = clock.GetTimestamp(),
        };
        var call = new Call(context, snapshot, path, facts);
        HeaderLog.Write(log, facts.Id, "request", context.Request.Headers);
        try
        {
            await AnswerAsync(call).ConfigureAwait(false);
            facts.Status = context.Response.StatusCode;
        }
        catch (ProtocolException refused)
        {
            await TellAsync(call, refused.Error).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            facts.Status = RequestLog.ClientGoneStatus;
            // Should anybody be there still, no answer must not look like an empty one.
            context.Abort();
        }
        catch (Exception bug) when (bug is not OutOfMemoryException)
        {
            // A bug of ours: the client gets an honest answer, the log the whole story.
            log.Error(bug, "request {Id:l}: unexpected fault", facts.Id);
            await TellAsync(call, new ProxyError(ErrorKind.ServerError, "the proxy failed inside; its log has the details under " + facts.Id)).ConfigureAwait(false);
        }
        HeaderLog.Write(log, facts.Id, "answer", context.Response.Headers);
        if (context.RequestAborted.IsCancellationRequested) facts.Status = RequestLog.ClientGoneStatus;
        if (snapshot.Config.Log.Requests && !call.IsQuiet) RequestLog.Write(log, clock, facts, call.Exchange);
    }

    private async Task AnswerAsync(Call call)
    {
        IClientProtocol dialect = DialectOf(call);
        call.Facts.Protocol = dialect.Name;
        if (HeaderBytes(call.Context.Request.Headers) > MaxHeaderBytes)
        {
            await call.ErrorAsync(dialect, new ProxyError(ErrorKind.InvalidRequest, $"the request's headers are longer than {MaxHeaderBytes / 1024} KB") { ShouldRetry = false }, 431)
                .ConfigureAwait(false);
            return;
        }
        if (call.TargetChars > MaxTargetChars)
        {
            await call.ErrorAsync(dialect, new ProxyError(ErrorKind.InvalidRequest, $"the request's path and query are longer than {MaxTargetChars / 1024} KB") { ShouldRetry = false },
                StatusCodes.Status414UriTooLong).ConfigureAwait(false);
            return;
        }
        if (!await GuardAsync(call, dialect).ConfigureAwait(false)) return;
        if (await endpoints.TryOpenAsync(call, dialect).ConfigureAwait(false)) return;

        if (call.Snapshot.Keys.Match(call.Keys()) is not { } key)
        {
            ErrorKind kind = call.Keys().IsEmpty ? ErrorKind.ClientAuthMissing : ErrorKind.ClientAuth;
            await call.ErrorAsync(dialect, new ProxyError(kind, kind == ErrorKind.ClientAuth ? "the API key is not valid" : "no API key was sent")).ConfigureAwait(false);
            return;
        }
        call.Key = key;
        call.Facts.KeyName = key.Name;
        await endpoints.ServeAsync(call, dialect).ConfigureAwait(false);
    }

    // A web page must not spend the user's quota: see OriginGuard.
    private static async Task<bool> GuardAsync(Call call, IClientProtocol dialect)
    {
        HttpRequest request = call.Context.Request;
        OriginVerdict verdict = call.Snapshot.Guard.Judge(new OriginRequest(request.Scheme, call.Header("Host"), call.Header("Origin"), call.IsLoopbackClient()));
        if (verdict.Refusal is { } refusal)
        {
            await call.ErrorAsync(dialect, new ProxyError(ErrorKind.Permission, refusal)).ConfigureAwait(false);
            return false;
        }
        IHeaderDictionary answer = call.Context.Response.Headers;
        if (verdict.CorsOrigin is { } origin && call.Is("OPTIONS") && call.Header("Access-Control-Request-Method") is not null)
        {
            bool isPrivate = call.Header("Access-Control-Request-Private-Network") == "true";
            foreach ((string name, string value) in CorsHeaders.ForPreflight(origin, call.Header("Access-Control-Request-Headers"), isPrivate)) answer[name] = value;
            call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
            call.IsQuiet = true;
            return false;
        }
        if (verdict.CorsOrigin is { } page)
            foreach ((string name, string value) in CorsHeaders.ForAnswer(page)) answer[name] = value;
        return true;
    }

    private async Task TellAsync(Call call, ProxyError error)
    {
        call.Facts.Error = error;
        if (call.Context.Response.HasStarted)
        {
            // Status and some of the body are out: a cut connection is the only honest sign left.
            call.Context.Abort();
            return;
        }
        try
        {
            await call.ErrorAsync(DialectOf(call), error).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The client did not wait for it.
        }
        call.Facts.Status = call.Context.Response.StatusCode;
    }

    // "404 in the envelope of the prefix owner, else OpenAI envelope"
    private IClientProtocol DialectOf(Call call)
    {
        string path = call.Path.Path;
        if (protocols.Match(path) is { } match) return match.Protocol;
        if (path.StartsWith("/v1beta", StringComparison.Ordinal) || path.StartsWith("/v1/models/", StringComparison.Ordinal) && path.Contains(':')) return protocols["gemini"];
        if (path.StartsWith("/v1/messages", StringComparison.Ordinal)) return protocols["anthropic"];
        if (path.StartsWith("/v1/responses", StringComparison.Ordinal)) return protocols["responses"];
        if (path.StartsWith("/v1/models", StringComparison.Ordinal)) return protocols[ModelsDialect.Of(call)];
        return protocols[call.Header("anthropic-version") is null ? "openai" : "anthropic"];
    }

    private static int HeaderBytes(IHeaderDictionary headers)
    {
        int bytes = 0;
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in headers)
            foreach (string? value in values) bytes += name.Length + (value?.Length ?? 0) + 4;
        return bytes;
    }

}
