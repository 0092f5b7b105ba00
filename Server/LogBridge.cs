using Microsoft.Extensions.Logging;
using Serilog.Events;

namespace Aiproxy.Server;

/// <summary>Takes the framework's own log lines (Kestrel, hosting) into our log, warnings and worse only.</summary>
public sealed class LogBridge(Serilog.ILogger log) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Category(log, categoryName);

    public void Dispose()
    {
    }

    private sealed class Category(Serilog.ILogger log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            LogEventLevel level = logLevel == LogLevel.Warning ? LogEventLevel.Warning : LogEventLevel.Error;
            log.Write(level, exception, "{Category:l}: {Text:l}", name, formatter(state, exception));
        }
    }
}
