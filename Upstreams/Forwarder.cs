using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Makes one attempt: sends the request to one upstream with one credential and, if it answers well, delivers the answer. Steps 5 to 10 of the walk.</summary>
public sealed class Forwarder(UpstreamClients clients, UpstreamMessage messages, Translation translation)
{
    private readonly ProviderCalls _calls = new(clients, messages);

    // Error bodies are small; one that is not is no error body, and is not relayed.
    private const int MaxErrorBytes = 1024 * 1024;

    // The status is known; a body that does not come is not worth a client's patience.
    private static readonly TimeSpan ErrorBodyWait = TimeSpan.FromSeconds(10);

    /// <remarks>Never throws for what an upstream or client does. Afterwards <see cref="ClientAnswer.HasBegun"/> tells whether another attempt may follow.</remarks>
    public async Task<Attempt> SendAsync(Exchange exchange, UpstreamTarget target)
    {
        if (target.Type.Wire is { } wire)
        {
            Preparation prepared = await PreparedAsync(exchange, target, wire).ConfigureAwait(false);
            if (prepared.Failure is { } unprepared) return new Attempt(unprepared);
            target = prepared.Target;
        }
        // Step 5.
        var first = new WireRequest(exchange, Collecting.Decide(exchange, target));
        Attempt attempt = await VisitAsync(first, dropsProofs: false).ConfigureAwait(false);
        if (first.Forwards || exchange.Answer.HasBegun || attempt.Outcome.Kind != OutcomeKind.Refused) return attempt;
        if (translation.Efforts.Note(attempt.Outcome, exchange.ReadRequest(), first.Target)) attempt = await VisitAsync(first, dropsProofs: false).ConfigureAwait(false);
        if (exchange.Answer.HasBegun || !ProofFault.Is(attempt.Outcome) || !ProofStrip.HasProofs(exchange.ReadRequest())) return attempt;

        // "retry once with all proofs of this history dropped, before anything was streamed"
        return await VisitAsync(first, dropsProofs: true).ConfigureAwait(false);
    }

    /// <summary>For calls about the account itself.</summary>
    public ProviderCall CallOf(UpstreamConfig config, IUpstreamType type, UpstreamCredential? credential, int index) => _calls.For(config, type, credential, index);

    private async ValueTask<Preparation> PreparedAsync(Exchange exchange, UpstreamTarget target, IUpstreamWire wire)
    {
        try
        {
            return await wire.PrepareAsync(target, _calls.For(target.Config, target.Type, target.Credential, target.CredentialIndex), exchange.Answer.Gone).ConfigureAwait(false);
        }
        catch (Exception fault) when (Faults.IsTransport(fault))
        {
            return new Preparation(target, exchange.Answer.Gone.IsCancellationRequested ? Outcome.ClientGone : OfFault(fault, ClockPhase.Headers));
        }
    }

    /// <summary>Base URL after base URL, and the one mend that a provider's page names.</summary>
    private async Task<Attempt> VisitAsync(WireRequest request, bool dropsProofs)
    {
        IReadOnlyList<Uri?> hosts = request.Target.Hosts.Count > 0 ? [.. request.Target.Hosts] : [null];
        bool isMended = false;
        (bool hasRoom, IDisposable? room) = await RoomAsync(request).ConfigureAwait(false);
        if (!hasRoom) return new Attempt(request.Exchange.Answer.Gone.IsCancellationRequested ? Outcome.ClientGone : Outcome.NoRoom);
        using var body = new VisitBody(room);
        for (int host = 0; ;)
        {
            try
            {
                if (body.Segments.Count == 0) body.Segments = Body(ref request, dropsProofs);
            }
            catch (ProtocolException unsayable)
            {
                return new Attempt(Outcome.CannotSay(unsayable.Error));
            }
            Attempt attempt = await AskAsync(request, hosts[host], body).ConfigureAwait(false);
            if (request.Exchange.Answer.HasBegun) return attempt;
            bool hasNext = host + 1 < hosts.Count;
            if (attempt.Mend is { NextHost: false } mend && !isMended && await WaitedAsync(request.Exchange, mend.Wait).ConfigureAwait(false))
            {
                isMended = true;
                request = request with { Mend = mend };
                body.Segments = [];
            }
            else if (hasNext && (attempt.Mend is { NextHost: true } || IsHostFault(attempt.Outcome)))
            {
                host++;
            }
            else
            {
                return attempt;
            }
        }
    }

    // A forwarded body is sent as it is held; any other is written anew, about as long.
    private static async ValueTask<(bool IsGranted, IDisposable? Room)> RoomAsync(WireRequest request)
    {
        Exchange exchange = request.Exchange;
        if (exchange.RoomAsync is not { } roomAsync || (request.Forwards && request.Target.Type.Wire is null)) return (true, null);
        try
        {
            IDisposable? room = await roomAsync(exchange.Body.Length, exchange.Answer.Gone).ConfigureAwait(false);
            return (room is not null, room);
        }
        catch (OperationCanceledException)
        {
            return (false, null);
        }
    }

