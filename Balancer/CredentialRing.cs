using Aiproxy.Protocols.Model;

namespace Aiproxy.Balancer;

/// <summary>The credentials of one upstream: they take turns, and each may rest. Thread-safe.</summary>
/// <remarks>A rest that the provider named ends at its time; a refusal or a limit without a time backs off, 30 s doubling to 30 min, and after it
/// the credential is on trial: one request at a time until one succeeds.</remarks>
public sealed class CredentialRing
{
    public static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(30);

    public static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(30);

    private readonly Lock gate = new();
    private readonly TimeProvider clock;
    private readonly Cell[] cells;

    /// <summary>Whose turn is next.</summary>
    private int turn;

    /// <param name="identities">One a credential, at least one; see <see cref="CredentialIdentity"/>.</param>
    public CredentialRing(IReadOnlyList<string> identities, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfZero(identities.Count, nameof(identities));
        this.clock = clock;
        cells = [.. identities.Select(identity => new Cell { Identity = identity })];
    }

    public int Count => cells.Length;

    /// <summary>null: a credential is free now, for some model. Else when the first may be.</summary>
    public DateTimeOffset? NextAvailable => Soonest(null);

    /// <summary>null: a credential is free now for <paramref name="model"/>. Else when the first may be.</summary>
    public DateTimeOffset? NextFor(string model) => Soonest(model);

    /// <summary>null: a credential is free now for <paramref name="model"/>. Else the rest of the one that says most: a limit passes by itself, a refusal does not.</summary>
    public CredentialRest? RestFor(string model)
    {
        lock (gate)
        {
            DateTimeOffset now = clock.GetUtcNow();
            CredentialRest? told = null;
            foreach (Cell cell in cells)
            {
                if (cell.RestFor(model, now) is not { } rest) return null;
                if (told is null || rest.SaysMoreThan(told.Value)) told = rest;
            }
            return told;
        }
    }

    /// <summary>A credential was exchanged for another under the same name: no rest of the old one holds.</summary>
    /// <param name="adoptions">Moves at each exchange; from 0.</param>
    public void Exchanged(int index, long adoptions)
    {
        lock (gate)
        {
            Cell cell = cells[index];
            if (cell.Adoptions == adoptions) return;
            cell.Adoptions = adoptions;
            cell.Rest.End();
            cell.Models.Clear();
            cell.Refusals = 0;
            cell.TrialUntil = default;
            cell.Generation++;
        }
    }

    /// <summary>As below, whatever the model.</summary>
    public bool TryNext(ISet<int>? tried, out CredentialSlot slot) => TryNext(tried, "", out slot);

    /// <summary>The next credential that is free for <paramref name="model"/> and not in <paramref name="tried"/> (indexes; null: none was tried).</summary>
    public bool TryNext(ISet<int>? tried, string model, out CredentialSlot slot)
    {
        lock (gate)
        {
            DateTimeOffset now = clock.GetUtcNow();
            for (int step = 0; step < cells.Length; step++)
            {
                int index = (turn + step) % cells.Length;
                if (tried is not null && tried.Contains(index)) continue;
                if (!TryTake(index, model, now, out slot)) continue;
                turn = (index + 1) % cells.Length;
                return true;
            }

            slot = default;
            return false;
        }
    }

    /// <summary>A certain credential, out of turn: the one that a conversation used last.</summary>
    public bool TryTake(string identity, string model, out CredentialSlot slot)
    {
        lock (gate)
        {
            slot = default;
            int index = Array.FindIndex(cells, cell => cell.Identity == identity);
            return index >= 0 && TryTake(index, model, clock.GetUtcNow(), out slot);
        }
    }

    /// <summary>How every credential stands, in the order of the configuration.</summary>
    public IReadOnlyList<CredentialStatus> Statuses()
    {
        lock (gate)
        {
            DateTimeOffset now = clock.GetUtcNow();
            return [.. cells.Select((cell, index) => new CredentialStatus(index, cell.Identity, cell.FreeAt > now ? cell.FreeAt : null, cell.Refusals))];
        }
    }

    internal void Rest(in CredentialSlot slot, DateTimeOffset until, ErrorKind why)
    {
        lock (gate)
        {
            Cell cell = cells[slot.Index];
            bool isNews = slot.Generation == cell.Generation;
            // Of several times the latest holds; what a try was told replaces the time before.
            if (!isNews && until <= cell.Rest.Until) return;
            cell.Rest.Begin(until, clock.GetUtcNow());
            cell.Why = why;
            cell.Refusals = 0;
            cell.TrialUntil = default;
            cell.Generation++;
        }
    }

    internal void RestModel(in CredentialSlot slot, DateTimeOffset until, ErrorKind why)
    {
        lock (gate) cells[slot.Index].Models.Begin(slot.Model, until, clock.GetUtcNow(), why);
    }

    internal void Refused(in CredentialSlot slot, ErrorKind why)
    {
        lock (gate)
        {
            Cell cell = cells[slot.Index];
            // Requests that went out together tell the same thing: one step.
            if (slot.Generation != cell.Generation) return;
            DateTimeOffset now = clock.GetUtcNow();
            TimeSpan backoff = FirstBackoff * Math.Pow(2, Math.Min(cell.Refusals, 16));
            cell.Refusals++;
            cell.Why = why;
            cell.Rest.End();
            cell.TrialUntil = now + (backoff < LongestBackoff ? backoff : LongestBackoff);
            cell.Generation++;
        }
    }

