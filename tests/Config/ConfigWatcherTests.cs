using System.Threading.Channels;
using Aiproxy.Config;

namespace Aiproxy.Tests.Config;

public sealed class ConfigWatcherTests : IAsyncDisposable
{
    private const string First = "upstreams: [{name: first, api_type: echo}]\n";
    private const string Second = "upstreams: [{name: second, api_type: echo}]\n";

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);

    private readonly TempFolder _folder = new();
    private readonly ManualClock _clock = new();
    private readonly Channel<ConfigResult> _results = Channel.CreateUnbounded<ConfigResult>();
    private readonly List<IReadOnlyList<string>> _hinted = [];
    private Action _hint = () => { };
    private int _hintsOpen;
    private Func<ConfigResult, ValueTask>? _onChange;
    private ConfigWatcher? _watcher;

    private string Config => _folder.At("config.yaml");

    public async ValueTask DisposeAsync()
    {
        if (_watcher is not null) await _watcher.DisposeAsync();
        Assert.Equal(0, _hintsOpen);
        _folder.Dispose();
    }

    /// <summary>Watches <see cref="Config"/> and waits until the watcher sleeps.</summary>
    private async Task StartAsync(ConfigResult? first = null)
    {
        ConfigReader reader = Sample.Reader();
        _onChange ??= result => _results.Writer.WriteAsync(result);
        _watcher = new ConfigWatcher(reader, Config, first ?? reader.Read(Config), result => _onChange(result), _clock, Poll, Debounce, WatchHints);
        Assert.Equal(Poll, await _clock.NextSleep());
    }

    private IDisposable WatchHints(IReadOnlyList<string> files, Action hint)
    {
        _hinted.Add(files);
        _hint = hint;
        Interlocked.Increment(ref _hintsOpen);
        return new Ending(() => Interlocked.Decrement(ref _hintsOpen));
    }

    /// <summary>Lets the sleep end and waits for the next one.</summary>
    private async Task<TimeSpan> SleepOver(TimeSpan time)
    {
        _clock.Advance(time);
        return await _clock.NextSleep();
    }

    private async Task<TimeSpan> Hint()
    {
        _hint();
        return await _clock.NextSleep();
    }

    private async Task<ConfigResult> NextResult() => await _results.Reader.ReadAsync().AsTask().WaitAsync(Guard);

    private async Task<string> NextName() => Sample.Good(await NextResult()).Upstreams[0].Name;

    private void AssertNoResult() => Assert.False(_results.Reader.TryRead(out _));

    [Fact]
    public async Task Change_IsSeenByThePollAlone()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        _folder.Write("config.yaml", Second);
        Assert.Equal(Debounce, await SleepOver(Poll));
        AssertNoResult();
        Assert.Equal(Poll, await SleepOver(Debounce));
        Assert.Equal("second", await NextName());
        Assert.Equal(Poll, await SleepOver(Poll));
        AssertNoResult();
    }

    [Fact]
    public async Task Change_IsSeenByAHintSooner()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        _folder.Write("config.yaml", Second);
        Assert.Equal(Debounce, await Hint());
        Assert.Equal(Poll, await SleepOver(Debounce));
        Assert.Equal("second", await NextName());
    }

    [Fact]
    public async Task SameContent_CausesNothing_AndHintsAreNotFollowedFasterThanTheDebounce()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        _folder.Write("config.yaml", First);
        File.SetLastWriteTimeUtc(Config, DateTime.UnixEpoch);
        Assert.Equal(Debounce, await Hint());
        Assert.Equal(Poll, await SleepOver(Debounce));
        AssertNoResult();
    }

    [Fact]
    public async Task ChangeTakenBack_CausesNothing()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        _folder.Write("config.yaml", Second);
        Assert.Equal(Debounce, await Hint());
        _folder.Write("config.yaml", First);
        Assert.Equal(Poll, await SleepOver(Debounce));
        AssertNoResult();
    }

    [Fact]
    public async Task WritingWithoutEnd_IsReadAfterHalfASecond()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        _folder.Write("config.yaml", Second);
        await Hint();
        for (int i = 0; i < 4; i++)
        {
            _folder.Write("config.yaml", Second + $"# {i}\n");
            _hint();
            Assert.Equal(Debounce, await SleepOver(Debounce));
            AssertNoResult();
        }
        _folder.Write("config.yaml", Second + "# 5\n");
        _hint();
        _clock.Advance(Debounce);
        Assert.Equal("second", await NextName());
    }

    [Fact]
    public async Task BadContent_IsToldToo_AndGoodContentAfterIt()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        _folder.Write("config.yaml", "upstreams: [");
        await Hint();
        await SleepOver(Debounce);
        Assert.Single((await NextResult()).Errors);
        _folder.Write("config.yaml", First);
        await Hint();
        await SleepOver(Debounce);
        Assert.Equal("first", await NextName());
    }

    [Fact]
    public async Task FileSwappedByRename_IsSeen()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        File.Move(_folder.Write("config.yaml.tmp", Second), Config, overwrite: true);
        await SleepOver(Poll);
        await SleepOver(Debounce);
        Assert.Equal("second", await NextName());
    }

    [Fact]
    public async Task LinkSwapped_AsKubernetesDoes_IsSeen()
    {
        Directory.CreateDirectory(_folder.At("..1"));
        Directory.CreateDirectory(_folder.At("..2"));
        _folder.Write("..1/config.yaml", First);
        _folder.Write("..2/config.yaml", Second);
        Directory.CreateSymbolicLink(_folder.At("..data"), "..1");
        File.CreateSymbolicLink(Config, Path.Combine("..data", "config.yaml"));
        await StartAsync();
        Directory.Delete(_folder.At("..data"));
        Directory.CreateSymbolicLink(_folder.At("..data"), "..2");
        await SleepOver(Poll);
        await SleepOver(Debounce);
        Assert.Equal("second", await NextName());
        Assert.Equal([Config], _hinted[^1]);
    }

    [Fact]
    public async Task FileCutThenWritten_IsReadOnce_WhenItIsWhole()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        _folder.Write("config.yaml", "");
        await Hint();
        Assert.Equal(Debounce, await SleepOver(Debounce));
        _folder.Write("config.yaml", Second[..20]);
        _hint();
        Assert.Equal(Debounce, await SleepOver(Debounce));
        _folder.Write("config.yaml", Second);
        _hint();
        Assert.Equal(Debounce, await SleepOver(Debounce));
        Assert.Equal(Poll, await SleepOver(Debounce));
        Assert.Equal("second", await NextName());
        AssertNoResult();
    }

    [Fact]
    public async Task FileGoneForAMoment_CausesNothing()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        File.Delete(Config);
        await Hint();
        for (int i = 0; i < 10; i++) Assert.Equal(Debounce, await SleepOver(Debounce));
        _folder.Write("config.yaml", First);
        Assert.Equal(Poll, await SleepOver(Debounce));
        AssertNoResult();
    }

    [Fact]
    public async Task FileGoneForGood_IsTold_AndItsReturnToo()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        File.Delete(Config);
        await Hint();
        for (int i = 0; i < 19; i++) Assert.Equal(Debounce, await SleepOver(Debounce));
        Assert.Equal(Poll, await SleepOver(Debounce));
        Assert.Contains("there is no such file", Assert.Single((await NextResult()).Errors).Message);
        Assert.Equal(Poll, await SleepOver(Poll));
        AssertNoResult();

        _folder.Write("config.yaml", First);
        await SleepOver(Poll);
        await SleepOver(Debounce);
        Assert.Equal("first", await NextName());
    }

    [Fact]
    public async Task NamedFile_IsWatched_AlsoOneThatABadConfigurationNames()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        _folder.Write("config.yaml", First + "admin_key: ${file:key.txt}");
        await Hint();
        await SleepOver(Debounce);
        Assert.Single((await NextResult()).Errors);
        Assert.Equal([Config, _folder.At("key.txt")], _hinted[^1]);

        _folder.Write("key.txt", "sk-fake-1");
        await SleepOver(Poll);
        await SleepOver(Debounce);
        Assert.Equal("sk-fake-1", Sample.Good(await NextResult()).AdminKey!.Reveal());

        _folder.Write("key.txt", "sk-fake-2");
        await SleepOver(Poll);
        await SleepOver(Debounce);
        Assert.Equal("sk-fake-2", Sample.Good(await NextResult()).AdminKey!.Reveal());
    }

    [Fact]
    public async Task ChangeBetweenTheFirstReadingAndTheWatching_IsSeen()
    {
        _folder.Write("config.yaml", First);
        ConfigResult first = Sample.Reader().Read(Config);
        _folder.Write("config.yaml", Second);
        await StartAsync(first);
        await SleepOver(Poll);
        await SleepOver(Debounce);
        Assert.Equal("second", await NextName());
    }

    [Fact]
    public async Task ReloadNow_ReadsWithoutAChange()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        await _watcher!.ReloadNow();
        Assert.Equal("first", await NextName());
    }

    [Fact]
    public async Task ReloadNow_InTheMiddleOfSettling_LeavesNothingToTell()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        _folder.Write("config.yaml", Second);
        await Hint();
        await _watcher!.ReloadNow();
        Assert.Equal("second", await NextName());
        Assert.Equal(Poll, await SleepOver(Debounce));
        AssertNoResult();
    }

    [Fact]
    public async Task Results_ComeOneAtATime_InOrder()
    {
        _folder.Write("config.yaml", First);
        var entered = new SemaphoreSlim(0);
        var release = new SemaphoreSlim(0);
        int running = 0;
        _onChange = async result =>
        {
            Assert.Equal(1, Interlocked.Increment(ref running));
            entered.Release();
            await release.WaitAsync();
            Interlocked.Decrement(ref running);
            _results.Writer.TryWrite(result);
        };
        await StartAsync();
        Task one = _watcher!.ReloadNow().AsTask();
        Assert.True(await entered.WaitAsync(Guard));
        _folder.Write("config.yaml", Second);
        Task two = _watcher.ReloadNow().AsTask();
        Assert.False(one.IsCompleted || two.IsCompleted);
        release.Release(2);
        await Task.WhenAll(one, two).WaitAsync(Guard);
        Assert.Equal(("first", "second"), (await NextName(), await NextName()));
    }

    [Fact]
    public async Task CallbackThatThrows_DoesNotEndTheWatching()
    {
        _folder.Write("config.yaml", First);
        bool isBroken = true;
        _onChange = result => isBroken ? throw new InvalidOperationException() : _results.Writer.WriteAsync(result);
        await StartAsync();
        _folder.Write("config.yaml", Second);
        await Hint();
        Assert.Equal(Poll, await SleepOver(Debounce));
        isBroken = false;
        _folder.Write("config.yaml", First);
        await SleepOver(Poll);
        await SleepOver(Debounce);
        Assert.Equal("first", await NextName());
    }

    [Fact]
    public async Task AfterDispose_NothingIsRead()
    {
        _folder.Write("config.yaml", First);
        await StartAsync();
        await _watcher!.DisposeAsync();
        Assert.Equal(0, _hintsOpen);
        await _watcher.ReloadNow();
        AssertNoResult();
        _watcher = null;
    }

    [Fact]
    public async Task Notifications_OfTheSystem_GiveHints()
    {
        _folder.Write("config.yaml", First);
        Assert.SkipUnless(CanWatch(_folder.Path), "the system has no notification left");
        var hinted = new SemaphoreSlim(0);
        using IDisposable hints = FolderHints.Watch([Config, "/no/such/folder/file"], () => hinted.Release());
        _folder.Write("config.yaml", Second);
        Assert.True(await hinted.WaitAsync(Guard));
    }

    private static bool CanWatch(string folder)
    {
        try
        {
            using var watcher = new FileSystemWatcher(folder) { EnableRaisingEvents = true };
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
