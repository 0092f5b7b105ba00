using System.Diagnostics;
using System.Globalization;

namespace Aiproxy.Bench;

/// <summary>All pairs, each in a process of its own, since a peak cannot be taken back.</summary>
public static class RequestTable
{
    private const double MostMilliseconds = 150, MostTimesItsSize = 4;

    /// <returns>Every pair is within its limits.</returns>
    public static bool Print(int megabytes, int images, int rounds)
    {
        string folder = Directory.CreateTempSubdirectory("aiproxy-bench").FullName;
        try
        {
            Console.WriteLine($"a request of {megabytes} MB with {images} images; milliseconds of the first translation (with its page faults) and of the best later one");
            Console.WriteLine($"{"client",-10} {"upstream",-10} {"first ms",9} {"CPU ms",8} {"later ms",9} {"CPU ms",8} {"allocated",10} {"peak, one",10} {"peak, all",10}   (times the body's size, the body in it)");
            bool held = true;
            foreach (string client in Pairs.Names)
            {
                string file = Path.Combine(folder, client + ".json");
                RequestScript.Write(file, client, megabytes * 1_000_000, images);
                foreach (string upstream in Pairs.Names)
                    if (upstream != client) held &= Line(client, upstream, file, rounds);
            }
            return held;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool Line(string client, string upstream, string file, int rounds)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["request", client, upstream, file, rounds.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        double[] told = [.. process.StandardOutput.ReadToEnd().Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => double.Parse(one, CultureInfo.InvariantCulture))];
        process.WaitForExit();
        if (told is not [var firstWall, var firstCpu, var laterWall, var laterCpu, var body, _, var allocated, var before, var peak, var peakOfAll])
        {
            Console.WriteLine($"{client,-10} {upstream,-10} failed");
            return false;
        }
        double one = (peak - before) * 1024 / body, all = (peakOfAll - before) * 1024 / body;
        bool missed = firstCpu >= MostMilliseconds || one >= MostTimesItsSize;
        Console.WriteLine(
            $"{client,-10} {upstream,-10} {firstWall,9:F1} {firstCpu,8:F1} {laterWall,9:F1} {laterCpu,8:F1} {allocated / body,10:F2} {one,10:F2} {all,10:F2}{(missed ? "  missed" : "")}");
        return !missed;
    }
}
