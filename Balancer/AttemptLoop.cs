using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;
using Serilog;

namespace Aiproxy.Balancer;

/// <summary>Tries upstream after upstream until one answers, and tells the client the most telling failure when none does. Steps 3, 4 and 11, 12 of the walk.</summary>
public sealed class AttemptLoop(
    Forwarder forwarder, UpstreamTable types, CredentialSource credentials, UpstreamStateTable states, ILogger log, TimeProvider clock)
{
    private readonly WeightedRoundRobin _robin = new();
    private readonly LastResort _lastResort = new(clock);
    private readonly SessionAffinity _affinity = new(clock);

    /// <summary>Ends with the client answered, or gone.</summary>
    public async Task RunAsync(Exchange exchange, Router router)
    {
        var run = new RequestRun(exchange);
        try
        {
            await TryModelAsync(run, exchange.Head.Model, router).ConfigureAwait(false);
            foreach (string fallback in router.Fallbacks(exchange.Head.Model))
            {
                if (run.IsOver) break;
                log.Information("request {Id:l} falls back from {Model:l} to {Fallback:l}", exchange.RequestId, exchange.Head.Model, fallback);
                await TryModelAsync(run, fallback, router).ConfigureAwait(false);
            }
        }
        finally
        {
            run.SettleDoubtful();
        }
        if (exchange.Answer.HasBegun || exchange.Answer.Gone.IsCancellationRequested) return;

        ProxyError error = run.IsServed
            ? run.Failures.Tell(clock.GetUtcNow())
            : new ProxyError(ErrorKind.NotFound, $"the model '{exchange.Head.Model}' is not served by any upstream") { Param = "model", Code = "model_not_found" };
        if (run.IsServed && IsMissingCount(exchange, error))
        {
            await LocalCount.TellAsync(exchange).ConfigureAwait(false);
            return;
        }
        if (!run.IsServed) log.Warning("request {Id:l}: nobody serves {Model:l}; a line in model_mappings would: \"{Model:l}\": \"...\"", exchange.RequestId, exchange.Head.Model, exchange.Head.Model);
        exchange.Failure = error;
        if (run.Failures is { TellsBest: true, BestUpstream: { } telling })
        {
            exchange.UpstreamName = telling;
            run.TellRoute();
        }
        await exchange.Answer.FailAsync(error, exchange.RequestId, run.RawFor(error)).ConfigureAwait(false);
    }

    /// <summary>A model is worth listing: somebody serves it whose circuit is not open.</summary>
    public bool IsServed(Router router, string model)
    {
        foreach (Route route in router.Routes(model))
            if (states.For(route.Upstream).Circuit(route.UpstreamModel).State != CircuitState.Open) return true;
        return false;
    }

    // "count_tokens / countTokens / input_tokens go to an upstream that has the call; otherwise aiproxy estimates"
    private static bool IsMissingCount(Exchange exchange, ProxyError error) =>
        exchange.Head.Target.Operation == Operation.CountTokens && error.Kind is ErrorKind.NotFound or ErrorKind.MethodNotAllowed or ErrorKind.Unsupported;

    private async Task TryModelAsync(RequestRun run, string model, Router router)
    {
        // Step 3.
        List<Route> left = Usable(run, router.Routes(model));
        bool visitedOne = false;
        run.Conversation ??= HasChoice(left) && run.Exchange.Head.Target.Operation == Operation.Generate ? ConversationKey.Of(run.Exchange) : null;
        Home? home = run.Conversation is { } conversation ? _affinity.Find(conversation) : null;
        while (left.Count > 0 && !run.IsOver)
        {
            List<Route> free = left.FindAll(IsFree);
            if (free.Count == 0)
            {
                foreach (Route blocked in left) NoteBlocked(run, blocked);
                if (!visitedOne) await ProbeAsync(run, model, left).ConfigureAwait(false);
                return;
            }
            // Step 4.
            Route route = free.Find(candidate => !visitedOne && candidate.Upstream.Name == home?.Upstream && IsAffine(candidate))
                ?? (visitedOne ? _robin.PickAgain(model, free) : _robin.Pick(model, free));
            left.Remove(route);
            visitedOne = true;
            UpstreamState state = states.For(route.Upstream);
            CircuitBreaker circuit = state.Circuit(route.UpstreamModel);
            if (circuit.TryEnter(out CircuitPass pass)) await VisitAsync(run, route, state, circuit, pass, home).ConfigureAwait(false);
            else NoteBlocked(run, route);
        }
    }

    // Every circuit is open: one request a second may try the least bad upstream.
    private async Task ProbeAsync(RequestRun run, string model, List<Route> blocked)
    {
        // A candidate that lacks a credential or a place cannot be tried, and must not keep the others from it.
        blocked = blocked.FindAll(route => !IsResting(route) && !IsBusy(route));
        List<CircuitBreaker> circuits = blocked.ConvertAll(route => states.For(route.Upstream).Circuit(route.UpstreamModel));
        if (!_lastResort.TryProbe(model, circuits, out int index, out CircuitPass pass)) return;
        await VisitAsync(run, blocked[index], states.For(blocked[index].Upstream), circuits[index], pass, null).ConfigureAwait(false);
    }

    private async Task VisitAsync(RequestRun run, Route route, UpstreamState state, CircuitBreaker circuit, CircuitPass pass, Home? home)
    {
        if (!state.TryEnter(route.Upstream.MaxConcurrent))
        {
            circuit.Cancelled(pass);
            run.Failures.Add(Outcome.Busy, route.Upstream.Name);
            return;
        }
        bool settled = false;
        try
        {
            Outcome? last = null;
            var tried = new HashSet<int>();
            while (!run.IsOver && TryCredential(state, route, tried, home, out CredentialSlot slot))
            {
                tried.Add(slot.Index);
                long began = clock.GetTimestamp();
                Attempt attempt = await AttemptAsync(run, route, slot, () => pass = circuit.Answering(pass)).ConfigureAwait(false);
                last = attempt.Outcome;
                state.Note(last);
                run.Note(attempt, route.Upstream.Name, last.Kind == OutcomeKind.Limited ? state.Credentials.RestFor(route.UpstreamModel)?.Until : null);
                LogFailure(run, route, last);
                Remember(run, route, slot, last, began);
                if (last.Scope is not (Scope.Credential or Scope.CredentialModel) || last.IsFinal) break;
            }
            // Step 11.
            settled = true;
            if (last is null) NoteCredentialRest(run, route, state, circuit, pass);
            else if (last.CountsIfAnotherAccepts) run.Doubt(circuit, pass, last);
            else if (Settlement.OfVisit(circuit, pass, last, anotherAccepted: false)) LogCircuit(route, circuit);
        }
        finally
        {
            // A probe that is never given back would hold its circuit half-open.
            if (!settled) circuit.Cancelled(pass);
            state.Leave();
        }
    }

    private async Task<Attempt> AttemptAsync(RequestRun run, Route route, CredentialSlot slot, Action onOutput)
    {
        Exchange exchange = run.Exchange;
        IUpstreamType type = types.Find(route.Upstream.ApiType)!;
        bool told = false;
        exchange.Attempts++;
        exchange.UpstreamName = route.Upstream.Name;
        exchange.UpstreamModel = route.UpstreamModel;
        exchange.OnOutput = () =>
        {
            // A trial makes room for others at the first output, not at the end of a long answer.
            told = true;
            slot.Succeeded();
            onOutput();
        };
        run.TellRoute();
        try
        {
            Attempt attempt = await SignedInAsync(exchange, route, type, slot.Index).ConfigureAwait(false);
            // How a sign-in stands is kept with it: a rest here would outlast its mending.
            if (!told && attempt.Outcome is { IsStaleToken: true } or { SignInFault: not null }) slot.Cancelled();
            else if (!told || attempt.Outcome is { Kind: OutcomeKind.Limited, RetryAt: not null }) Settlement.OfAttempt(slot, attempt.Outcome);
            // An upstream without this side call serves the model all the same.
            bool isSideCall = exchange.Head.Target.Operation != Operation.Generate && attempt.Outcome.Error?.Kind is ErrorKind.NotFound or ErrorKind.MethodNotAllowed;
            return isSideCall ? attempt with { Outcome = attempt.Outcome with { Counts = false } } : attempt;
        }
        catch
        {
            if (!told) slot.Cancelled();
            throw;
        }
    }

    private bool TryCredential(UpstreamState state, Route route, HashSet<int> tried, Home? home, out CredentialSlot slot)
    {
        bool isHome = tried.Count == 0 && home?.Upstream == route.Upstream.Name && IsAffine(route);
        return (isHome && state.Credentials.TryTake(home!.Credential, route.UpstreamModel, out slot)) || state.Credentials.TryNext(tried, route.UpstreamModel, out slot);
    }

    private void Remember(RequestRun run, Route route, in CredentialSlot slot, Outcome outcome, long began)
    {
        if (run.Conversation is not { } conversation || outcome.Kind == OutcomeKind.ClientGone || !IsAffine(route)) return;
        if (outcome.Kind != OutcomeKind.Success)
        {
            _affinity.Left(conversation, route.Upstream.Name);
            return;
        }
        var home = new Home(route.Upstream.Name, slot.Identity);
        TimeSpan toFirst = run.Exchange.FirstOutput > 0 ? clock.GetElapsedTime(began, run.Exchange.FirstOutput) : TimeSpan.Zero;
        _affinity.Served(conversation, home, toFirst);
        if (run.Exchange.AnswerId is { Length: > 0 } id) _affinity.Served(ConversationKey.OfAnswer(run.Exchange, id), home, toFirst);
    }

    // With one candidate and one credential there is nothing to remember.
    private bool HasChoice(List<Route> routes) => routes.Exists(IsAffine) && (routes.Count > 1 || states.For(routes[0].Upstream).Credentials.Count > 1);

    private bool IsAffine(Route route) => route.Upstream.SessionAffinity ?? (route.Upstream.ApiType == "responses" || types.Find(route.Upstream.ApiType) is { Fact.UsesAuthFiles: true });

    /// <summary>One attempt, and a second one where the token was refused and a newer one could be had.</summary>
    private async Task<Attempt> SignedInAsync(Exchange exchange, Route route, IUpstreamType type, int index)
    {
        UpstreamConfig upstream = route.Upstream;
        CancellationToken gone = exchange.Answer.Gone;
        IUpstreamProtocol protocol = type.ProtocolFor(exchange.Protocol, upstream)!;
        HeldCredential held = await credentials.GetAsync(upstream, type, index, gone).ConfigureAwait(false);
        for (bool isSecond = false; ; isSecond = true)
        {
            if (held.Failure is { } failure) return new Attempt(failure);
            var target = new UpstreamTarget(upstream, type, protocol, route.UpstreamModel, held.Credential, index);
            Attempt attempt = await forwarder.SendAsync(exchange, target).ConfigureAwait(false);
            if (attempt.Headers is { } headers && held.Credential is not null) credentials.Told(upstream, type, index, headers, clock.GetUtcNow());
            if (attempt.Outcome.SignInFault is { } fault) credentials.Disable(upstream, type, index, fault);
            if (attempt.Outcome.AsksForReset && held.Credential is { } limited) attempt = attempt with { Outcome = await WithResetAsync(attempt.Outcome, upstream, type, index, limited, gone).ConfigureAwait(false) };
            if (!attempt.Outcome.IsStaleToken || exchange.Answer.HasBegun || held.Credential is null) return attempt;
            // "second 401 with a token younger than 60 s": the sign-in learns of that one, too.
            held = await credentials.RefusedAsync(upstream, type, index, held.Credential, gone).ConfigureAwait(false);
            if (isSecond) return attempt;
            log.Information("request {Id:l}: the token of {Upstream:l} was refused; {Verdict:l}", exchange.RequestId, upstream.Name, held.Failure is null ? "a newer one is tried" : "no newer one");
        }
    }

    private async ValueTask<Outcome> WithResetAsync(Outcome outcome, UpstreamConfig upstream, IUpstreamType type, int index, UpstreamCredential credential, CancellationToken gone)
    {
        DateTimeOffset? reset = await credentials.ResetAsync(upstream, type, index, credential, forwarder.CallOf(upstream, type, credential, index), clock, gone).ConfigureAwait(false);
        return reset > clock.GetUtcNow() ? outcome with { RetryAt = reset, Error = outcome.Error! with { RetryAfter = reset - clock.GetUtcNow() } } : outcome;
    }

    private List<Route> Usable(RequestRun run, IReadOnlyList<Route> routes)
    {
        var usable = new List<Route>(routes.Count);
        foreach (Route route in routes)
        {
            run.IsServed = true;
            IUpstreamType? type = types.Find(route.Upstream.ApiType);
            IUpstreamProtocol? protocol = type?.ProtocolFor(run.Exchange.Protocol, route.Upstream);
            Operation operation = run.Exchange.Head.Target.Operation;
            bool speaks = protocol is not null && (operation == Operation.Generate || (protocol.Name == run.Exchange.Protocol.Name && type!.Supports(operation)));
            if (speaks) LookAtSignIns(route, type!);
            if (speaks) usable.Add(route);
            else run.Failures.Add(Outcome.CannotSay(NoSuchCall(run.Exchange)), route.Upstream.Name);
        }
        return usable;
    }

    // A resting sign-in is asked for no token, so nobody else would see that its file holds another one now.
    private void LookAtSignIns(Route route, IUpstreamType type)
    {
        CredentialRing ring = states.For(route.Upstream).Credentials;
        for (int i = 0; i < route.Upstream.AuthFiles.Count; i++) ring.Exchanged(i, credentials.AdoptionsOf(route.Upstream, type, i));
    }

    private bool IsFree(Route route) =>
        states.For(route.Upstream).Circuit(route.UpstreamModel).BlockedUntil is null && !IsResting(route) && !IsBusy(route);

    private bool IsResting(Route route) => states.For(route.Upstream).Credentials.NextFor(route.UpstreamModel) is not null;

    private bool IsBusy(Route route) => route.Upstream.MaxConcurrent is { } limit && states.For(route.Upstream).InFlight >= limit;

    private void NoteBlocked(RequestRun run, Route route)
    {
        UpstreamState state = states.For(route.Upstream);
        CircuitBreaker circuit = state.Circuit(route.UpstreamModel);
        if (state.Credentials.RestFor(route.UpstreamModel) is { } rest) run.Failures.AddResting(rest, route.Upstream.Name);
        else if (circuit.BlockedUntil is { } until) run.Failures.AddBlocked(until, isLimit: circuit.RestsUntil is not null);
        else run.Failures.Add(Outcome.Busy, route.Upstream.Name);
    }

    private static void NoteCredentialRest(RequestRun run, Route route, UpstreamState state, CircuitBreaker circuit, CircuitPass pass)
    {
        circuit.Cancelled(pass);
        if (state.Credentials.RestFor(route.UpstreamModel) is { } rest) run.Failures.AddResting(rest, route.Upstream.Name);
        else run.Failures.Add(Outcome.Busy, route.Upstream.Name);
    }

    private static ProxyError NoSuchCall(Exchange exchange) =>
        new(ErrorKind.NotFound, $"no upstream of the model '{exchange.Head.Model}' has this call of the {exchange.Protocol.Name} protocol");

    private void LogFailure(RequestRun run, Route route, Outcome outcome)
    {
        if (outcome.Kind is OutcomeKind.Success or OutcomeKind.ClientGone) return;
        // A transport fault is described by us; an upstream's own words may quote the prompt.
        string reason = outcome switch
        {
            { Kind: OutcomeKind.CannotSay } => "no words for " + (outcome.Error?.Param ?? "it"),
            { Error: { UpstreamStatus: null } ours } => ours.Message,
            _ => $"HTTP {outcome.Error?.UpstreamStatus}",
        };
        log.Warning(
            "request {Id:l}: attempt {Attempt} at {Upstream:l}/{Model:l} failed: {Kind} {ErrorKind}, {Reason:l}",
            run.Exchange.RequestId, run.Exchange.Attempts, route.Upstream.Name, route.UpstreamModel, outcome.Kind, outcome.Error?.Kind, reason);
    }

    private void LogCircuit(Route route, CircuitBreaker circuit) =>
        log.Warning("circuit of {Upstream:l}/{Model:l} is {State}, blocked until {Until}", route.Upstream.Name, route.UpstreamModel, circuit.State, circuit.BlockedUntil);
}
