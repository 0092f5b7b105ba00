using Aiproxy.Config;
using Aiproxy.Protocols.Model;
using Aiproxy.Server;

namespace Aiproxy.Tests.Server;

public sealed class KeyLimitsTests
{
    private readonly StepClock _clock = new();
    private readonly KeyLimits _limits;

    public KeyLimitsTests() => _limits = new KeyLimits(_clock);

    [Fact]
    public void RequestsPerMinute_RefusesWithTheWaitAndAdmitsAfterIt()
    {
        ClientKey key = Use(new() { Name = "k", Key = new Secret("sk-fake-k"), RequestsPerMinute = 2 });
        Enter(key).Dispose();
        _clock.Advance(TimeSpan.FromSeconds(20));
        Enter(key).Dispose();
        ProxyError refusal = Refused(key);
        Assert.Equal((ErrorKind.RateLimit, TimeSpan.FromSeconds(40)), (refusal.Kind, refusal.RetryAfter!.Value));
        _clock.Advance(TimeSpan.FromSeconds(39.5));
        Assert.Equal(TimeSpan.FromSeconds(0.5), Refused(key).RetryAfter!.Value);
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        Enter(key).Dispose();
        Refused(key);
    }

    [Fact]
    public void LongPause_ForgetsEverything()
    {
        ClientKey key = Use(new() { Name = "k", Key = new Secret("sk-fake-k"), RequestsPerMinute = 1 });
        Enter(key);
        _clock.Advance(TimeSpan.FromDays(400));
        Enter(key);
        Refused(key);
    }

    [Fact]
    public void TokensPerMinute_CountsWhatTheAnswersUsed()
    {
        ClientKey key = Use(new() { Name = "k", Key = new Secret("sk-fake-k"), TokensPerMinute = 1000 });
        using KeyLimits.Admission one = Enter(key);
        one.CountTokens(900);
        _clock.Advance(TimeSpan.FromSeconds(10));
        using KeyLimits.Admission two = Enter(key);
        two.CountTokens(900);
        Assert.Equal(TimeSpan.FromSeconds(50), Refused(key).RetryAfter!.Value);
        _clock.Advance(TimeSpan.FromSeconds(50));
        Enter(key);
    }

    [Fact]
    public void MaxConcurrent_FreesItsPlaceOnce()
    {
        ClientKey key = Use(new() { Name = "k", Key = new Secret("sk-fake-k"), MaxConcurrent = 2 });
        KeyLimits.Admission one = Enter(key);
        Enter(key);
        Assert.NotNull(Refused(key).RetryAfter);
        one.Dispose();
        one.Dispose();
        Enter(key);
        Refused(key);
    }

    [Fact]
    public void Refused_CountsAsNothing()
    {
        ClientKey key = Use(new() { Name = "k", Key = new Secret("sk-fake-k"), RequestsPerMinute = 1, MaxConcurrent = 1 });
        Enter(key).Dispose();
        for (int i = 0; i < 59; i++)
        {
            Refused(key);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        _clock.Advance(TimeSpan.FromSeconds(1));
        Enter(key);
    }

    [Fact]
    public void Reload_KeepsCountersByTheKeyItself()
    {
        ClientKey key = Use(new() { Name = "old name", Key = new Secret("sk-fake-k"), RequestsPerMinute = 1 });
        using KeyLimits.Admission running = Enter(key);
        ClientKey renamed = Use(new() { Name = "new name", Key = new Secret("sk-fake-k"), RequestsPerMinute = 1 });
        Refused(renamed);
        ClientKey other = Use(new() { Name = "new name", Key = new Secret("sk-fake-other"), RequestsPerMinute = 1 });
        Enter(other);
    }

    [Fact]
    public void RemovedOrAnonymousKey_HasNoLimits()
    {
        ClientKey key = Use(new() { Name = "k", Key = new Secret("sk-fake-k"), MaxConcurrent = 0 });
        var open = new ClientKeys([]);
        _limits.Apply(open);
        Enter(key).CountTokens(5);
        Enter(open.Anonymous);
    }

    private ClientKey Use(ClientKeyConfig config)
    {
        var keys = new ClientKeys([config]);
        _limits.Apply(keys);
        return keys.All[0];
    }

    private KeyLimits.Admission Enter(ClientKey key)
    {
        Assert.True(_limits.TryEnter(key, out KeyLimits.Admission? admission, out ProxyError? refusal), refusal?.Message);
        return admission;
    }

    private ProxyError Refused(ClientKey key)
    {
        Assert.False(_limits.TryEnter(key, out _, out ProxyError? refusal));
        return refusal;
    }
}
