namespace Aiproxy.Config;

/// <summary>Collects the problems of one reading, so that all are told at once. Not thread-safe.</summary>
/// <param name="file">What <see cref="ConfigProblem.File"/> says.</param>
public sealed class ConfigErrors(string file)
{
    /// <summary>A file that is wrong all over is told this often; a log with more lines helps nobody.</summary>
    public const int MostTold = 100;

    private readonly List<ConfigProblem> _errors = [];
    private readonly List<ConfigProblem> _warnings = [];
    private readonly Dictionary<string, (int Line, int Column)> _places = [];

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<ConfigProblem> Errors => Told(_errors);

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<ConfigProblem> Warnings => Told(_warnings);

    /// <summary>All of them, also those beyond <see cref="MostTold"/>.</summary>
    public int ErrorCount => _errors.Count;

    /// <summary>Notes where a value stands, for problems that are told by path alone.</summary>
    public void Place(string path, int line, int column) => _places[path] = (line, column);

    /// <summary>Whether <see cref="Place"/> was called for the path: the file has such a value.</summary>
    public bool HasPlace(string path) => _places.ContainsKey(path);

    /// <summary>The position is that of <paramref name="path"/>, or of the nearest value around it that the file has.</summary>
    public void Error(string path, string message) => _errors.Add(Locate(path, message));

    /// <inheritdoc cref="Error"/>
    public void Warn(string path, string message) => _warnings.Add(Locate(path, message));

    public void ErrorAt(int line, int column, string path, string message) => _errors.Add(new ConfigProblem(file, line, column, path, message));

    public void WarnAt(int line, int column, string path, string message) => _warnings.Add(new ConfigProblem(file, line, column, path, message));

    /// <summary>Whether an error was told at the path or inside it; what follows from a broken value need not be told as well.</summary>
    public bool HasErrorAt(string path) =>
        _errors.Exists(problem => problem.Path.StartsWith(path, StringComparison.Ordinal)
            && (problem.Path.Length == path.Length || problem.Path[path.Length] is '.' or '['));

    private ConfigProblem Locate(string path, string message)
    {
        for (string place = path; ;)
        {
            if (_places.TryGetValue(place, out (int Line, int Column) found)) return new ConfigProblem(file, found.Line, found.Column, path, message);
            int cut = place.AsSpan().LastIndexOfAny('.', '[');
            if (cut <= 0) return new ConfigProblem(file, 1, 1, path, message);
            place = place[..cut];
        }
    }

    private IReadOnlyList<ConfigProblem> Told(List<ConfigProblem> problems)
    {
        var told = problems.OrderBy(problem => problem.Line).ThenBy(problem => problem.Column).Take(MostTold).ToList();
        if (problems.Count > MostTold) told.Add(new ConfigProblem(file, told[^1].Line, told[^1].Column, "", $"and {problems.Count - MostTold} more"));
        return told;
    }
}
