using System.Collections.Concurrent;
using Aiproxy.Protocols;

namespace Aiproxy.Balancer;

/// <summary>Where each conversation was served last: going back there finds its prompt cache warm. Bounded; thread-safe.</summary>
public sealed class SessionAffinity
{
    private const int MostConversations = 20_000;

    // Longer than any provider keeps a prompt.
    private static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    // The first answers after a start are slower than what follows.
    private const int FewestAnswers = 5;
    private const double WeightOfNewest = 0.1;
    private const double SlowFactor = 3;

    private readonly BoundedTable<string, Home> homes;
    private readonly ConcurrentDictionary<string, Usual> usual = new(StringComparer.Ordinal);

    public SessionAffinity(TimeProvider clock) =>
        homes = new BoundedTable<string, Home>(MostConversations, long.MaxValue, Kept, clock, static _ => 1);

    /// <summary>null: a new conversation, or one that was left.</summary>
    /// <param name="key">See <see cref="ConversationKey"/>.</param>
    public Home? Find(string key) => homes.TryGet(key, out Home? home) ? home : null;

    /// <summary>An upstream answered. The conversation stays there, unless the answer was much slower to begin than is usual there.</summary>
    /// <param name="toFirstOutput">From the attempt's begin.</param>
    public void Served(string key, Home home, TimeSpan toFirstOutput)
    {
        if (IsSlow(home.Upstream, toFirstOutput)) homes.Remove(key);
        else homes.Put(key, home);
    }

    /// <summary>It failed there: the next request chooses anew.</summary>
    public void Left(string key, string upstream)
    {
        if (homes.TryGet(key, out Home? home) && home.Upstream == upstream) homes.Remove(key);
    }

    /// <summary>Forgets how fast upstreams are that are no more.</summary>
    public void Retain(IReadOnlyCollection<string> upstreams)
    {
        foreach (string name in usual.Keys)
            if (!upstreams.Contains(name)) usual.TryRemove(name, out _);
    }

    private bool IsSlow(string upstream, TimeSpan toFirstOutput)
    {
        double seconds = toFirstOutput.TotalSeconds;
        bool isSlow = false;
        usual.AddOrUpdate(upstream, static (_, first) => new Usual(first, 1), (_, known, now) =>
        {
            isSlow = known.Answers >= FewestAnswers && now > known.Seconds * SlowFactor;
            return new Usual(known.Seconds + (now - known.Seconds) * Math.Max(WeightOfNewest, 1.0 / (known.Answers + 1)), known.Answers + 1);
        }, seconds);
        return isSlow;
    }

    private readonly record struct Usual(double Seconds, int Answers);
}

/// <summary>Where a conversation lives.</summary>
/// <param name="Upstream">The configured name.</param>
/// <param name="Credential">See <see cref="CredentialIdentity"/>.</param>
public sealed record Home(string Upstream, string Credential);
