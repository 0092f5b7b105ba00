using System.Runtime.InteropServices;

namespace Aiproxy.Server;

/// <summary>What the process asks of the system before it serves.</summary>
public static partial class ProcessLimits
{
    private const int NoFile = 7;

    /// <summary>The kernel's usual ceiling for one process (fs.nr_open); an unlimited hard limit is lowered to it.</summary>
    private const nuint Ceiling = 1 << 20;

    /// <summary>Lets the process open as many files and sockets as its hard limit allows; native AOT keeps the soft limit of 1024 otherwise.</summary>
    /// <returns>The soft limit now in force; null where the system does not tell.</returns>
    public static long? RaiseOpenFiles()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            if (GetLimit(NoFile, out Limit limit) != 0)
                return null;
            nuint wanted = limit.Hard < Ceiling ? limit.Hard : Ceiling;
            if (wanted > limit.Soft && SetLimit(NoFile, limit with { Soft = wanted }) == 0)
                limit = limit with { Soft = wanted };
            return limit.Soft > long.MaxValue ? long.MaxValue : (long)limit.Soft;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Continues socket reads and writes on the thread that saw the socket become ready: a fraction of the cost at low load. To be called
    /// first in Main, before any socket exists, and only together with inline scheduling in <see cref="ListenerSet"/>.</summary>
    /// <remarks>Then nothing that blocks or computes for long may run on such a thread. A value set by the user stays.</remarks>
    public static void UseInlineCompletions()
    {
        const string name = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
        if (Environment.GetEnvironmentVariable(name) is null)
            Environment.SetEnvironmentVariable(name, "1");
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Limit(nuint Soft, nuint Hard);
}
