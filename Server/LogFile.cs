using Aiproxy.Config;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Aiproxy.Server;

/// <summary>Where log lines go: standard output or a rolling file. One logger lives as long as the process; a reload changes what is behind it.</summary>
/// <remarks>No line is lost at a change: writers wait for the few microseconds that it takes. A file that cannot be written (disk full, folder
/// read-only) is reported on standard error once, lines go there meanwhile, and the file is tried again every ten seconds.</remarks>
public sealed class LogFile : ILogEventSink, IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly LoggingLevelSwitch _level = new();
    private readonly LogLine _format = new();
    private readonly Logger _logger;
    private RollingFile? _file;
    private bool _isFailing;
    private bool _isDisposed;

    /// <param name="output">Standard output. Neither writer is disposed here.</param>
    public LogFile(LogConfig config, TimeProvider clock, TextWriter output, TextWriter error)
    {
        _clock = clock;
        _output = output;
        _error = error;
        _logger = new LoggerConfiguration().MinimumLevel.ControlledBy(_level).WriteTo.Sink(this).CreateLogger();
        Apply(config);
    }

    /// <summary>Good until this object is disposed; every reload is behind it.</summary>
    public ILogger Logger => _logger;

    /// <summary>Takes a configuration into use. The file is opened anew even if nothing changed, so a reload also serves an outside log rotation.</summary>
    public void Apply(LogConfig config)
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _level.MinimumLevel = Level(config.Level);

            // The same path must not be open twice: two writers with positions of their own overwrite each other.
            _file?.Dispose();
            _file = config.File is null ? null : new RollingFile(config, _clock);
            _isFailing = false;
        }
    }

    public void Emit(LogEvent logEvent)
    {
        lock (_gate)
        {
            try
            {
                if (_isDisposed)
                    _format.Format(logEvent, _error);
                else if (_file is null)
                    Write(_output, logEvent);
                else
                    WriteFile(_file, logEvent);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // Standard output or error is gone; there is nowhere left to tell.
            }
        }
    }

    /// <summary>Ends when the clean-up of old files that is under way has ended.</summary>
    public Task SettleAsync()
    {
        lock (_gate)
            return _file?.SettleAsync() ?? Task.CompletedTask;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _file?.Dispose();
            _file = null;
        }
    }

    private void WriteFile(RollingFile file, LogEvent logEvent)
    {
        string? problem = file.Write(logEvent);
        if (problem is null)
        {
            if (_isFailing)
                _error.WriteLine($"aiproxy: log file {file.Path} is written again");
            _isFailing = false;
            return;
        }

        if (!_isFailing)
            _error.WriteLine($"aiproxy: log file {file.Path} cannot be written, lines come here until it can: {problem}");
        _isFailing = true;
        Write(_error, logEvent);
    }

    private void Write(TextWriter writer, LogEvent logEvent)
    {
        _format.Format(logEvent, writer);
        writer.Flush();
    }

    private static LogEventLevel Level(string name) => name switch
    {
        "debug" => LogEventLevel.Debug,
        "warn" => LogEventLevel.Warning,
        "error" => LogEventLevel.Error,
        _ => LogEventLevel.Information,
    };
}
