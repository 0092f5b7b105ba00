using System.IO.Pipelines;
using Aiproxy.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Aiproxy.Server;

/// <summary>The client's side of a request over HTTP.</summary>
public sealed class HttpClientResponse(HttpContext context) : IClientResponse
{
    public PipeWriter Body => context.Response.BodyWriter;

    public CancellationToken Gone => context.RequestAborted;

    public void Start(int status, string contentType, long? length, IEnumerable<KeyValuePair<string, string>> headers)
    {
        HttpResponse response = context.Response;
        response.StatusCode = status;
        foreach ((string name, string value) in headers)
            if (IsSendable(value)) response.Headers.Append(name, new StringValues(value));
        response.ContentType = IsSendable(contentType) ? contentType : "application/octet-stream";
        response.ContentLength = length;
        if (length is not null) return;

        // A stream must pass every hop as it comes.
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
    }

    public void Abort() => context.Abort();

    // The server refuses control characters and what is not ASCII with an exception; an upstream's odd header is not worth the answer.
    private static bool IsSendable(string value)
    {
        foreach (char c in value)
            if (c is < ' ' and not '\t' or > '~') return false;
        return true;
    }
}
