using System.IO.Pipelines;
using Aiproxy.EventStream;

namespace Aiproxy.Upstreams;

/// <summary>What a provider's wire asks beyond its dialect: an envelope, headers, its own words for failures. One object for the life of the process; thread-safe.</summary>
/// <remarks>The dialect itself stays in <see cref="IUpstreamType.ProtocolFor"/>: what comes in here is written in it, and what goes out of the openers is, too.</remarks>
public interface IUpstreamWire
{
    /// <summary>What must be known of the credential before it can be used: project, profile, region. Asked for at most once a credential, for all who wait.</summary>
    /// <returns>The target with what was found, such as its hosts; or why it cannot be used.</returns>
    ValueTask<Preparation> PrepareAsync(UpstreamTarget target, ProviderCall call, CancellationToken cancellationToken);

    /// <summary>The body as the provider takes it, from one in its dialect: forwarded or translated.</summary>
    /// <exception cref="Protocols.Model.ProtocolException">The provider cannot be told this; with the JSON path.</exception>
    IReadOnlyList<ReadOnlyMemory<byte>> Body(WireRequest request, IReadOnlyList<ReadOnlyMemory<byte>> body);

    /// <summary>After the client's own headers are on <paramref name="message"/>, and before those of the configuration.</summary>
    void SetHeaders(HttpRequestMessage message, WireRequest request);

    /// <summary>Frames in the dialect's words; <see cref="Frame.Raw"/> is an SSE event that a client of the same protocol can be given.</summary>
    /// <param name="isArray">The provider streams a JSON array instead of events.</param>
    IFrameReader OpenFrames(PipeReader body, bool isArray, WireRequest request);

    /// <summary>A whole answer in the dialect's words.</summary>
    ReadOnlyMemory<byte> OpenWhole(ReadOnlyMemory<byte> body, WireRequest request);

    /// <summary>What a refusal means here; null: what it means everywhere.</summary>
    Outcome? Judge(Refusal refusal);

    /// <summary>The one thing that the provider's page says to try within the same visit; null: none. Not asked again after a mend without <see cref="Mend.NextHost"/>.</summary>
    Mend? MendOf(Refusal refusal, WireRequest request);

    /// <summary>Lists and limits that the provider tells of an account; null: none.</summary>
    IProviderAccount? Account { get; }
}

/// <summary>Sends a request of ours, authorized with the credential it is about and by that credential's connection; the answer's headers have come.</summary>
public delegate Task<HttpResponseMessage> ProviderCall(HttpRequestMessage message, CancellationToken cancellationToken);

/// <param name="Failure">null: the target can be used.</param>
public readonly record struct Preparation(UpstreamTarget Target, Outcome? Failure = null);

/// <summary>One request as it goes to a provider: what wire rules decide by.</summary>
/// <param name="Mend">What a first try was told to leave or change; null at the first try.</param>
public sealed record WireRequest(Exchange Exchange, UpstreamTarget Target, Mend? Mend = null)
{
    /// <summary>The client speaks the provider's dialect: its body is edited, not written anew.</summary>
    public bool Forwards => Exchange.Forwards(Target);

    /// <summary>Beta features that the body named and the header must; set by <see cref="IUpstreamWire.Body"/>.</summary>
    public IReadOnlyList<string> BodyBetas { get; set; } = [];

    /// <summary>Names that were shortened for the provider in a forwarded body, to the client's own; set by <see cref="IUpstreamWire.Body"/>.</summary>
    public IReadOnlyDictionary<string, string>? ClientNames { get; set; }

    /// <summary>Function, by the name it was sent under, to what was put into its schema and its calls must lose; set by <see cref="IUpstreamWire.Body"/>.</summary>
    public IReadOnlyDictionary<string, Google.ArgumentCut>? ArgumentCuts { get; set; }
}

/// <summary>What a second try within one visit does otherwise.</summary>
public sealed record Mend
{
    /// <summary>A parameter, header value or feature to leave out, in the words of the wire that asked for it; null: nothing.</summary>
    public string? Without { get; init; }

    /// <summary>No signatures and no encrypted reasoning.</summary>
    public bool DropsProofs { get; init; }

    /// <summary>Waited before; bounded by the client's patience.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>At the next base URL, where there is one; else not at all.</summary>
    public bool NextHost { get; init; }
}

/// <summary>A provider's refusal, before the answer to the client began.</summary>
/// <param name="Status">HTTP status; of an error told inside a 200 the one it would have had.</param>
/// <param name="Error">As the dialect reads it.</param>
/// <param name="Headers">A repeated name is a repeated pair.</param>
/// <param name="Body">As it came; of an error inside a stream, the event that told it; of one that was seen and not told, its message.</param>
public sealed record Refusal(
    int Status, Protocols.Model.ProxyError Error, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body, DateTimeOffset Now, UpstreamTarget Target)
{
    /// <summary>The call that was refused.</summary>
    public Protocols.Operation Operation { get; init; }

    /// <summary>Told, or seen, inside an answer of status 200.</summary>
    public bool IsInAnswer { get; init; }
}
