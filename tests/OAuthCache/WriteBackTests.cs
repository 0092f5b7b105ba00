using System.Runtime.Versioning;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

[UnsupportedOSPlatform("windows")]
public sealed class WriteBackTests : IDisposable
{
    private readonly OAuthRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Written_BeforeItIsUsed_LeavesTheFolderTidy()
    {
        SignIn signIn = _rig.With(FileSteps.System).Open(nameof(Sample.ClaudeOfficial));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        Assert.Equal(["ClaudeOfficial.json", "ClaudeOfficial.json.lock"], Files());
        Assert.Equal(0, new FileInfo(signIn.Path + ".lock").Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(signIn.Path + ".lock"));
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(UnixFileMode.UserRead)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead)]
    public async Task Mode_IsKept(UnixFileMode mode)
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        File.SetUnixFileMode(signIn.Path, mode);
        _rig.Expire();
        await _rig.GetAsync(signIn);
        Assert.Equal(mode, File.GetUnixFileMode(signIn.Path));
        Assert.Equal((mode & UnixFileMode.GroupRead) != 0 ? 1 : 0, _rig.Events.Count(e => e.Message.Contains("other accounts")));
    }

    [Fact]
    public async Task NewFile_IsNeverReadableByOthers()
    {
        UnixFileMode? seen = null;
        _rig.With(FileSteps.System with
        {
            Flush = stream => seen = File.GetUnixFileMode(((FileStream)stream).Name),
        });
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        File.SetUnixFileMode(signIn.Path, (UnixFileMode)0b110_100_100);
        _rig.Expire();
        await _rig.GetAsync(signIn);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, seen);
    }

    [Fact]
    public async Task Link_StaysALink_AlsoThroughAFolder()
    {
        Directory.CreateDirectory(_rig.At("real"));
        File.WriteAllText(_rig.At("real/a.json"), Sample.ClaudeFlat);
        Directory.CreateSymbolicLink(_rig.At("via"), _rig.At("real"));
        File.CreateSymbolicLink(_rig.At("one.json"), "two.json");
        File.CreateSymbolicLink(_rig.At("two.json"), "via/a.json");
        SignIn signIn = _rig.Cache.Open(_rig.Options("claudecode", _rig.At("one.json")));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        Assert.Equal(("two.json", "via/a.json"), (new FileInfo(_rig.At("one.json")).LinkTarget, new FileInfo(_rig.At("two.json")).LinkTarget));
        Assert.Null(new FileInfo(_rig.At("real/a.json")).LinkTarget);
        Assert.Contains("at-fake-1", File.ReadAllText(_rig.At("real/a.json")));
        Assert.True(File.Exists(_rig.At("real/a.json.lock")));
    }

    [Fact]
    public async Task LinkSwappedWhileRunning_TheNewTargetIsReadAndWritten()
    {
        File.CreateSymbolicLink(_rig.At("link.json"), _rig.Write("a.json", Sample.ClaudeFlat));
        SignIn signIn = _rig.Cache.Open(_rig.Options("claudecode", _rig.At("link.json")));
        await _rig.GetAsync(signIn);
        _rig.Endpoint.RefreshToken = "rt-fake-b";
        File.Delete(_rig.At("link.json"));
        File.CreateSymbolicLink(_rig.At("link.json"), _rig.Write("b.json", Sample.ClaudeFlat.Replace(Sample.Refresh, "rt-fake-b")));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        Assert.Equal(Sample.ClaudeFlat, File.ReadAllText(_rig.At("a.json")));
        Assert.Contains("at-fake-1", File.ReadAllText(_rig.At("b.json")));
    }

    [Fact]
    public async Task WriteBackOff_WritesNothing_NotEvenALock_AndWarnsOfTheCost()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat), options => options with { WriteBack = false });
        Assert.Single(_rig.Events, e => e.Kind == SignInEventKind.Warning && e.Message.Contains("auth_write_back"));
        DateTime time = File.GetLastWriteTimeUtc(signIn.Path);
        for (int i = 1; i <= 3; i++)
        {
            _rig.Expire();
            Assert.Equal($"at-fake-{i}", (await _rig.GetAsync(signIn)).AccessToken);
        }

        await _rig.Cache.DisposeAsync();
        Assert.Equal(["ClaudeFlat.json"], Files());
        Assert.Equal((Sample.ClaudeFlat, time), (File.ReadAllText(signIn.Path), File.GetLastWriteTimeUtc(signIn.Path)));
        Assert.False(signIn.Status.IsNotSaved);
    }

    [Fact]
    public void WriteBackOff_OfATypeThatDoesNotRotate_NeedsNoWarning()
    {
        _rig.Open(nameof(Sample.GeminiNested), options => options with { WriteBack = false });
        Assert.Empty(_rig.Events);
    }

    [Theory]
    [InlineData("create")]
    [InlineData("write")]
    [InlineData("flush")]
    [InlineData("rights")]
    [InlineData("replace")]
    [InlineData("read-only")]
    [InlineData("full")]
    public async Task AnyStepFails_FileIsWhole_ServingGoesOn_AndItIsSavedLater(string step)
    {
        var faults = new Faults { Step = step };
        _rig.With(faults.Steps);
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeOfficial));
        _rig.Expire();
        Assert.Equal("at-fake-1", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(Sample.ClaudeOfficial, File.ReadAllText(signIn.Path));
        Assert.DoesNotContain(Files(), file => file.EndsWith(".tmp"));
        Assert.True(signIn.Status.IsNotSaved);
        Assert.Contains(signIn.Path, Assert.Single(_rig.Events, e => e.Kind == SignInEventKind.NotSaved).Message);

        // The next refresh goes from memory, not from the old token of the file.
        _rig.Clock.Advance(TimeSpan.FromSeconds(30));
        await signIn.WhenQuiet();
        Assert.Equal(1, _rig.Count(SignInEventKind.NotSaved));
        _rig.Clock.Advance(TimeSpan.FromSeconds(40));
        await signIn.WhenQuiet();
        Assert.Equal(2, _rig.Count(SignInEventKind.NotSaved));
        _rig.Expire();
        Assert.Equal("at-fake-2", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(0, _rig.Endpoint.Reuses);

        faults.Step = null;
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        await signIn.WhenQuiet();
        Assert.False(signIn.Status.IsNotSaved);
        Assert.Equal(1, _rig.Count(SignInEventKind.Saved));
        AuthFile written = AuthFileReader.Read("claudecode", File.ReadAllBytes(signIn.Path)).File!;
        Assert.Equal(("at-fake-2", _rig.Endpoint.RefreshToken), (written.AccessToken, written.RefreshToken));
    }

    [Fact]
    public async Task NotSaved_AndSwitchedOff_IsSavedAllTheSame()
    {
        var faults = new Faults { Step = "replace" };
        _rig.With(faults.Steps);
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        signIn.Disable("verify the account", null);
        faults.Step = null;
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Contains("at-fake-1", File.ReadAllText(signIn.Path));
        Assert.Equal(SignInState.Disabled, signIn.Status.State);
    }

    [Fact]
    public async Task NotSaved_IsTriedOnceMoreAtTheStop()
    {
        var faults = new Faults { Step = "replace" };
        _rig.With(faults.Steps);
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        faults.Step = null;
        await _rig.Cache.DisposeAsync();
        Assert.Contains("at-fake-1", File.ReadAllText(signIn.Path));
    }

    [Fact]
    public async Task NotSaved_NextRefreshDidNotRotate_TheRotatedTokenIsStillWritten()
    {
        var faults = new Faults { Step = "replace" };
        _rig.With(faults.Steps);
        SignIn signIn = _rig.Open(nameof(Sample.KiroSocial));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        _rig.Endpoint.Rotates = false;
        _rig.Clock.Advance(TimeSpan.FromHours(1));
        await _rig.GetAsync(signIn);
        faults.Step = null;
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        AuthFile written = AuthFileReader.Read("kiro", File.ReadAllBytes(signIn.Path)).File!;
        Assert.Equal(("at-fake-2", "rt-fake-1"), (written.AccessToken, written.RefreshToken));
    }

    [Fact]
    public async Task NotSaved_AndSignedInAnewMeanwhile_TheNewSignInWins()
    {
        var faults = new Faults { Step = "replace" };
        _rig.With(faults.Steps);
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        faults.Step = null;
        string mended = Sample.ClaudeFlat.Replace(Sample.Access, "at-fake-anew").Replace(Sample.Refresh, "rt-fake-anew").Replace("T01:00:00Z", "T09:00:00Z");
        File.WriteAllText(signIn.Path, mended);
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        await signIn.WhenQuiet();
        Assert.Equal(mended, File.ReadAllText(signIn.Path));
        Assert.Equal("at-fake-anew", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.False(signIn.Status.IsNotSaved);
    }

    [Fact]
    public async Task NotSaved_AndOtherMembersEditedMeanwhile_BothAreKept()
    {
        var faults = new Faults { Step = "replace" };
        _rig.With(faults.Steps);
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeOfficial));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        faults.Step = null;
        File.WriteAllText(signIn.Path, Sample.ClaudeOfficial.Replace("other-fake", "edited-fake"));
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        await signIn.WhenQuiet();
        string text = File.ReadAllText(signIn.Path);
        Assert.Contains("edited-fake", text);
        Assert.Contains("at-fake-1", text);
    }

    [Fact]
    public async Task SignedInAnewDuringTheRefresh_IsNotOverwritten()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        string anew = Sample.ClaudeFlat.Replace(Sample.Access, "at-fake-anew").Replace(Sample.Refresh, "rt-fake-anew").Replace("T01:00:00Z", "T09:00:00Z");
        _rig.Endpoint.Does(_ =>
        {
            File.WriteAllText(signIn.Path, anew);
            return Task.FromResult(FakeTokenEndpoint.Make(200, """{"access_token":"at-fake-x","refresh_token":"rt-fake-x"}"""));
        });
        Assert.Equal("at-fake-anew", (await _rig.GetAsync(signIn)).AccessToken);
        Assert.Equal(anew, File.ReadAllText(signIn.Path));
    }

    [Fact]
    public async Task FileDeletedDuringTheRefresh_IsNotMadeAgain()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        _rig.Endpoint.Does(_ =>
        {
            File.Delete(signIn.Path);
            return Task.FromResult(FakeTokenEndpoint.Make(200, """{"access_token":"at-fake-x","refresh_token":"rt-fake-x"}"""));
        });
        SignInAnswer answer = await _rig.PumpAsync(signIn.GetAsync(CancellationToken.None).AsTask());
        Assert.Equal("at-fake-x", answer.Credential!.AccessToken);
        Assert.False(File.Exists(signIn.Path));
        Assert.True(signIn.Status.IsNotSaved);
    }

    [Fact]
    public async Task LeftoverOfADeadProcess_IsRemoved_OtherFilesAreNot()
    {
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Write("ClaudeFlat.json.0123456789abcdef.tmp", "x");
        _rig.Write("ClaudeFlat.json.mine.tmp", "x");
        _rig.Write("Other.json.0123456789abcdef.tmp", "x");
        _rig.Expire();
        await _rig.GetAsync(signIn);
        Assert.Equal(["ClaudeFlat.json", "ClaudeFlat.json.lock", "ClaudeFlat.json.mine.tmp", "Other.json.0123456789abcdef.tmp"], Files());
    }

    [Fact]
    public async Task KilledBetweenAnswerAndWrite_IsLostButNotBroken()
    {
        // The process ends where the write would begin: nothing after it happens, not even the tidying.
        _rig.With(FileSteps.System with { Create = _ => throw new IOException("killed"), Delete = _ => { } });
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeFlat));
        _rig.Expire();
        await _rig.GetAsync(signIn);
        Assert.Equal(Sample.ClaudeFlat, File.ReadAllText(signIn.Path));
        SignIn next = _rig.NewCache().Open(_rig.Options("claudecode", signIn.Path));
        Assert.Equal(SignInFailureKind.Dead, (await _rig.FailAsync(next)).Kind);
    }

    [Fact]
    public async Task ThousandExpiries_WithSingleUseTokens_NeverLoseTheSignIn()
    {
        var random = new Random(7);
        SignIn signIn = _rig.Open(nameof(Sample.ClaudeOfficial));
        await _rig.GetAsync(signIn);
        for (int i = 1; i <= 1000; i++)
        {
            // By turns: on demand, ahead in the background, after a 401, after a restart.
            switch (i % 4)
            {
                case 0:
                    _rig.Cache.KeepOnly([]);
                    _rig.Clock.Advance(TimeSpan.FromHours(1));
                    _rig.Cache.Open(_rig.Options("claudecode", signIn.Path));
                    break;
                case 1:
                    _rig.Jitter = random.NextDouble();
                    _rig.Clock.AdvanceTo(signIn.Status.ExpiresAt!.Value - TimeSpan.FromMinutes(10));
                    break;
                case 2:
                    _rig.Clock.Advance(TimeSpan.FromSeconds(61));
                    await signIn.RefusedAsync((await _rig.GetAsync(signIn)).Generation, CancellationToken.None);
                    break;
                default:
                    await _rig.Cache.DisposeAsync();
                    signIn = _rig.With(OAuthRig.Quick).Cache.Open(_rig.Options("claudecode", signIn.Path));
                    _rig.Clock.Advance(TimeSpan.FromHours(1));
                    break;
            }

            await _rig.GetAsync(signIn);
            await signIn.WhenQuiet();
            Assert.Equal($"at-fake-{i}", (await _rig.GetAsync(signIn)).AccessToken);
        }

        Assert.Equal((1000, 0), (_rig.Endpoint.Calls, _rig.Endpoint.Reuses));
        Assert.Contains("\"a\\/b\": {\"accessToken\": \"other-fake\"}", File.ReadAllText(signIn.Path));
    }

    private string[] Files() => [.. Directory.GetFiles(_rig.Folder).Select(file => System.IO.Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    /// <summary>File operations of which one fails as long as it is named.</summary>
    private sealed class Faults
    {
        public string? Step { get; set; }

        public FileSteps Steps => FileSteps.System with
        {
            Create = path =>
            {
                if (Step == "create") throw new IOException("No space left on device");
                if (Step == "read-only") throw new UnauthorizedAccessException("Read-only file system");
                Stream stream = FileSteps.System.Create(path);
                return Step is "write" or "full" ? new FullDisk(stream, Step == "full" ? 0 : 40) : stream;
            },
            Flush = stream => Do("flush", () => FileSteps.System.Flush(stream)),
            KeepRights = (from, to) =>
            {
                Do("rights", () => { });
                return FileSteps.System.KeepRights(from, to);
            },
            Replace = (from, to) => Do("replace", () => FileSteps.System.Replace(from, to)),
            TryLock = path => Step == "read-only" && !path.Contains("locks") ? throw new UnauthorizedAccessException() : FileSteps.System.TryLock(path),
        };

        private void Do(string name, Action work)
        {
            if (Step == name) throw new IOException("fault");
            work();
        }
    }

    private sealed class FullDisk(Stream inner, int room) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            inner.Write(buffer[..Math.Min(room, buffer.Length)]);
            throw new IOException("No space left on device");
        }

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
