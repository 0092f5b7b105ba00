using Aiproxy.Config;

namespace Aiproxy.Balancer;

/// <summary>Whether a model of an upstream gets requests. Thread-safe.</summary>
/// <remarks>Every pass that <see cref="TryEnter"/> or <see cref="TryForce"/> hands out is given back once: <see cref="Succeeded"/>, <see cref="Failed"/>,
/// <see cref="Limited"/> or <see cref="Cancelled"/>. It may be kept until it is known whether another upstream accepted the request.
/// A result moves the state only while the state is the one that the pass was given in.
/// Beside the circuit stands a rest, named by the provider: it holds requests back without calling them failures.</remarks>
public sealed class CircuitBreaker(CircuitConfig config, TimeProvider clock)
{
    // While a probe is out nobody knows when the next may go; clients are sent away for this long.
    private static readonly TimeSpan ProbeOutWait = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private CircuitConfig limits = config;
    private CircuitState state = CircuitState.Closed;
    // From 1, so that no verdict on a default pass is ever taken for real.
    private long generation = 1;
    private Rest rest;

    /// <summary>Closed: failures in a row.</summary>
    private int failures;

    /// <summary>How long the circuit stays open the next time; null: the first wait.</summary>
    private TimeSpan? nextWait;

    /// <summary>Open: when a probe may go.</summary>
    private DateTimeOffset probeAt;

    /// <summary>HalfOpen: the place is taken.</summary>
    private bool isProbeOut;

    public CircuitState State
    {
        get
        {
            lock (gate) return state;
        }
    }

    /// <summary>HalfOpen, and its one request is under way.</summary>
    public bool IsProbeOut
    {
        get
        {
            lock (gate) return isProbeOut;
        }
    }

    /// <summary>null: a request would be let in now. Else when one may be: at a probe, a try, or the end of the rest.</summary>
    public DateTimeOffset? BlockedUntil
    {
        get
        {
            lock (gate)
            {
                DateTimeOffset now = clock.GetUtcNow();
                DateTimeOffset time = state switch
                {
                    CircuitState.Open => probeAt,
                    CircuitState.HalfOpen when isProbeOut => now + ProbeOutWait,
                    _ => now,
                };
                if (rest.NextTry > time) time = rest.NextTry;
                return time > now ? time : null;
            }
        }
    }

    /// <summary>When the rest that the provider named ends; null: there is none.</summary>
    public DateTimeOffset? RestsUntil
    {
        get
        {
            lock (gate) return rest.IsOn(clock.GetUtcNow()) ? rest.Until : null;
        }
    }

    /// <summary>New limits from a reload. They hold from the next failure on; a wait that runs is not changed.</summary>
    public void Configure(CircuitConfig config)
    {
        lock (gate) limits = config;
    }

    /// <summary>Lets a request in: any while closed, one as a probe where that is due.</summary>
    public bool TryEnter(out CircuitPass pass)
    {
        lock (gate)
        {
            pass = default;
            DateTimeOffset now = clock.GetUtcNow();
            if (now < rest.NextTry || (state == CircuitState.Open && now < probeAt) || isProbeOut) return false;
            bool isTry = rest.IsOn(now);
            if (isTry) rest.Tried(now);
            // Closed => Closed; Open | HalfOpen => HalfOpen: the wait is over, or the last probe was cancelled.
            pass = state == CircuitState.Closed ? new CircuitPass(generation, isTry, false) : Probe(isForced: false);
            return true;
        }
    }

    /// <summary>Lets one request in before its time, as a probe; never into a rest. Its failure leaves the wait as it was.</summary>
    public bool TryForce(out CircuitPass pass)
    {
        lock (gate)
        {
            pass = default;
            DateTimeOffset now = clock.GetUtcNow();
            if (state == CircuitState.Closed || isProbeOut || rest.IsOn(now)) return false;
            // Open | HalfOpen => HalfOpen
            pass = Probe(isForced: now < probeAt);
            return true;
        }
    }

    /// <summary>The first output came. A probe makes room for others now, not at the end of a long answer. The pass that comes back replaces the one given.</summary>
    public CircuitPass Answering(CircuitPass pass)
    {
        lock (gate)
        {
            if (pass.Generation != generation) return pass;
            rest.End();
            if (state != CircuitState.HalfOpen) return pass;
            // HalfOpen => Closed, on trial: should the answer break, that one failure opens it again, for the doubled wait.
            Enter(CircuitState.Closed);
            failures = limits.Failures - 1;
            return new CircuitPass(generation, false, false);
        }
    }

