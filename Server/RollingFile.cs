using System.Text;
using Aiproxy.Config;
using Serilog;
using Serilog.Configuration;
using Serilog.Core;
using Serilog.Events;
using Serilog.Sinks.File;

namespace Aiproxy.Server;

/// <summary>A log file that rolls by size (<c>app.log</c>, <c>app_001.log</c>, ...) and has its closed parts looked after.</summary>
/// <remarks>Not thread-safe: its owner locks.
/// Serilog's pipeline swallows a failed write, and its rolling sink a failed open, after which it drops lines for half an hour. Here the
/// bare sink is used and its stream is looked at after each line, so a failure is seen at once and the file is opened anew after a pause.</remarks>
public sealed class RollingFile : IDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromHours(1);
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly LogConfig _config;
    private readonly TimeProvider _clock;
    private readonly ITimer _sweepTimer;
    private readonly Lock _sweepGate = new();
    private Task _sweep = Task.CompletedTask;
    private volatile string? _current;
    private ILogEventSink? _sink;
    private Stream? _stream;
    private string? _problem;
    private DateTimeOffset _retryAt;

    /// <param name="config">With <see cref="LogConfig.File"/> set.</param>
    public RollingFile(LogConfig config, TimeProvider clock)
    {
        _config = config;
        _clock = clock;
        Path = config.File!;
        _sweepTimer = clock.CreateTimer(static state => ((RollingFile)state!).Sweep(), this, SweepInterval, SweepInterval);
    }

    /// <summary>As configured; the part that is written now may carry a number.</summary>
    public string Path { get; }

    /// <summary>null when the line was written, else why it was not.</summary>
    public string? Write(LogEvent logEvent)
    {
        if (_problem is not null && _clock.GetUtcNow() < _retryAt)
            return _problem;
        try
        {
            _sink ??= Open(afterFailure: _problem is not null);
            _sink.Emit(logEvent);
            if (_stream is null)
                throw WhyNotOpened();

            // Throws where the sink closed this part, because it was full, and could not open the next one.
            _ = _stream.Length;
            return _problem = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or ObjectDisposedException)
        {
            Close();
            _retryAt = _clock.GetUtcNow() + RetryPause;
            return _problem = e.Message;
        }
    }

    /// <summary>Ends when the sweep under way has ended.</summary>
    public Task SettleAsync()
    {
        lock (_sweepGate)
            return _sweep;
    }

    public void Dispose()
    {
        _sweepTimer.Dispose();
        Close();
    }

    private ILogEventSink Open(bool afterFailure)
    {
        ILogEventSink? bare = null;
        using Logger unused = Wrapped(sink => bare = new Undisposed(sink), afterFailure);
        return ((Undisposed)bare!).Sink;
    }

    private Logger Wrapped(Func<ILogEventSink, ILogEventSink> wrap, bool afterFailure)
    {
        var configuration = new LoggerConfiguration();
        LoggerSinkConfiguration.Wrap(
            configuration.WriteTo,
            wrap,
            inner => inner.File(
                new LogLine(),
                Path,
                fileSizeLimitBytes: _config.MaxSizeMegabytes > 0 ? _config.MaxSizeMegabytes * 1024L * 1024 : null,
                rollOnFileSizeLimit: true,
                retainedFileCountLimit: null,
                encoding: Utf8,
                hooks: new OpenedFile(this, afterFailure)),
            LevelAlias.Minimum,
            levelSwitch: null);
        return configuration.CreateLogger();
    }

    private void Close()
    {
        try
        {
            (_sink as IDisposable)?.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The last buffered bytes do not fit on the full disk either.
        }

        _sink = null;
        _stream = null;
    }

    /// <summary>The reason that the sink kept to itself.</summary>
    private IOException WhyNotOpened()
    {
        using FileStream probe = File.Open(Path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        return new IOException("it could not be opened");
    }

    /// <summary>A new part was begun, so an older one is closed.</summary>
    private void Opened(string path, Stream stream)
    {
        _stream = stream;
        _current = path;
        Sweep();
    }

    private void Sweep()
    {
        if (_current is not { } current)
            return;
        lock (_sweepGate)
        {
            // One after the other, off the writer's thread: compressing takes a second for 100 MB.
            _sweep = _sweep.ContinueWith(
                _ => new LogJanitor(_config, _clock).Sweep(current),
                CancellationToken.None,
                TaskContinuationOptions.None,
                TaskScheduler.Default);
        }
    }

    /// <summary>Keeps the throw-away logger that builds the sink from disposing it.</summary>
    private sealed class Undisposed(ILogEventSink sink) : ILogEventSink, IDisposable
    {
        public ILogEventSink Sink => sink;

        public void Emit(LogEvent logEvent) => sink.Emit(logEvent);

        public void Dispose()
        {
        }
    }

    private sealed class OpenedFile(RollingFile owner, bool afterFailure) : FileLifecycleHooks
    {
        public override Stream OnFileOpened(string path, Stream underlyingStream, Encoding encoding)
        {
            // A write that failed half-way left half a line; the next one starts below it.
            if (afterFailure && underlyingStream.Length > 0)
                underlyingStream.WriteByte((byte)'\n');
            owner.Opened(path, underlyingStream);
            return underlyingStream;
        }
    }
}
