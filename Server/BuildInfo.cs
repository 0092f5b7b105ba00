using System.Reflection;
using System.Runtime.InteropServices;

namespace Aiproxy.Server;

/// <summary>What this binary is.</summary>
public static class BuildInfo
{
    /// <summary>Such as <c>0.1.0</c>.</summary>
    public static string Version { get; } = Informational().Split('+')[0];

    /// <summary>The commit it was built from; <c>unknown</c> outside a checkout.</summary>
    public static string Commit { get; } = Informational().Split('+') is [_, var commit, ..] ? commit : "unknown";

    /// <summary>The honest default of <c>User-Agent</c>.</summary>
    public static string UserAgent { get; } = "aiproxy/" + Version;

    public static string Describe() => $"aiproxy {Version} (commit {Commit}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})";

    private static string Informational() =>
        typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
