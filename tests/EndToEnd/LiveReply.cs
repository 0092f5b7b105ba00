using System.Buffers;
using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>An answer while it arrives.</summary>
public sealed class LiveReply(HttpResponseMessage message, Stream body, ProcessLog log) : IAsyncDisposable
{
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly byte[] _buffer = new byte[64 * 1024];

    public int Status => (int)message.StatusCode;

    public byte[] Bytes => _bytes.WrittenSpan.ToArray();

    public string Text => Encoding.UTF8.GetString(_bytes.WrittenSpan);

    /// <summary>The body ended too early, against its framing.</summary>
    public bool Broken { get; private set; }

    public bool Ended { get; private set; }

    public string? Header(string name) =>
        message.Headers.TryGetValues(name, out var values) || message.Content.Headers.TryGetValues(name, out values) ? string.Join(",", values) : null;

    /// <summary>All header names and values.</summary>
    public IEnumerable<(string Name, string Value)> Headers =>
        message.Headers.Concat(message.Content.Headers).SelectMany(header => header.Value.Select(value => (header.Key, value)));

    /// <summary>Reads until the text so far holds the words; fails when the body ends or the time is over before that.</summary>
    public Task ReadUntilAsync(string words, TimeSpan patience) => ReadUntilAsync(text => text.Contains(words, StringComparison.Ordinal), patience, words);

    public async Task ReadUntilAsync(Func<string, bool> condition, TimeSpan patience, string what)
    {
        using var limit = new CancellationTokenSource(patience);
        while (!condition(Text))
        {
            try
            {
                if (await ReadOnceAsync(limit.Token)) continue;
            }
            catch (OperationCanceledException)
            {
            }
            Assert.Fail($"the answer (status {Status}, {(Ended ? "ended" : "open")}) never held '{what}': {Text}\n{log.Tail()}");
        }
    }

    /// <summary>Reads to the end, orderly or not.</summary>
    public async Task<LiveReply> ReadToEndAsync(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        try
        {
            while (await ReadOnceAsync(limit.Token))
            {
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"the answer (status {Status}) did not end in {patience.TotalSeconds:0.#} s: {Text}\n{log.Tail()}");
        }
        return this;
    }

    public LiveReply AssertStatus(int status)
    {
        Assert.True(Status == status, $"status {Status} instead of {status}: {Text[..Math.Min(Text.Length, 2000)]}\n{log.Tail()}");
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await body.DisposeAsync();
        message.Dispose();
    }

    private async Task<bool> ReadOnceAsync(CancellationToken cancellationToken)
    {
        if (Ended) return false;
        try
        {
            var read = await body.ReadAsync(_buffer, cancellationToken);
            if (read > 0)
            {
                _bytes.Write(_buffer.AsSpan(0, read));
                return true;
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            Broken = true;
        }
        Ended = true;
        return false;
    }
}