    internal void Succeeded(in CredentialSlot slot)
    {
        lock (gate)
        {
            Cell cell = cells[slot.Index];
            cell.Models.End(slot.Model);
            if (slot.Generation != cell.Generation) return;
            cell.Rest.End();
            cell.Refusals = 0;
            cell.TrialUntil = default;
        }
    }

    internal void Cancelled(in CredentialSlot slot)
    {
        lock (gate)
        {
            Cell cell = cells[slot.Index];
            if (slot.Generation != cell.Generation || !slot.IsTry) return;
            DateTimeOffset now = clock.GetUtcNow();
            if (cell.Rest.IsOn(now)) cell.Rest.Untried(now);
            cell.TrialUntil = default;
        }
    }

    private DateTimeOffset? Soonest(string? model)
    {
        lock (gate)
        {
            DateTimeOffset now = clock.GetUtcNow();
            DateTimeOffset soonest = DateTimeOffset.MaxValue;
            foreach (Cell cell in cells)
            {
                DateTimeOffset free = model is null ? cell.FreeAt : cell.FreeFor(model);
                if (free < soonest) soonest = free;
            }
            return soonest > now ? soonest : null;
        }
    }

    private bool TryTake(int index, string model, DateTimeOffset now, out CredentialSlot slot)
    {
        Cell cell = cells[index];
        slot = default;
        if (now < cell.FreeFor(model)) return false;
        bool isLongRest = cell.Rest.IsOn(now);
        bool isTrial = cell.Refusals > 0;
        cell.Models.Tried(model, now);
        if (isLongRest) cell.Rest.Tried(now);
        // A trial that never comes back blocks no longer than the first backoff.
        else if (isTrial) cell.TrialUntil = now + FirstBackoff;
        slot = new CredentialSlot(this, index, model, cell.Identity, cell.Generation, isLongRest || isTrial);
        return true;
    }

    private sealed class Cell
    {
        public Rest Rest;

        public ModelRests Models { get; } = new();

        public required string Identity { get; init; }

        /// <summary>What began the rest or the backoff.</summary>
        public ErrorKind Why { get; set; }

        /// <summary>Moves with every rest, so that who went out before cannot end it.</summary>
        public long Generation { get; set; } = 1;

        public long Adoptions { get; set; }

        /// <summary>Refusals and limits without a time, in a row.</summary>
        public int Refusals { get; set; }

        /// <summary>End of the backoff, or of a trial under way.</summary>
        public DateTimeOffset TrialUntil { get; set; }

        public DateTimeOffset FreeAt => Rest.NextTry > TrialUntil ? Rest.NextTry : TrialUntil;

        public DateTimeOffset FreeFor(string model) => Models.NextTry(model) is var next && next > FreeAt ? next : FreeAt;

        public CredentialRest? RestFor(string model, DateTimeOffset now)
        {
            DateTimeOffset free = FreeFor(model);
            if (free <= now) return null;
            if (free > FreeAt) return new CredentialRest(Models.Why(model), free);
            // A limit passes; when a refused credential is tried again says nothing about when it is accepted.
            bool isKnown = Why == ErrorKind.RateLimit || Rest.NextTry >= TrialUntil;
            return new CredentialRest(Why, isKnown ? free : null);
        }
    }
}

/// <summary>One use of a credential.</summary>
/// <remarks>Told once how it went; at the first output, not at the end of a long answer, so that a trial makes room for others.</remarks>
public readonly struct CredentialSlot
{
    private readonly CredentialRing ring;

    internal CredentialSlot(CredentialRing ring, int index, string model, string identity, long generation, bool isTry)
    {
        this.ring = ring;
        Index = index;
        Model = model;
        Identity = identity;
        Generation = generation;
        IsTry = isTry;
    }

    /// <summary>Position among the upstream's sign-in files or tokens; 0 for an upstream without.</summary>
    public int Index { get; }

    /// <summary>Fit for logs; never the key.</summary>
    public string Identity { get; }

    /// <summary>The only one let through: a trial after a refusal, or the hourly try of a long rest.</summary>
    public bool IsTry { get; }

    internal long Generation { get; }

    internal string Model { get; }

    /// <summary>The provider named the time until which this credential may not use the model it was taken for.</summary>
    public void RestModel(DateTimeOffset until, ErrorKind why = ErrorKind.RateLimit) => ring.RestModel(this, until, why);

    /// <summary>The provider named the time until which this credential is limited.</summary>
    public void Rest(DateTimeOffset until, ErrorKind why = ErrorKind.RateLimit) => ring.Rest(this, until, why);

    /// <summary>Not accepted, or limited without a time.</summary>
    public void Refused(ErrorKind why = ErrorKind.UpstreamAuth) => ring.Refused(this, why);

    public void Succeeded() => ring.Succeeded(this);

    /// <summary>Came to no verdict on the credential: a trial may be taken by another request.</summary>
    public void Cancelled() => ring.Cancelled(this);
}

/// <summary>How a credential stands.</summary>
/// <param name="BlockedUntil">null: free.</param>
/// <param name="Refusals">In a row.</param>
public sealed record CredentialStatus(int Index, string Identity, DateTimeOffset? BlockedUntil, int Refusals);
