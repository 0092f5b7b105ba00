using System.Diagnostics.CodeAnalysis;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Server;

/// <summary>Counts what each client key uses against its limits. Lives as long as the process.</summary>
/// <remarks>Counters are found again after a reload by the key itself, whatever its name is then.
/// Tokens are known only after an answer, so a key may pass its token limit by what it has in flight; then it waits until enough has
/// left the window of one minute.</remarks>
public sealed class KeyLimits(TimeProvider clock)
{
    private static readonly TimeSpan BusyRetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Dictionary<string, State> _states = [];

    /// <summary>Takes new keys into use; counters of keys that are gone are dropped, so memory stays bounded by the configuration.</summary>
    public void Apply(ClientKeys keys)
    {
        lock (_gate)
        {
            var kept = new Dictionary<string, State>();
            foreach (ClientKey key in keys.All)
            {
                string identity = Identity(key);
                kept[identity] = _states.GetValueOrDefault(identity) ?? new State(clock);
            }

            _states = kept;
        }
    }

    /// <summary>Admits a request, or says why not: <see cref="ErrorKind.RateLimit"/> with the wait. The admission is disposed when the request ends.</summary>
    public bool TryEnter(ClientKey key, [NotNullWhen(true)] out Admission? admission, [NotNullWhen(false)] out ProxyError? refusal)
    {
        admission = null;
        refusal = null;
        lock (_gate)
        {
            if (!_states.TryGetValue(Identity(key), out State? state))
            {
                // The anonymous key, or one that a reload removed while its last request came in: no limits to keep.
                admission = new Admission(this, null);
                return true;
            }

            refusal = state.Refusal(key);
            if (refusal is not null)
                return false;
            state.Requests.Add(1);
            state.Running++;
            admission = new Admission(this, state);
            return true;
        }
    }

    private static string Identity(ClientKey key) => Convert.ToHexString(key.Digest);

    private sealed class State(TimeProvider clock)
    {
        public MinuteWindow Requests { get; } = new(clock);

        public MinuteWindow Tokens { get; } = new(clock);

        public int Running { get; set; }

        public ProxyError? Refusal(ClientKey key)
        {
            if (key.MaxConcurrent is { } concurrent && Running >= concurrent)
                return Limited($"this key may run {concurrent} requests at once", BusyRetryAfter);
            if (key.RequestsPerMinute is { } requests && Requests.WaitUntilBelow(requests) is { Ticks: > 0 } requestWait)
                return Limited($"this key may send {requests} requests a minute", requestWait);
            if (key.TokensPerMinute is { } tokens && Tokens.WaitUntilBelow(tokens) is { Ticks: > 0 } tokenWait)
                return Limited($"this key may use {tokens} tokens a minute", tokenWait);
            return null;
        }

        private static ProxyError Limited(string message, TimeSpan wait) => new(ErrorKind.RateLimit, message) { RetryAfter = wait };
    }

    /// <summary>One admitted request. Disposing it a second time does nothing.</summary>
    public sealed class Admission : IDisposable
    {
        private readonly KeyLimits _limits;
        private object? _state;

        internal Admission(KeyLimits limits, object? state)
        {
            _limits = limits;
            _state = state;
        }

        /// <summary>Counts tokens, in and out, when they are known. Before disposing.</summary>
        public void CountTokens(long tokens)
        {
            lock (_limits._gate)
                (_state as State)?.Tokens.Add(tokens);
        }

        public void Dispose()
        {
            lock (_limits._gate)
            {
                if (_state is State state)
                    state.Running--;
                _state = null;
            }
        }
    }
}
