using System.Diagnostics;
using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>One request as it came over the wire.</summary>
public sealed class RecordedRequest
{
    private readonly TaskCompletionSource<bool> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public required string Method { get; init; }

    /// <summary>Path and query as written in the request line.</summary>
    public required string Target { get; init; }

    /// <summary>In the order of arrival, names as written.</summary>
    public required IReadOnlyList<(string Name, string Value)> Headers { get; init; }

    /// <summary>Without the framing of <c>Transfer-Encoding</c>; a <c>Content-Encoding</c> is left in place.</summary>
    public required byte[] Body { get; init; }

    /// <summary>Number of the connection, from 1.</summary>
    public required int Connection { get; init; }

    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Ends when the answer was written whole (false) or the peer closed before that (true).</summary>
    public Task<bool> WasCut => _end.Task;

    /// <summary><see cref="Stopwatch.GetTimestamp"/> of the cut; 0 where there was none.</summary>
    public long CutAt { get; private set; }

    /// <summary>All values of a header, joined by comma; null where it is absent.</summary>
    public string? Header(string name)
    {
        var values = Headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).ToArray();
        return values.Length == 0 ? null : string.Join(",", values);
    }

    /// <summary>Everything that arrived, for searching: request line, headers, body as Latin-1.</summary>
    public string Everything =>
        $"{Method} {Target}\n" + string.Concat(Headers.Select(header => $"{header.Name}: {header.Value}\n")) + "\n" + Encoding.Latin1.GetString(Body);

    internal void Answered() => _end.TrySetResult(false);

    internal void Cut()
    {
        if (_end.Task.IsCompleted) return;
        CutAt = Stopwatch.GetTimestamp();
        _end.TrySetResult(true);
    }
}
