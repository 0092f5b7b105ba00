using System.Buffers;
using System.Net;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Makes the HTTP request of one attempt.</summary>
public sealed class UpstreamMessage(string userAgent)
{
    private static readonly string[] OfTheBody = ["Allow", "Expires", "Last-Modified"];

    /// <summary>Key under which the embedded transport finds the exchange that a message belongs to.</summary>
    public static HttpRequestOptionsKey<(Exchange Exchange, string Model)> Origin { get; } = new("aiproxy.exchange");


    /// <param name="baseUrl">null: the type has none (embedded).</param>
    /// <param name="body">Sent again by each message made of it.</param>
    public HttpRequestMessage Create(WireRequest request, Uri? baseUrl, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        (Exchange exchange, UpstreamTarget target, bool forwards) = (request.Exchange, request.Target, request.Forwards);
        UpstreamConfig config = target.Config;
        var message = new HttpRequestMessage(HttpMethod.Post, target.Type.Address(baseUrl, target.HeadOf(exchange), target.Model, Query(exchange, target)))
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = Content(body, config.RequestCompression),
        };
        message.Options.Set(Origin, (exchange, target.Model));
        Set(message, "Accept", target.HeadOf(exchange).Stream ? "text/event-stream, application/json" : "application/json");
        if (forwards)
        {
            foreach ((string name, string value) in exchange.Headers)
            {
                if (target.Credential is null || !HeaderRules.NamesAccount(name)) message.Headers.TryAddWithoutValidation(name, value);
            }
        }
        if (target.Protocol.Name == "anthropic" && !message.Headers.Contains("anthropic-version"))
            Set(message, "anthropic-version", Version(request, body));
        Set(message, "User-Agent", userAgent);
        target.Type.Wire?.SetHeaders(message, request);
        Finish(message, config, target.Type, target.Credential);
        return message;
    }

    /// <summary>A request without a client behind it gets what all of ours carry: configured headers, the credential, our name.</summary>
    public void Complete(HttpRequestMessage message, UpstreamConfig config, IUpstreamType type, UpstreamCredential? credential)
    {
        message.Version = HttpVersion.Version11;
        message.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        if (message.Headers.Accept.Count == 0) Set(message, "Accept", "application/json");
        if (!message.Headers.Contains("User-Agent")) Set(message, "User-Agent", userAgent);
        if (type.Name == "anthropic" && !message.Headers.Contains("anthropic-version")) Set(message, "anthropic-version", ProviderPaths.AnthropicVersion);
        Finish(message, config, type, credential);
    }

    // "a value set here wins over ours, except credentials"
    private static void Finish(HttpRequestMessage message, UpstreamConfig config, IUpstreamType type, UpstreamCredential? credential)
    {
        if (config.UserAgent is { } agent) Set(message, "User-Agent", agent);
        foreach ((string name, string value) in config.HttpHeaders) Set(message, name, value);
        type.Authorize(message, credential);
    }

    // "2023-06-01 if the request carries sampling parameters the target model accepts, else 2026-10-21". The writer left out what the model does not accept.
    private static string Version(WireRequest request, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        // A wire of another kind has a page of its own, and a client of this protocol that says nothing means the old version.
        if (request.Forwards || request.Target.Type.Wire is not null || body.Count != 1) return ProviderPaths.AnthropicVersion;
        var members = new JsonScan(body[0].Span);
        while (members.Next())
        {
            if (members.Is("temperature"u8) || members.Is("top_p"u8) || members.Is("top_k"u8)) return ProviderPaths.AnthropicVersion;
        }
        return ProviderPaths.AnthropicVersionWithoutSampling;
    }

    // "As client: always request alt=sse."
    private static string Query(Exchange exchange, UpstreamTarget target)
    {
        bool isGemini = target.Protocol.Name == "gemini";
        if (exchange.Forwards(target)) return isGemini && target.Collects ? StreamSwitch.Query(exchange.Query) : exchange.Query;
        return isGemini && target.HeadOf(exchange).Stream ? "?alt=sse" : "";
    }

    /// <summary>The client's bytes with the model put right, and without proofs of other upstreams that were wrapped here.</summary>
    /// <param name="streams">They ask for a stream, whatever the client asked for.</param>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Forwarded(Exchange exchange, string model, bool streams = false)
    {
        ReadOnlyMemory<byte> body = exchange.Body;
        IReadOnlyList<Range> tokens = exchange.Head.ModelTokens;
        if (exchange.Head.Target.Operation != Operation.Retrieve && EnvelopeCut.Apply(body.Span, exchange.Protocol.Name, model) is { } cut)
        {
            body = cut;
            tokens = exchange.Protocol.ReadHead(exchange.Head.Target, exchange.Query, cut).ModelTokens;
        }
        var edits = new List<(Range Token, ReadOnlyMemory<byte> Replacement)>();
        foreach (Range token in tokens)
        {
            string said = RawJson.Decode(body.Span[token]);
            bool prefixed = exchange.Protocol.Name == "gemini" && said.StartsWith("models/", StringComparison.Ordinal);
            if ((prefixed ? said[7..] : said) == model) continue;
            bool collection = prefixed && !model.StartsWith("tunedModels/", StringComparison.Ordinal);
            edits.Add((token, RawJson.Encode(collection ? "models/" + model : model)));
        }
        if (streams) edits.AddRange(StreamSwitch.Edits(body.Span, exchange.Protocol.Name));
        if (edits.Count == 0) return [body];
        edits.Sort(static (one, other) => one.Token.Start.Value - other.Token.Start.Value);
        return TopLevelEdit.Replace(body, edits).Segments;
    }

    private static SplicedContent Content(IReadOnlyList<ReadOnlyMemory<byte>> body, string compression)
    {
        if (compression is not "none" && RequestCompression.Pack(compression, Joined(body)) is { } packed)
            return Typed(new SplicedContent([packed]), compression);
        return Typed(new SplicedContent(body), null);
    }

    private static SplicedContent Typed(SplicedContent content, string? encoding)
    {
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        if (encoding is not null) content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        return content;
    }

    private static ReadOnlySequence<byte> Joined(IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        if (body.Count == 1) return new ReadOnlySequence<byte>(body[0]);
        var joined = new ArrayBufferWriter<byte>();
        foreach (ReadOnlyMemory<byte> segment in body) joined.Write(segment.Span);
        return new ReadOnlySequence<byte>(joined.WrittenMemory);
    }

    private static void Set(HttpRequestMessage message, string name, string value)
    {
        // The platform keeps the headers of a body apart, and throws where one is looked for among the others.
        if (name.StartsWith("content-", StringComparison.OrdinalIgnoreCase) || OfTheBody.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            message.Content?.Headers.Remove(name);
            message.Content?.Headers.TryAddWithoutValidation(name, value);
            return;
        }
        message.Headers.Remove(name);
        message.Headers.TryAddWithoutValidation(name, value);
    }
}
