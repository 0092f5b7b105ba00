namespace Aiproxy.Config;

/// <summary>Reads <c>log</c>.</summary>
public static class LogReader
{
    private const int DefaultSizeMegabytes = 100;

    private static readonly string[] Levels = ["debug", "info", "warn", "error"];

    public static LogConfig Read(MapReader root)
    {
        if (root.Map("log") is not { } map) return new LogConfig { Level = "info", MaxSizeMegabytes = DefaultSizeMegabytes, MaxBackups = 3, MaxAgeDays = 28 };
        var log = new LogConfig
        {
            File = map.FilePath("file"),
            Level = map.Choice("level", Levels) ?? "info",
            // 0 is the default, as the files that come from the Go program have it.
            MaxSizeMegabytes = map.Whole("max_size", 0, 1_000_000) is { } size and > 0 ? size : DefaultSizeMegabytes,
            MaxBackups = map.Whole("max_backups", 0) ?? 3,
            MaxAgeDays = map.Whole("max_age", 0, 100_000) ?? 28,
            Compress = map.Flag("compress") ?? false,
            Requests = map.Flag("requests") ?? true,
        };
        map.Finish(NotYet.Nothing);
        return log;
    }
}
