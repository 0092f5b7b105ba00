using System.Globalization;

namespace Aiproxy.Bench;

/// <summary>Processor time and memory of a process and its children, from /proc. Zero for process 0 and for one that is gone.</summary>
/// <param name="CpuMicroseconds">User and system time so far; the kernel counts in steps of 10 ms.</param>
/// <param name="PssKilobytes">Proportional set size: shared pages are split among those who share them.</param>
public sealed record ProcessFigures(long CpuMicroseconds, long PssKilobytes)
{
    private const long MicrosecondsPerTick = 10_000;

    public static ProcessFigures Read(int processId)
    {
        if (processId == 0)
        {
            return new ProcessFigures(0, 0);
        }

        long ticks = 0, kilobytes = 0;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) || Fields(folder) is not { } fields)
            {
                continue;
            }

            // Counted from the state, which follows the name: 1 is the parent, 11 and 12 are user and system time.
            if (id == processId || fields[1] == processId.ToString(CultureInfo.InvariantCulture))
            {
                ticks += long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
                kilobytes += Pss(folder);
            }
        }

        return new ProcessFigures(ticks * MicrosecondsPerTick, kilobytes);
    }

    private static string[]? Fields(string folder)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(folder, "stat"));
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static long Pss(string folder)
    {
        try
        {
            var line = File.ReadLines(Path.Combine(folder, "smaps_rollup")).First(text => text.StartsWith("Pss:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return 0;
        }
    }
}
