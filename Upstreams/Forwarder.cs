using System.Text;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Makes one attempt: sends the request to one upstream with one credential and, if it answers well, delivers the answer. Steps 5 to 10 of the walk.</summary>
public sealed class Forwarder(UpstreamClients clients, UpstreamMessage messages, Translation translation)
{
    // Error bodies are small; one that is not is no error body, and is not relayed.
    private const int MaxErrorBytes = 1024 * 1024;

    // The status is known; a body that does not come is not worth a client's patience.
    private static readonly TimeSpan ErrorBodyWait = TimeSpan.FromSeconds(10);

    /// <remarks>Never throws for what an upstream or client does. Afterwards <see cref="ClientAnswer.HasBegun"/> tells whether another attempt may follow.</remarks>
    public async Task<Attempt> SendAsync(Exchange exchange, UpstreamTarget target)
    {
        // Step 5: the body, once for all base URLs.
        bool forwards = exchange.Forwards(target);
        IReadOnlyList<ReadOnlyMemory<byte>> body;
        target = Collecting.Decide(exchange, target);
        try
        {
            body = forwards ? UpstreamMessage.Forwarded(exchange, target.Model, target.Collects) : [translation.Body(exchange, target, dropsProofs: false)];
            if (!forwards && Collecting.IsLong(exchange, target, body[0].Span))
            {
                target = target with { Collects = true };
                body = [translation.Body(exchange, target, dropsProofs: false)];
            }
        }
        catch (ProtocolException unsayable)
        {
            return new Attempt(Outcome.CannotSay(unsayable.Error));
        }

        Attempt attempt = await VisitAllAsync(exchange, target, body).ConfigureAwait(false);
        if (forwards || exchange.Answer.HasBegun || !ProofFault.Is(attempt.Outcome) || !ProofStrip.HasProofs(exchange.ReadRequest())) return attempt;

        // "retry once with all proofs of this history dropped, before anything was streamed"
        return await VisitAllAsync(exchange, target, [translation.Body(exchange, target, dropsProofs: true)]).ConfigureAwait(false);
    }

    private async Task<Attempt> VisitAllAsync(Exchange exchange, UpstreamTarget target, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        Uri?[] bases = target.Config.BaseUrls.Count > 0 ? [.. target.Config.BaseUrls] : [null];
        Attempt attempt = await VisitAsync(exchange, target, bases[0], body).ConfigureAwait(false);
        for (int i = 1; i < bases.Length && IsHostFault(attempt.Outcome) && !exchange.Answer.HasBegun; i++)
            attempt = await VisitAsync(exchange, target, bases[i], body).ConfigureAwait(false);
        return attempt;
    }

    private async Task<Attempt> VisitAsync(Exchange exchange, UpstreamTarget target, Uri? baseUrl, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        using var clock = new AttemptClock(exchange.Clock, exchange.TotalDeadline, exchange.Answer.Gone);
        try
        {
            // Step 6.
            using HttpResponseMessage response = await SendOnceOrAgainAsync(exchange, target, baseUrl, body, clock).ConfigureAwait(false);
            return (int)response.StatusCode is >= 200 and < 300
                ? await DeliverAsync(exchange, target, baseUrl, body, response, clock).ConfigureAwait(false)
                : await RefusedAsync(exchange, target, response, clock).ConfigureAwait(false);
        }
        catch (Exception fault) when (Faults.IsTransport(fault))
        {
            if (exchange.Answer.Gone.IsCancellationRequested) return new Attempt(Outcome.ClientGone);
            return new Attempt(OfFault(fault, clock.Expired));
        }
    }

    private async Task<HttpResponseMessage> SendOnceOrAgainAsync(
        Exchange exchange, UpstreamTarget target, Uri? baseUrl, IReadOnlyList<ReadOnlyMemory<byte>> body, AttemptClock clock)
    {
        HttpMessageInvoker client = clients.For(target.Config, target.Type, target.CredentialIndex);
        clock.Enter(ClockPhase.Headers, HeaderLimit(target.HeadOf(exchange), target.Config));
        for (int sent = 0; ; sent++)
        {
            var trace = new ConnectionTrace();
            trace.Begin();
            HttpRequestMessage message = messages.Create(exchange, target, baseUrl, body);
            try
            {
                return await client.SendAsync(message, clock.Token).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is HttpRequestException or IOException && sent == 0 && trace is { IsReused: true, HasAnswer: false } && !clock.Token.IsCancellationRequested)
            {
                // The server closed an idle connection while the request was on its way: it was never read, so it is sent once more.
                message.Dispose();
            }
        }
    }

    private async Task<Attempt> DeliverAsync(
        Exchange exchange, UpstreamTarget target, Uri? baseUrl, IReadOnlyList<ReadOnlyMemory<byte>> body, HttpResponseMessage response, AttemptClock clock)
    {
        // Only server tools make a turn pause, and a client of another protocol has no word for it.
        bool mayPause = !exchange.Forwards(target) && target.Protocol.Name == "anthropic" && exchange.ReadRequest().Tools.Any(static tool => tool.Kind == ToolKind.Foreign);
        var delivery = new AnswerDelivery(exchange, target, clock, response, translation,
            mayPause ? turn => GoOnAsync(exchange, target, baseUrl, turn.GoOn(body[0].Span), clock) : null);
        ProxyError? failure = exchange.Head.Target.Operation == Operation.Generate
            ? await delivery.DeliverAsync().ConfigureAwait(false)
            : await delivery.RelayAsync().ConfigureAwait(false);
        IReadOnlyList<KeyValuePair<string, string>> headers = Pairs(response);
        if (delivery.ClientLeft) return new Attempt(Outcome.ClientGone, null, headers);
        if (failure is null) return new Attempt(Outcome.Success, null, headers);
        // What was told inside the answer stands for an error body: a rule may look for its words.
        byte[] words = Encoding.UTF8.GetBytes(failure.Message);
        Outcome outcome = Judgement.OfAnswer(200, failure, headers, words, target.Config.ErrorRules, exchange.Clock);
        return new Attempt(outcome, null, headers);
    }

