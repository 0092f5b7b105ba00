using System.Runtime.InteropServices;

namespace Aiproxy.Tests.EndToEnd;

public static partial class Signals
{
    public const int Hangup = 1;
    public const int Interrupt = 2;
    public const int Terminate = 15;

    /// <summary>Cannot be caught.</summary>
    public const int Death = 9;

    public static void Send(int processId, int signal)
    {
        if (Kill(processId, signal) != 0) throw new InvalidOperationException($"kill({processId}, {signal}): errno {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
