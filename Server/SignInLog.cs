using Aiproxy.OAuthCache;
using Serilog;
using Serilog.Events;

namespace Aiproxy.Server;

/// <summary>Puts what happens to sign-ins into the log.</summary>
public static class SignInLog
{
    public static void Write(ILogger log, SignInEvent told)
    {
        LogEventLevel level = told.Level switch
        {
            Microsoft.Extensions.Logging.LogLevel.Error or Microsoft.Extensions.Logging.LogLevel.Critical => LogEventLevel.Error,
            Microsoft.Extensions.Logging.LogLevel.Warning => LogEventLevel.Warning,
            Microsoft.Extensions.Logging.LogLevel.Debug or Microsoft.Extensions.Logging.LogLevel.Trace => LogEventLevel.Debug,
            _ => LogEventLevel.Information,
        };
        log.Write(level, "sign-in {Id:l}: {Kind}: {Message:l}", told.Id, told.Kind, told.Message);
    }
}
