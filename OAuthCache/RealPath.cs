namespace Aiproxy.OAuthCache;

/// <summary>Where a path really leads.</summary>
public static class RealPath
{
    /// <summary>As many as Linux follows.</summary>
    private const int MostLinks = 40;

    /// <summary>Absolute, every link on the way resolved, folders included. What does not exist is taken as it stands. Never throws for what may lie at a path.</summary>
    public static string Of(string path)
    {
        path = Path.GetFullPath(path);
        for (int links = 0; links < MostLinks; links++)
        {
            if (NextHop(path) is not { } next) return path;
            path = next;
        }

        return path;
    }

    /// <summary>The path with its first link replaced; null: it has none.</summary>
    private static string? NextHop(string path)
    {
        string root = Path.GetPathRoot(path) ?? "";
        string[] steps = path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        string walked = root;
        for (int step = 0; step < steps.Length; step++)
        {
            string link = Path.Combine(walked, steps[step]);
            if (Target(link) is { } target) return Path.GetFullPath(Path.Combine([walked, target, .. steps[(step + 1)..]]));
            walked = link;
        }

        return null;
    }

    private static string? Target(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
