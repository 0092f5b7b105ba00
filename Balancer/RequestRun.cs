using System.Globalization;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Balancer;

/// <summary>How far one request has come. Not thread-safe.</summary>
public sealed class RequestRun(Exchange exchange)
{
    private readonly List<(CircuitBreaker Circuit, CircuitPass Pass, Outcome Outcome)> _doubtful = [];
    private RawAnswer? _raw;
    private Outcome? _rawOutcome;
    private int _failed;
    private bool _accepted;
    private bool _final;

    public Exchange Exchange => exchange;

    /// <summary>See <see cref="ConversationKey"/>; null: none, or nothing to choose from.</summary>
    public string? Conversation { get; set; }

    public FailureRank Failures { get; } = new();

    /// <summary>Somebody serves the model, able to take the request or not.</summary>
    public bool IsServed { get; set; }

    /// <summary>The client was answered or left, or a rule said to answer now: no further attempt.</summary>
    public bool IsOver => _final || exchange.Answer.HasBegun || exchange.Answer.Gone.IsCancellationRequested
        || (exchange.TotalDeadline != long.MaxValue && exchange.Clock.GetTimestamp() >= exchange.TotalDeadline);

    /// <summary>Books an attempt.</summary>
    /// <param name="availableAt">When this upstream may take the request again, where that is known beside what the outcome says.</param>
    public void Note(Attempt attempt, string upstream, DateTimeOffset? availableAt = null)
    {
        if (attempt.Outcome.Kind == OutcomeKind.Success) _accepted = true;
        if (attempt.Outcome.IsFinal) _final = true;
        if (attempt.Outcome.Error is null) return;
        _failed++;
        Failures.Add(attempt.Outcome, upstream, availableAt);
        if (!ReferenceEquals(Failures.Best, attempt.Outcome)) return;
        _raw = attempt.Raw;
        _rawOutcome = attempt.Outcome;
    }

    /// <summary>A refusal that may be the upstream's own fault: known when the request is through.</summary>
    public void Doubt(CircuitBreaker circuit, CircuitPass pass, Outcome outcome) => _doubtful.Add((circuit, pass, outcome));

    /// <summary>Books the doubtful ones. Once, at the end.</summary>
    public void SettleDoubtful()
    {
        foreach ((CircuitBreaker circuit, CircuitPass pass, Outcome outcome) in _doubtful) Settlement.OfVisit(circuit, pass, outcome, _accepted);
    }

    /// <summary>The upstream's own answer that goes with the failure that is told; null: an envelope of ours does.</summary>
    public RawAnswer? RawFor(ProxyError told)
    {
        if (_raw is null || !Failures.TellsBest || !ReferenceEquals(Failures.Best, _rawOutcome)) return null;
        // Another upstream may be free sooner than this one says.
        bool isSooner = _failed > 1 && told.RetryAfter is { } wait && !(_rawOutcome!.Error?.RetryAfter <= wait);
        var headers = new List<KeyValuePair<string, string>>(_raw.Headers);
        if (isSooner) headers.RemoveAll(header => IsRetryHint(header.Key));
        foreach (KeyValuePair<string, string> ours in ErrorHeaders.Of(told))
            if (!headers.Exists(header => header.Key.Equals(ours.Key, StringComparison.OrdinalIgnoreCase))) headers.Add(ours);
        return _raw with { Headers = headers };
    }

    /// <summary>Sets the telling headers as they stand now.</summary>
    public void TellRoute()
    {
        exchange.Answer.RouteHeaders =
        [
            new("x-aiproxy-upstream", HeaderText(exchange.UpstreamName ?? "")),
            new("x-aiproxy-attempts", exchange.Attempts.ToString(CultureInfo.InvariantCulture)),
        ];
    }

    private static bool IsRetryHint(string name) =>
        name.StartsWith("retry-after", StringComparison.OrdinalIgnoreCase) || name.Equals("x-should-retry", StringComparison.OrdinalIgnoreCase);

    // Names may be of any script, headers may not.
    private static string HeaderText(string name)
    {
        foreach (char c in name)
            if (c is < ' ' or > '~') return Uri.EscapeDataString(name);
        return name;
    }
}