    private IReadOnlyList<ReadOnlyMemory<byte>> Body(ref WireRequest request, bool dropsProofs)
    {
        IReadOnlyList<ReadOnlyMemory<byte>> body = request.Forwards
            ? UpstreamMessage.Forwarded(request.Exchange, request.Target.Model, request.Target.Collects)
            : [Translated(request, dropsProofs)];
        if (!request.Forwards && Collecting.IsLong(request.Exchange, request.Target, body[0].Span))
        {
            request = request with { Target = request.Target with { Collects = true } };
            body = [Translated(request, dropsProofs)];
        }
        return request.Target.Type.Wire is { } wire ? wire.Body(request, body) : body;
    }

    private ReadOnlyMemory<byte> Translated(WireRequest request, bool dropsProofs) =>
        translation.Body(request.Exchange, request.Target, dropsProofs || request.Mend is { DropsProofs: true });

    // false: the client left or its patience ends before.
    private static async Task<bool> WaitedAsync(Exchange exchange, TimeSpan wait)
    {
        if (wait <= TimeSpan.Zero) return true;
        if (exchange.TotalDeadline != long.MaxValue && exchange.Clock.GetElapsedTime(exchange.Clock.GetTimestamp(), exchange.TotalDeadline) <= wait) return false;
        try
        {
            await Task.Delay(wait, exchange.Clock, exchange.Answer.Gone).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<Attempt> AskAsync(WireRequest request, Uri? baseUrl, VisitBody body)
    {
        Exchange exchange = request.Exchange;
        using var clock = new AttemptClock(exchange.Clock, exchange.TotalDeadline, exchange.Answer.Gone);
        try
        {
            // Step 6.
            using HttpResponseMessage response = await SendOnceOrAgainAsync(request, baseUrl, body, clock).ConfigureAwait(false);
            return (int)response.StatusCode is >= 200 and < 300
                ? await DeliverAsync(request, baseUrl, body, response, clock).ConfigureAwait(false)
                : await RefusedAsync(request, response, clock).ConfigureAwait(false);
        }
        catch (Exception fault) when (Faults.IsTransport(fault))
        {
            if (exchange.Answer.Gone.IsCancellationRequested) return new Attempt(Outcome.ClientGone);
            return new Attempt(OfFault(fault, clock.Expired, exchange.Attempts > 1));
        }
        finally
        {
            // Memory that a connection may still read from must not serve another request.
            if (body.Sent is { IsBeingSent: true }) exchange.OnLent?.Invoke();
        }
    }

    private async Task<HttpResponseMessage> SendOnceOrAgainAsync(WireRequest request, Uri? baseUrl, VisitBody body, AttemptClock clock)
    {
        (Exchange exchange, UpstreamTarget target) = (request.Exchange, request.Target);
        HttpMessageInvoker client = clients.For(target.Config, target.Type, target.CredentialIndex);
        clock.Enter(ClockPhase.Headers, HeaderLimit(target.HeadOf(exchange), target.Config));
        for (int sent = 0; ; sent++)
        {
            var trace = new ConnectionTrace();
            trace.Begin();
            HttpRequestMessage message = messages.Create(request, baseUrl, body.Segments);
            body.Sent = message.Content as SplicedContent;
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
        WireRequest request, Uri? baseUrl, VisitBody body, HttpResponseMessage response, AttemptClock clock)
    {
        (Exchange exchange, UpstreamTarget target) = (request.Exchange, request.Target);
        // Only server tools make a turn pause, and a client of another protocol has no word for it.
        bool mayPause = !exchange.Forwards(target) && target.Protocol.Name == "anthropic" && exchange.ReadRequest().Tools.Any(static tool => tool.Kind == ToolKind.Foreign);
        var delivery = new AnswerDelivery(request, clock, response, translation,
            mayPause ? turn => GoOnAsync(request, baseUrl, turn.GoOn(body.Segments[0].Span), clock) : null)
        {
            OnBegin = mayPause ? null : Release,
        };
        ProxyError? failure = exchange.Head.Target.Operation == Operation.Generate
            ? await delivery.DeliverAsync().ConfigureAwait(false)
            : await delivery.RelayAsync().ConfigureAwait(false);
        IReadOnlyList<KeyValuePair<string, string>> headers = Pairs(response);
        if (delivery.ClientLeft) return new Attempt(Outcome.ClientGone, null, headers);
        if (failure is null) return new Attempt(Outcome.Success, null, headers);
        // What was told inside the answer stands for an error body: a rule may look for its words, and a provider's rules for its details.
        bool isBody = delivery.Told.Span.TrimStart(" \r\n\t"u8) is [(byte)'{' or (byte)'[', ..];
        Attempt attempt = Judged(request, 200, failure, headers, isBody ? delivery.Told : Encoding.UTF8.GetBytes(failure.Message));
        return isBody && request.Forwards && !exchange.Answer.HasBegun ? attempt with { Raw = RawOf(attempt.Outcome, delivery.Told, request, response) } : attempt;

        // A stream may go on for an hour, and nothing is sent again.
        void Release()
        {
            if (body.Sent is { IsBeingSent: true }) return;
            body.Sent?.Release();
            exchange.ReleaseRequest();
            body.Dispose();
        }
    }

    /// <summary>An error told inside a 200 in the words of an error body, which it is then relayed as: null where it is none.</summary>
    private static RawAnswer? RawOf(Outcome outcome, ReadOnlyMemory<byte> body, WireRequest request, HttpResponseMessage response)
    {
        if (outcome.Error is not { } error || !TellsError(body.Span)) return null;
        int status = request.Exchange.Protocol.WriteError(new ArrayBufferWriter<byte>(), error, request.Exchange.RequestId);
        return IsRelayed(status, outcome, body.Span, request.Target) ? new RawAnswer(status, "application/json; charset=utf-8", body, ResponseHeaders.ForClient(response)) : null;
    }

    /// <exception cref="HttpRequestException">The upstream refused; to the client its answer broke.</exception>
    private async Task<HttpResponseMessage> GoOnAsync(WireRequest request, Uri? baseUrl, ReadOnlyMemory<byte> body, AttemptClock clock)
    {
        HttpResponseMessage next = await clients.For(request.Target.Config, request.Target.Type, request.Target.CredentialIndex)
            .SendAsync(messages.Create(request, baseUrl, [body]), clock.Token).ConfigureAwait(false);
        if (next.IsSuccessStatusCode) return next;
        next.Dispose();
        throw new HttpRequestException("the upstream did not go on with a turn that it had paused");
    }

    // Step 7.
    private static async Task<Attempt> RefusedAsync(WireRequest request, HttpResponseMessage response, AttemptClock clock)
    {
        clock.Enter(ClockPhase.Idle, ErrorBodyWait);
        using BoundedBody body = await ErrorBodyAsync(request.Exchange, response, clock).ConfigureAwait(false);

        int status = (int)response.StatusCode;
        UpstreamTarget target = request.Target;
        Attempt attempt = Judged(request, status, target.Protocol.ReadError(status, body.Memory.Span), Pairs(response), body.Memory);
        bool relays = request.Forwards && !body.IsCut && IsRelayed(status, attempt.Outcome, body.Memory.Span, target);
        RawAnswer? raw = relays ? new RawAnswer(status, ResponseHeaders.JsonType(response), body.Memory.ToArray(), ResponseHeaders.ForClient(response)) : null;
        return attempt with { Raw = raw };
    }

    /// <param name="status">2xx: told inside the answer.</param>
    private static Attempt Judged(WireRequest request, int status, ProxyError error, IReadOnlyList<KeyValuePair<string, string>> headers, ReadOnlyMemory<byte> body)
    {
        UpstreamTarget target = request.Target;
        Refusal? refusal = null;
        Outcome outcome = Judgement.OfAnswer(status, error, headers, body.Span, target.Config.ErrorRules, request.Exchange.Clock, (told, read) =>
        {
            refusal = new Refusal(told, read, headers, body, request.Exchange.Clock.GetUtcNow(), target) { Operation = request.Exchange.Head.Target.Operation, IsInAnswer = status is >= 200 and < 300 };
            return target.Type.Wire?.Judge(refusal);
        }, target.Model);
        // Whoever signs in with a key has no other to offer.
        if (refusal is { Status: 401 } && target.Credential?.SignIn is not null && outcome.SignInFault is null) outcome = outcome with { IsStaleToken = true };
        return new Attempt(outcome, null, headers) { Mend = refusal is null ? null : target.Type.Wire?.MendOf(refusal, request) };
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
        return text.Length > 0 && text[0] is (byte)'{' or (byte)'[' && !ErrorText.ShowsSecret(Encoding.UTF8.GetString(text))
            && (target.Type.Wire is null || TellsError(text))
            && (target.Credential is not { } credential || text.IndexOf(Encoding.UTF8.GetBytes(credential.Secret.Reveal())) < 0);
    }

    /// <summary>A provider's back end may answer in words that are not the protocol's (<c>{"detail":"…"}</c>), which a client library finds no message in.</summary>
    private static bool TellsError(ReadOnlySpan<byte> body)
    {
        try
        {
            var members = new JsonScan(body);
            while (members.Next())
                if (members.Is("error"u8)) return true;
        }
        catch (JsonException)
        {
            // No error body of any protocol's.
        }
        return false;
    }

    /// <param name="isLate">Others had their share of the time for all attempts before.</param>
    private static Outcome OfFault(Exception fault, ClockPhase? expired, bool isLate = false)
    {
        Outcome outcome = expired switch
        {
            ClockPhase.Headers => Judgement.OfTimeout(TimeoutPhase.Headers),
            ClockPhase.FirstToken => Judgement.OfTimeout(TimeoutPhase.FirstOutput),
            // Who was merely asked last is not to blame for the time that the others took.
            ClockPhase.Total => Judgement.OfTimeout(TimeoutPhase.Silence) with { Counts = !isLate },
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
