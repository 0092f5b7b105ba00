using System.Globalization;
using System.Text;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Parsing;

namespace Aiproxy.Server;

/// <summary>One event as one line: UTC time with milliseconds, level, message. Nothing that a client sent can start a line of its own.</summary>
/// <remarks>Values are written bare while they are plain, and as <c>"quoted"</c> text where they hold blanks, quotes or <c>=</c>, so that a line of
/// <c>key=value</c> pairs stays readable by machines. The format <c>:l</c> never quotes. Control characters are escaped everywhere.</remarks>
public sealed class LogLine : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        var line = new StringBuilder(160);
        line.Append(logEvent.Timestamp.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        line.Append(' ').Append(LevelName(logEvent.Level)).Append(' ');
        foreach (MessageTemplateToken token in logEvent.MessageTemplate.Tokens)
            Append(line, token, logEvent);
        if (logEvent.Exception is { } exception)
            Escape(line.Append(": "), exception.ToString());
        output.Write(line.Append('\n'));
    }

    private static string LevelName(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose or LogEventLevel.Debug => "DEBUG",
        LogEventLevel.Information => "INFO ",
        LogEventLevel.Warning => "WARN ",
        _ => "ERROR",
    };

    private static void Append(StringBuilder line, MessageTemplateToken token, LogEvent logEvent)
    {
        if (token is not PropertyToken property)
            Escape(line, token is TextToken text ? text.Text : token.ToString() ?? "");
        else if (!logEvent.Properties.TryGetValue(property.PropertyName, out LogEventPropertyValue? value))
            Escape(line, property.ToString());
        else if (value is not ScalarValue { Value: string scalar })
            Escape(line, value.ToString(property.Format, CultureInfo.InvariantCulture));
        else if (property.Format == "l" || IsPlain(scalar))
            Escape(line, scalar);
        else
            Escape(line.Append('"'), scalar, quoted: true).Append('"');
    }

    private static bool IsPlain(string value) => value.Length > 0 && value.AsSpan().IndexOfAny(" \"=\\") < 0;

    private static StringBuilder Escape(StringBuilder line, string value, bool quoted = false)
    {
        foreach (char c in value)
        {
            if (c is '\n')
                line.Append("\\n");
            else if (c is '\r')
                line.Append("\\r");
            else if (c is '\t')
                line.Append("\\t");
            else if (quoted && c is '"' or '\\')
                line.Append('\\').Append(c);
            else if (IsUnsafe(c))
                line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                line.Append(c);
        }

        return line;
    }

    /// <summary>Control characters (C0, C1), line and paragraph separators, and what turns the direction of text on a terminal.</summary>
    private static bool IsUnsafe(char c) =>
        char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
