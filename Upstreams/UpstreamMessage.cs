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
        var message = new HttpRequestMessage(HttpMethod.Post, target.Type.Address(baseUrl, exchange.Head, target.Model, forwards ? exchange.Query : StreamQuery(exchange, target)))
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = Content(body, config.RequestCompression),
        };
        message.Options.Set(Origin, (exchange, target.Model));
        Set(message, "Accept", exchange.Head.Stream ? "text/event-stream, application/json" : "application/json");
        if (forwards)
            foreach ((string name, string value) in exchange.Headers) message.Headers.TryAddWithoutValidation(name, value);
        if (target.Protocol.Name == "anthropic" && !message.Headers.Contains("anthropic-version"))
            Set(message, "anthropic-version", ProviderPaths.AnthropicVersion);
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

    // "As client: always request alt=sse."
    private static string StreamQuery(Exchange exchange, UpstreamTarget target) => exchange.Head.Stream && target.Protocol.Name == "gemini" ? "?alt=sse" : "";

    /// <summary>The client's bytes with the model put right, and without proofs of other upstreams that were wrapped here.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Forwarded(Exchange exchange, string model)
    {
        ReadOnlyMemory<byte> body = exchange.Body;
        IReadOnlyList<Range> tokens = exchange.Head.ModelTokens;
        if (exchange.Head.Target.Operation != Operation.Retrieve && EnvelopeCut.Apply(body.Span, exchange.Protocol.Name, model) is { } cut)
        {
            body = cut;
            tokens = exchange.Protocol.ReadHead(exchange.Head.Target, exchange.Query, cut).ModelTokens;
        }
        List<Range>? edited = null;
        bool collection = false;
        foreach (Range token in tokens)
        {
            string said = RawJson.Decode(body.Span[token]);
            bool prefixed = exchange.Protocol.Name == "gemini" && said.StartsWith("models/", StringComparison.Ordinal);
            if ((prefixed ? said[7..] : said) == model) continue;
            collection |= prefixed && !model.StartsWith("tunedModels/", StringComparison.Ordinal);
            (edited ??= []).Add(token);
        }
        return edited is null ? [body] : TopLevelEdit.Replace(body, edited, RawJson.Encode(collection ? "models/" + model : model)).Segments;
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
