namespace Aiproxy.Tests.EndToEnd;

/// <summary>Where the published program is.</summary>
public static class AiproxyBinary
{
    private const string Variable = "AIPROXY_BINARY";

    /// <summary>Path of the published binary; a test that asks for it is skipped, with the reason, where there is none.</summary>
    public static string Require()
    {
        var (path, reason) = Find();
        if (path is null) Assert.Skip(reason);
        return path;
    }

    private static (string? Path, string Reason) Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
            return File.Exists(given) ? (given, "") : (null, $"{Variable} names {given}, which is not there");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "aiproxy.csproj"))) continue;
            var path = Path.Combine(folder.FullName, "aiproxy");
            return File.Exists(path) ? (path, "") : (null, $"no published binary at {path}: run ./publish.sh, or set {Variable}");
        }
        return (null, $"the repository root (aiproxy.csproj) was not found above {AppContext.BaseDirectory}: set {Variable}");
    }
}