    /// <exception cref="HttpRequestException">The upstream refused; to the client its answer broke.</exception>
    private async Task<HttpResponseMessage> GoOnAsync(Exchange exchange, UpstreamTarget target, Uri? baseUrl, ReadOnlyMemory<byte> body, AttemptClock clock)
    {
        HttpResponseMessage next = await clients.For(target.Config, target.Type, target.CredentialIndex)
            .SendAsync(messages.Create(exchange, target, baseUrl, [body]), clock.Token).ConfigureAwait(false);
        if (next.IsSuccessStatusCode) return next;
        next.Dispose();
        throw new HttpRequestException("the upstream did not go on with a turn that it had paused");
    }

    // Step 7.
    private static async Task<Attempt> RefusedAsync(Exchange exchange, UpstreamTarget target, HttpResponseMessage response, AttemptClock clock)
    {
        clock.Enter(ClockPhase.Idle, ErrorBodyWait);
        using BoundedBody body = await ErrorBodyAsync(exchange, response, clock).ConfigureAwait(false);

        int status = (int)response.StatusCode;
        IReadOnlyList<KeyValuePair<string, string>> headers = Pairs(response);
        ProxyError error = target.Protocol.ReadError(status, body.Memory.Span);
        Outcome outcome = Judgement.OfAnswer(status, error, headers, body.Memory.Span, target.Config.ErrorRules, exchange.Clock);
        bool relays = exchange.Forwards(target) && !body.IsCut && IsRelayed(status, outcome, body.Memory.Span, target);
        RawAnswer? raw = relays ? new RawAnswer(status, ResponseHeaders.JsonType(response), body.Memory.ToArray(), ResponseHeaders.ForClient(response)) : null;
        return new Attempt(outcome, raw, headers);
    }

    private static async ValueTask<BoundedBody> ErrorBodyAsync(Exchange exchange, HttpResponseMessage response, AttemptClock clock)
    {
        try
        {
            return await BoundedBody.ReadAsync(response.Content, MaxErrorBytes, clock).ConfigureAwait(false);
        }
        catch (Exception fault) when (Faults.IsTransport(fault) && !exchange.Answer.Gone.IsCancellationRequested)
        {
            // The status stands, whatever became of the words.
            return BoundedBody.Empty();
        }
    }

    // A body that holds no JSON (a gateway's page) helps no client; ours names the upstream. One that shows a key is not passed on either.
    private static bool IsRelayed(int status, Outcome outcome, ReadOnlySpan<byte> body, UpstreamTarget target)
    {
        if (status is < 400 or 401 or 403 || outcome.Kind == OutcomeKind.CredentialRefused) return false;
        ReadOnlySpan<byte> text = body.TrimStart(" \r\n\t"u8);
        return text.Length > 0 && text[0] is (byte)'{' or (byte)'[' && text.IndexOf("?key="u8) < 0 && text.IndexOf("&key="u8) < 0
            && (target.Credential is not { } credential || text.IndexOf(Encoding.UTF8.GetBytes(credential.Reveal())) < 0);
    }

    private static Outcome OfFault(Exception fault, ClockPhase? expired)
    {
        Outcome outcome = expired switch
        {
            ClockPhase.Headers => Judgement.OfTimeout(TimeoutPhase.Headers),
            ClockPhase.FirstToken => Judgement.OfTimeout(TimeoutPhase.FirstOutput),
            not null => Judgement.OfTimeout(TimeoutPhase.Silence),
            null when Faults.IsConnectTimeout(fault) => Judgement.OfTimeout(TimeoutPhase.Connect),
            null when Faults.IsConnect(fault) => Judgement.OfConnectFailure(),
            _ => Judgement.OfBrokenStream(),
        };
        return outcome with { Error = Faults.Describe(fault, expired) };
    }

    private static bool IsHostFault(Outcome outcome) => outcome.Kind == OutcomeKind.Failed && outcome.Error?.Kind is ErrorKind.BadGateway or ErrorKind.ServerError or ErrorKind.Overloaded;

    // "for a request that the upstream answers whole, not as a stream, at least stream_idle_timeout"
    private static TimeSpan HeaderLimit(RequestHead head, UpstreamConfig config)
    {
        if (head.Stream || config.Timeout <= TimeSpan.Zero) return config.Timeout;
        if (config.StreamIdleTimeout <= TimeSpan.Zero) return TimeSpan.Zero;
        return config.StreamIdleTimeout > config.Timeout ? config.StreamIdleTimeout : config.Timeout;
    }

    private static List<KeyValuePair<string, string>> Pairs(HttpResponseMessage response)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (KeyValuePair<string, System.Net.Http.Headers.HeaderStringValues> header in response.Headers.NonValidated)
            foreach (string value in header.Value) pairs.Add(new(header.Key, value));
        return pairs;
    }
}
