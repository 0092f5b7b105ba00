using System.Text.RegularExpressions;

namespace Aiproxy.Tests;

/// <summary>The house rules that a compiler does not know, read from the sources.</summary>
public sealed partial class FloorTests
{
    private const int MostLines = 400;

    /// <summary>Lowest first: an import points down or stays on its floor.</summary>
    private static readonly string[] Floors = ["EventStream", "Protocols", "Upstreams", "Balancer", "Server"];

    /// <summary>These import nothing of ours; the floors from here on may read them.</summary>
    private static readonly string[] Apart = ["Config", "OAuthCache"];

    private const string LowestThatReadsConfig = "Upstreams";

    /// <summary>What must not stand in a source, and why.</summary>
    private static readonly (string Pattern, string Why)[] Bans =
    [
        (@"\bDateTime(Offset)?\.(UtcNow|Now)\b", "time comes from the TimeProvider, or a test cannot move it"),
        (@"\bStopwatch\b", "as above; TimeProvider.GetTimestamp counts too"),
        (@"\bThread\.Sleep\b", "blocks a thread that serves other sockets"),
        (@"\bTask\.Delay\((?![^;]*[cC]lock)", "a delay without the TimeProvider cannot be tested"),
        (@"\bdynamic\b", "does not exist under native AOT"),
        (@"\bJsonSerializer\b", "needs reflection; tokens and spans are read and written by hand"),
        (@"\basync void\b", "its exceptions end the process"),
        (@"#region\b", "a file that needs folding is two files"),
        (@"\.GetAwaiter\(\)\.GetResult\(\)|\.Wait\(\)", "waits for other threads while it holds one"),
        (@"\[ThreadStatic\]|\bstatic (?!readonly|async|partial)[\w<>?\[\],.]+ _?\w+( = [^;()]*)?;", "static state is shared by all tests and all requests"),
    ];

    public static TheoryData<string> Sources() =>
        [.. Directory.EnumerateFiles(Root(), "*.cs", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Root(), file).Replace('\\', '/')).Where(IsOurs)];

    [Theory]
    [MemberData(nameof(Sources))]
    public void Import_PointsDown(string file)
    {
        string folder = FolderOf(file);
        foreach (Match import in Import().Matches(Text(file)))
        {
            string target = import.Groups[1].Value;
            Assert.True(MayImport(folder, target), $"{file}: {(folder.Length == 0 ? "the root" : folder)} must not import {target}");
        }
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Source_IsOfBearableSize(string file)
    {
        int lines = Text(file).AsSpan().Count('\n');
        Assert.True(lines <= MostLines, $"{file}: {lines} lines, {MostLines} at most");
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Source_HoldsNothingBanned(string file)
    {
        string code = Comment().Replace(Text(file), "");
        foreach ((string pattern, string why) in Bans) Assert.False(Regex.IsMatch(code, pattern), $"{file}: {Regex.Match(code, pattern).Value}: {why}");
    }

    [Theory]
    [InlineData("EventStream", "EventStream", true)]
    [InlineData("EventStream", "Protocols", false)]
    [InlineData("Protocols", "EventStream", true)]
    [InlineData("Protocols", "Config", false)]
    [InlineData("Upstreams", "Config", true)]
    [InlineData("Upstreams", "Balancer", false)]
    [InlineData("Config", "Protocols", false)]
    [InlineData("Server", "Balancer", true)]
    [InlineData("", "Server", true)]
    public void Rule_KnowsItsFloors(string folder, string target, bool isLegal) => Assert.Equal(isLegal, MayImport(folder, target));

    [Theory]
    [InlineData("await Task.Delay(time, cancellationToken);")]
    [InlineData("DateTime now = DateTime.UtcNow;")]
    [InlineData("    private static int _count;")]
    [InlineData("    public static List<string> Names = [];")]
    public void Ban_FindsItsOffence(string code) => Assert.Contains(Bans, ban => Regex.IsMatch(code, ban.Pattern));

    private static bool MayImport(string folder, string target)
    {
        // Program stands on the roof.
        if (folder.Length == 0 || folder == target) return true;
        if (Apart.Contains(folder)) return false;
        int own = Array.IndexOf(Floors, folder);
        Assert.True(own >= 0, $"{folder} is no floor of the house");
        return Apart.Contains(target) ? own >= Array.IndexOf(Floors, LowestThatReadsConfig) : Array.IndexOf(Floors, target) is var other and >= 0 && other < own;
    }

    private static string FolderOf(string file) => file.Contains('/') ? file[..file.IndexOf('/')] : "";

    private static string Text(string file) => File.ReadAllText(Path.Combine(Root(), file));

    private static bool IsOurs(string file) =>
        !file.StartsWith("tests/", StringComparison.Ordinal) && !file.StartsWith("artifacts/", StringComparison.Ordinal)
        && !file.Split('/').Any(step => step is "obj" or "bin" || step.StartsWith('.'));

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "aiproxy.csproj"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("the sources are not above the tests");
    }

    [GeneratedRegex(@"^using (?:static )?(?:\w+ = )?Aiproxy\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex Import();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
