using System.Threading.Channels;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

/// <summary>A user without eyes: what was shown is kept, what is typed comes from the test.</summary>
public sealed class FakeScreen
{
    private readonly Channel<string?> _typed = Channel.CreateUnbounded<string?>();
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _lines = [];

    public LoginScreen Screen => new(
        line =>
        {
            lock (_lines) _lines.Add(line);
        },
        page =>
        {
            Page = page;
            _opened.TrySetResult();
        },
        async cancellationToken => await _typed.Reader.ReadAsync(cancellationToken));

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    /// <summary>The newest page that was opened.</summary>
    public Uri? Page { get; private set; }

    /// <summary>The first page was opened; by then everything waits.</summary>
    public Task Opened => _opened.Task.WaitAsync(TimeSpan.FromSeconds(10));

    /// <param name="line">null: the end of the input.</param>
    public void Type(string? line) => _typed.Writer.TryWrite(line);
}
