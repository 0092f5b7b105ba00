namespace Aiproxy.Tests.EndToEnd;

/// <summary>What a process wrote, line by line, both streams in the order of arrival. Thread-safe.</summary>
public sealed class ProcessLog
{
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Add(string? line)
    {
        if (line is null) return;
        TaskCompletionSource more;
        lock (_gate)
        {
            _lines.Add(line);
            more = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        more.SetResult();
    }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate) return [.. _lines];
        }
    }

    /// <summary>The first line at or after <paramref name="from"/> that fits, old or new.</summary>
    public async Task<string> WaitAsync(Func<string, bool> predicate, TimeSpan patience, string what, int from = 0)
    {
        var end = Task.Delay(patience);
        var seen = from;
        while (true)
        {
            Task more;
            lock (_gate)
            {
                for (; seen < _lines.Count; seen++)
                    if (predicate(_lines[seen])) return _lines[seen];
                more = _more.Task;
            }
            if (await Task.WhenAny(more, end) == end) Assert.Fail($"no log line: {what}, in {patience.TotalSeconds:0.#} s\n{Tail()}");
        }
    }

    /// <summary>The last lines, for a failure message.</summary>
    public string Tail(int count = 40)
    {
        var lines = Lines;
        return "--- the process wrote (last lines) ---\n" + string.Join('\n', lines.Skip(Math.Max(0, lines.Count - count)));
    }
}
