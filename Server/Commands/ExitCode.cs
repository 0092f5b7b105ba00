namespace Aiproxy.Server.Commands;

/// <summary>What the process tells the one who started it.</summary>
public static class ExitCode
{
    public const int Fine = 0;

    /// <summary>Failed at run time, such as a port that is taken.</summary>
    public const int Failed = 1;

    public const int WrongUsage = 2;

    /// <summary>EX_CONFIG of sysexits: a restart cannot help, so that a unit may say <c>RestartPreventExitStatus=78</c>.</summary>
    public const int BadConfig = 78;
}
