using System.IO.Compression;
using Aiproxy.Config;
using Aiproxy.Server;
using Microsoft.Extensions.Logging;
using Serilog.Events;

namespace Aiproxy.Tests.Server;

public sealed class LogFileTests : IDisposable
{
    private readonly StepClock _clock = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("aiproxy-log-").FullName;
    private LogFile? _log;

    public void Dispose()
    {
        _log?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Console_WritesOneLineAnEvent()
    {
        Open(Console()).Logger.Information("started on {Address:l} with {Count} upstreams in {Ms:0.0} ms", "127.0.0.1:8080", 3, 12.345);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO  started on 127\.0\.0\.1:8080 with 3 upstreams in 12\.3 ms\n$", _output.ToString());
    }

    [Theory]
    [InlineData("plain-1.5/x", "m=plain-1.5/x")]
    [InlineData("two words", "m=\"two words\"")]
    [InlineData("", "m=\"\"")]
    [InlineData("a=b", "m=\"a=b\"")]
    [InlineData("a\nINFO forged", "m=\"a\\nINFO forged\"")]
    [InlineData("a\r\u001b[31mred", "m=a\\r\\u001b[31mred")]
    [InlineData("say \"hi\" \\", "m=\"say \\\"hi\\\" \\\\\"")]
    [InlineData("\u202eevil\u2028\u0085", "m=\\u202eevil\\u2028\\u0085")]
    [InlineData("模型", "m=模型")]
    public void Value_CannotForgeALine(string value, string expected)
    {
        Open(Console()).Logger.Information("m={Model}", value);
        Assert.EndsWith($"INFO  {expected}\n", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Exception_StaysOnTheLine()
    {
        Open(Console()).Logger.Error(new InvalidOperationException("a\nb"), "failed");
        Assert.Single(_output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Level_IsObeyedAndChanges()
    {
        LogFile log = Open(Console() with { Level = "warn" });
        log.Logger.Information("one");
        log.Apply(Console() with { Level = "debug" });
        log.Logger.Debug("two");
        log.Apply(Console() with { Level = "error" });
        log.Logger.Warning("three");
        Assert.Equal(["two"], Messages(_output.ToString()));
    }

    [Fact]
    public void Reload_MovesBetweenConsoleAndFilesWithoutLoss()
    {
        LogFile log = Open(Console());
        log.Logger.Information("1");
        log.Apply(ToFile("a.log"));
        log.Logger.Information("2");
        log.Apply(ToFile("a.log"));
        log.Logger.Information("3");
        log.Apply(ToFile("b.log"));
        log.Logger.Information("4");
        log.Apply(Console());
        log.Logger.Information("5");
        Assert.Equal(["1", "5"], Messages(_output.ToString()));
        Assert.Equal(["2", "3"], Messages(Read("a.log")));
        Assert.Equal(["4"], Messages(Read("b.log")));
    }

    [Fact]
    public async Task ReloadUnderLoad_LosesNoLine()
    {
        LogFile log = Open(ToFile("a.log"));
        Task[] writers = [.. Enumerable.Range(0, 4).Select(writer => Task.Run(() =>
        {
            for (int i = 0; i < 500; i++)
                log.Logger.Information("{Writer}-{Number}", writer, i);
        }))];
        for (int i = 0; i < 50; i++)
            log.Apply(ToFile(i % 3 == 0 ? "b.log" : "a.log"));
        await Task.WhenAll(writers);
        log.Dispose();
        string all = Read("a.log") + (File.Exists(Path.Combine(_folder, "b.log")) ? Read("b.log") : "");
        Assert.Equal(2000, Messages(all).Distinct().Count());
    }

    [Fact]
    public void FileMovedAway_ReloadBeginsANewOne()
    {
        LogFile log = Open(ToFile("a.log"));
        log.Logger.Information("1");
        File.Move(Path.Combine(_folder, "a.log"), Path.Combine(_folder, "moved"));
        log.Logger.Information("2");
        log.Apply(ToFile("a.log"));
        log.Logger.Information("3");
        Assert.Equal(["1", "2"], Messages(Read("moved")));
        Assert.Equal(["3"], Messages(Read("a.log")));
    }

    [Fact]
    public void UnwritableFile_GoesToStandardErrorAndIsTriedAgain()
    {
        // A file where the folder should be fails for every user, root included.
        string blocked = Path.Combine(_folder, "blocked");
        File.WriteAllText(blocked, "");
        LogFile log = Open(ToFile("blocked/a.log"));
        log.Logger.Information("1");
        log.Logger.Information("2");
        string[] told = Lines(_error.ToString());
        Assert.Equal(3, told.Length);
        Assert.Contains("cannot be written", told[0], StringComparison.Ordinal);

        File.Delete(blocked);
        log.Logger.Information("3");
        Assert.False(Directory.Exists(blocked));
        _clock.Advance(TimeSpan.FromSeconds(10));
        log.Logger.Information("4");
        Assert.Equal(["4"], Messages(Read("blocked/a.log")));
        Assert.Equal(5, Lines(_error.ToString()).Length);
    }

    [Fact]
    public async Task NextPartCannotBeOpened_IsSeenAtOnce()
    {
        LogFile log = Open(ToFile("sub/app.log"));
        string filler = new('x', 9_000);
        log.Logger.Information("0 {Filler:l}", filler);
        await log.SettleAsync();

        // The folder goes away under the open part, which fills up unseen; rolling then has nowhere to go.
        Directory.Move(Path.Combine(_folder, "sub"), Path.Combine(_folder, "moved"));
        File.WriteAllText(Path.Combine(_folder, "sub"), "");
        for (int i = 1; i < 130; i++)
            log.Logger.Information("{Number} {Filler:l}", i, filler);
        string[] all = [.. Messages(Read("moved/app.log")), .. Lines(_error.ToString()).Skip(1).Select(line => line[31..])];
        Assert.Equal(Enumerable.Range(0, 130), all.Select(line => int.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void FullDisk_NeverThrows()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "no /dev/full");
        File.CreateSymbolicLink(Path.Combine(_folder, "full.log"), "/dev/full");
        LogFile log = Open(ToFile("full.log"));
        log.Logger.Information("1");
        log.Logger.Information("2");
        Assert.Equal(3, Lines(_error.ToString()).Length);
        log.Apply(Console());
    }

    [Fact]
    public async Task RolledParts_AreCompressedAndCounted()
    {
        LogFile log = Open(ToFile("app.log") with { MaxBackups = 2, Compress = true });
        string filler = new('x', 9_000);
        for (int i = 0; i < 600; i++)
        {
            log.Logger.Information("{Number} {Filler:l}", i, filler);
            if (i % 60 == 0)
                await log.SettleAsync();
        }

        await log.SettleAsync();
        log.Dispose();
        string[] files = [.. Directory.GetFiles(_folder).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];
        Assert.Equal(3, files.Length);
        Assert.Equal(2, files.Count(file => file.EndsWith(".log.gz", StringComparison.Ordinal)));
        string live = Assert.Single(files, file => file.EndsWith(".log", StringComparison.Ordinal));
        Assert.EndsWith("599 " + filler + "\n", Read(live), StringComparison.Ordinal);
        string packed = files.First(file => file.EndsWith(".gz", StringComparison.Ordinal));
        using var gzip = new GZipStream(File.OpenRead(Path.Combine(_folder, packed)), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        Assert.EndsWith(filler + "\n", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public void Framework_IsHeardFromWarningsOn()
    {
        using var bridge = new LogBridge(Open(Console()).Logger);
        Microsoft.Extensions.Logging.ILogger logger = bridge.CreateLogger("Kestrel");
        logger.LogInformation("not this");
        logger.LogWarning("but {What}", "this");
        Assert.Equal(["Kestrel: but this"], Messages(_output.ToString()));
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Messages(string text) => [.. Lines(text).Select(line => line[31..])];

    private static LogConfig Console() => new() { Level = "info", MaxSizeMegabytes = 1, MaxBackups = 3, MaxAgeDays = 28 };

    private LogConfig ToFile(string name) => Console() with { File = Path.Combine(_folder, name) };

    private string Read(string name)
    {
        using var reader = new StreamReader(new FileStream(Path.Combine(_folder, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private LogFile Open(LogConfig config) => _log = new LogFile(config, _clock, _output, _error);
}
