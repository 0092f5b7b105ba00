using System.Globalization;

namespace Aiproxy.Bench;

/// <summary>A server to send streams through: its loopback port and the process whose figures count (0: none).</summary>
public sealed record Target(string Name, int Port, int ProcessId)
{
    /// <summary><c>NAME=PORT@PID</c>.</summary>
    public static Target Parse(string text)
    {
        var parts = text.Split('=', '@');
        return new Target(parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture), int.Parse(parts[2], CultureInfo.InvariantCulture));
    }
}