    /// <summary>The upstream accepted and answered. true: this closed the circuit or ended a rest.</summary>
    public bool Succeeded(CircuitPass pass)
    {
        lock (gate)
        {
            if (pass.Generation != generation) return false;
            bool wasBlocked = state != CircuitState.Closed || rest.IsOn(clock.GetUtcNow());
            // Closed => Closed, HalfOpen => Closed
            if (state != CircuitState.Closed) Enter(CircuitState.Closed);
            failures = 0;
            nextWait = null;
            rest.End();
            return wasBlocked;
        }
    }

    /// <summary>The upstream failed. true: this opened the circuit.</summary>
    public bool Failed(CircuitPass pass)
    {
        lock (gate)
        {
            if (pass.Generation != generation) return false;
            switch (state)
            {
                // HalfOpen => Open: the probe failed.
                case CircuitState.HalfOpen:
                    Open(keepTime: pass.IsForced);
                    return true;
                // Closed => Closed | Open: enough in a row.
                case CircuitState.Closed when ++failures >= limits.Failures:
                    Open(keepTime: false);
                    return true;
                // Open => Open: no pass is of this generation.
                default:
                    return false;
            }
        }
    }

    /// <summary>The provider named a time before which it wants no request for this model. No failure.</summary>
    /// <remarks>Who was let in before cannot end the rest any more. Of several times the latest holds, but what a try was told replaces the time before.</remarks>
    public void Limited(CircuitPass pass, DateTimeOffset until)
    {
        lock (gate)
        {
            DateTimeOffset now = clock.GetUtcNow();
            bool isNews = pass.Generation == generation;
            if (isNews || until > rest.Until) rest.Begin(until, now);
            if (!isNews) return;
            // HalfOpen => HalfOpen: the place is free when the rest is over. Closed => Closed.
            generation++;
            isProbeOut = false;
        }
    }

    /// <summary>The pass came to no verdict. A probe frees its place.</summary>
    public void Cancelled(CircuitPass pass)
    {
        lock (gate)
        {
            if (pass.Generation != generation) return;
            DateTimeOffset now = clock.GetUtcNow();
            if (pass.IsProbe && rest.IsOn(now)) rest.Untried(now);
            if (state != CircuitState.HalfOpen) return;
            generation++;
            isProbeOut = false;
            // HalfOpen => Open: a forced probe came before the time, which still holds. HalfOpen => HalfOpen: the next one probes.
            if (pass.IsForced && now < probeAt) state = CircuitState.Open;
        }
    }

    /// <summary>Ends a rest before its time: the provider showed a healthy quota.</summary>
    public void Wake()
    {
        lock (gate) rest.End();
    }

    /// <summary>Any => Closed, as new. false: it was closed and without rest.</summary>
    public bool Reset()
    {
        lock (gate)
        {
            bool wasBlocked = state != CircuitState.Closed || rest.IsOn(clock.GetUtcNow());
            Enter(CircuitState.Closed);
            failures = 0;
            nextWait = null;
            rest.End();
            return wasBlocked;
        }
    }

    private void Open(bool keepTime)
    {
        Enter(CircuitState.Open);
        failures = 0;
        if (keepTime) return;
        TimeSpan wait = Shorter(nextWait ?? limits.FirstProbe, limits.Recovery);
        probeAt = clock.GetUtcNow() + wait;
        nextWait = wait > limits.Recovery / 2 ? limits.Recovery : wait * 2;
    }

    private CircuitPass Probe(bool isForced)
    {
        Enter(CircuitState.HalfOpen);
        isProbeOut = true;
        return new CircuitPass(generation, true, isForced);
    }

    private void Enter(CircuitState next)
    {
        state = next;
        generation++;
        isProbeOut = false;
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>The words of Polly and Nygard: Closed lets requests in, Open does not, HalfOpen waits for its one probe.</summary>
public enum CircuitState { Closed, Open, HalfOpen }

/// <summary>The right to one request. <paramref name="Generation"/> tells late results from those that still count.</summary>
/// <param name="IsProbe">The only one let in: a probe, or the hourly try of a long rest.</param>
/// <param name="IsForced">A probe before its time.</param>
public readonly record struct CircuitPass(long Generation, bool IsProbe, bool IsForced);
