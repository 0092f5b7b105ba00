using Aiproxy.OAuthCache;
using Aiproxy.Tests.Config;

namespace Aiproxy.Tests.OAuthCache;

/// <summary>A folder with auth files, a clock, a token endpoint and a cache that does its work at once, on the thread that asks for it.</summary>
public sealed class OAuthRig : IDisposable
{
    /// <summary>Without waiting for the disk: thousands of writes are made here, and no power cut can be tested.</summary>
    public static readonly FileSteps Quick = FileSteps.System with { Flush = _ => { } };

    private readonly TempFolder _folder = new();
    private readonly List<SignInEvent> _events = [];

    public OAuthRig()
    {
        Client = new HttpMessageInvoker(Endpoint);
        Cache = NewCache();
    }

    public FakeClock Clock { get; } = new();

    public FakeTokenEndpoint Endpoint { get; } = new();

    public double Jitter { get; set; }

    public HttpMessageInvoker Client { get; }

    public TokenCache Cache { get; private set; }

    public string Folder => _folder.Path;

    public IReadOnlyList<SignInEvent> Events
    {
        get
        {
            lock (_events) return [.. _events];
        }
    }

    public int Count(SignInEventKind kind) => Events.Count(e => e.Kind == kind);

    /// <summary>Stands for another process, or for the next start of this one.</summary>
    public TokenCache NewCache(FileSteps? steps = null, bool isThreaded = false) => new(Clock, Keep)
    {
        Jitter = () => Jitter,
        Steps = steps ?? Quick,
        Run = isThreaded ? Task.Run : work => work(),
    };

    /// <summary>From here on with other file operations.</summary>
    public OAuthRig With(FileSteps steps)
    {
        Cache = NewCache(steps);
        return this;
    }

    public string Write(string name, string text) => _folder.Write(name, text);

    public string At(string name) => _folder.At(name);

    public SignInOptions Options(string type, string path) => new() { Type = type, Path = path, Client = Client, DataFolder = At("data") };

    /// <summary>A sample in a file of its own.</summary>
    public SignIn Open(string sample, Func<SignInOptions, SignInOptions>? change = null)
    {
        (string name, string type, string text) = Sample.Of(sample);
        string path = At(name + ".json");
        if (!File.Exists(path)) Write(name + ".json", text);
        SignInOptions options = Options(type, path);
        return Cache.Open(change?.Invoke(options) ?? options);
    }

    public async Task<Credential> GetAsync(SignIn signIn)
    {
        SignInAnswer answer = await signIn.GetAsync(CancellationToken.None);
        Assert.True(answer.Credential is not null, answer.Failure?.Message);
        return answer.Credential;
    }

    public async Task<SignInFailure> FailAsync(SignIn signIn)
    {
        SignInAnswer answer = await signIn.GetAsync(CancellationToken.None);
        Assert.Null(answer.Credential);
        return answer.Failure!;
    }

    /// <summary>Moves the clock in steps until the work is done.</summary>
    public async Task<T> PumpAsync<T>(Task<T> work, TimeSpan? step = null)
    {
        while (!work.IsCompleted)
        {
            Clock.Advance(step ?? TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        return await work;
    }

    public void Expire() => Clock.AdvanceTo(Clock.Now < Sample.Expiry ? Sample.Expiry : Clock.Now + TimeSpan.FromHours(1));

    public void Dispose() => _folder.Dispose();

    private void Keep(SignInEvent e)
    {
        lock (_events) _events.Add(e);
    }
}
