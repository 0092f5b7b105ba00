namespace Aiproxy.Config;

/// <summary>One thing that is wrong, or doubtful, in a configuration file. Holds no secret.</summary>
/// <param name="File">As the caller named it.</param>
/// <param name="Line">From 1; 1 where the file as a whole is meant.</param>
/// <param name="Column">From 1, in UTF-16 units.</param>
/// <param name="Path">Such as <c>upstreams[0].weight</c>; empty where the file as a whole is meant.</param>
/// <param name="Message">One sentence on one line: what was found and what is legal.</param>
public sealed record ConfigProblem(string File, int Line, int Column, string Path, string Message)
{
    /// <summary><c>F:line:col: path: message</c>; without the path where it is empty.</summary>
    public override string ToString() => Path.Length == 0 ? $"{File}:{Line}:{Column}: {Message}" : $"{File}:{Line}:{Column}: {Path}: {Message}";
}
