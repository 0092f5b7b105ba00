using Aiproxy.Server;

namespace Aiproxy.Tests.Server;

public sealed class ProcessLimitsTests
{
    [Fact]
    public void OpenFiles_AreRaisedToWhatTheKernelReports()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only");
        long? limit = ProcessLimits.RaiseOpenFiles();
        string line = File.ReadLines("/proc/self/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        string[] words = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(words[0], limit.ToString());
        Assert.True(words[0] == words[1] || limit == 1 << 20);
    }
}
