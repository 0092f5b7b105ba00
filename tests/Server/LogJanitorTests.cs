using Aiproxy.Config;
using Aiproxy.Server;

namespace Aiproxy.Tests.Server;

public sealed class LogJanitorTests : IDisposable
{
    private readonly StepClock _clock = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("aiproxy-janitor-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void CountsPlainAndPackedTogetherAndKeepsTheNewest()
    {
        Put("app_004.log", 1);
        Put("app_003.log", 2);
        Put("app_002.log.gz", 3);
        Put("app_001.log", 4);
        Put("app.log.gz", 5);
        Sweep("app_005.log", backups: 3);
        Assert.Equal(["app_002.log.gz", "app_003.log", "app_004.log"], Files());
    }

    [Fact]
    public void DeletesByAgeOfTheLastLine()
    {
        Put("app_001.log", 24 * 7 + 1);
        Put("app_002.log.gz", 24 * 7 - 1);
        Sweep("app_003.log", days: 7);
        Assert.Equal(["app_002.log.gz"], Files());
    }

    [Fact]
    public void ZeroKeepsAll()
    {
        Put("app_001.log", 24 * 900);
        Put("app_002.log", 24 * 800);
        Sweep("app_003.log");
        Assert.Equal(2, Files().Length);
    }

    [Fact]
    public void TouchesNeitherTheCurrentPartNorStrangers()
    {
        string[] strangers =
        [
            "app_003.log", "app.log.bak", "application.log", "app_1.log", "app_abc.log",
            "app_001.txt", "my_app_001.log", "app_001.log.x.gz", "app_001.log..gz", "app.gz",
        ];
        foreach (string name in strangers)
            Put(name, 24 * 100);
        Sweep("app_003.log", backups: 1, days: 1, compress: true);
        Assert.Equal(strangers.Order(StringComparer.Ordinal), Files());
    }

    [Fact]
    public void Packing_KeepsTheTimeAndRemovesThePlainPart()
    {
        DateTime time = Put("app_001.log", 5);
        Sweep("app_002.log", compress: true);
        Assert.Equal(["app_001.log.gz"], Files());
        Assert.Equal(time, File.GetLastWriteTimeUtc(Path.Combine(_folder, "app_001.log.gz")));
    }

    [Fact]
    public void NumbersBegunAnew_OverwriteNoOlderPart()
    {
        Put("app_001.log.gz", 50, "older");
        Put("app_001.log", 5);
        Sweep("app_002.log", compress: true);
        Assert.Equal(["app_001.log.1.gz", "app_001.log.gz"], Files());
        Assert.Equal("older", File.ReadAllText(Path.Combine(_folder, "app_001.log.gz")));
    }

    [Fact]
    public void CrashLeftovers_AreFinished()
    {
        Put("app_001.log.gz", 5, "whole");
        Put("app_001.log", 5);
        Put("app_002.log.gz.tmp", 4, "half");
        Put("app_002.log", 4);
        Sweep("app_003.log", compress: true);
        Assert.Equal(["app_001.log.gz", "app_002.log.gz"], Files());
    }

    [Fact]
    public void FolderGone_IsNoError() =>
        new LogJanitor(Config(1, 1, true) with { File = "/no/such/folder/app.log" }, _clock).Sweep("/no/such/folder/app.log");

    private LogConfig Config(int backups, int days, bool compress) =>
        new() { File = Path.Combine(_folder, "app.log"), Level = "info", MaxSizeMegabytes = 1, MaxBackups = backups, MaxAgeDays = days, Compress = compress };

    private void Sweep(string current, int backups = 0, int days = 0, bool compress = false) =>
        new LogJanitor(Config(backups, days, compress), _clock).Sweep(Path.Combine(_folder, current));

    private DateTime Put(string name, double hoursOld, string content = "line\n")
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        File.SetLastWriteTimeUtc(path, _clock.GetUtcNow().UtcDateTime.AddHours(-hoursOld));
        return File.GetLastWriteTimeUtc(path);
    }

    private string[] Files() => [.. Directory.GetFiles(_folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
}
