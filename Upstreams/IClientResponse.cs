using System.IO.Pipelines;

namespace Aiproxy.Upstreams;

/// <summary>The client's side of a request, as far as answers need it. The server gives one over HTTP; tests give one over memory.</summary>
public interface IClientResponse
{
    /// <summary>Where the body goes. Written by one caller at a time.</summary>
    PipeWriter Body { get; }

    /// <summary>Cancelled when the client went away.</summary>
    CancellationToken Gone { get; }

    /// <summary>Sets status and headers; they leave with the first flush. Called once.</summary>
    /// <param name="length">Bytes of the body; null: not known.</param>
    void Start(int status, string contentType, long? length, IEnumerable<KeyValuePair<string, string>> headers);

    /// <summary>Cuts the connection: the client takes no bytes, or what it got must not look whole.</summary>
    void Abort();
}
