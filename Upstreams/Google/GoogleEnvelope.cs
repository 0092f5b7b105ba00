using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>The frames of a Code Assist stream without its envelope: each is a chunk of Gemini's own stream, and an event that its clients take.</summary>
/// <remarks>What is no chunk (trace ids, credits, comments) is swallowed. Spans die at the next <see cref="TryRead"/>. Owns the reader.</remarks>
/// <param name="frames">Events, or the elements of an array.</param>
public sealed class GoogleEnvelope(IFrameReader frames, EnvelopeOpening opening) : IFrameReader
{
    private static readonly int PrefixLength = "data: "u8.Length, EndLength = "\r\n\r\n"u8.Length;

    private readonly Queue<byte[]> _pending = new();

    private byte[] _event = [];

    public bool HasPartialFrame => frames.HasPartialFrame;

    public ValueTask<bool> FillAsync(CancellationToken cancellationToken) => frames.FillAsync(cancellationToken);

    public bool TryRead(out Frame frame)
    {
        while (true)
        {
            if (_pending.TryDequeue(out byte[]? element))
            {
                if (TryOpen(element, out frame)) return true;
                continue;
            }
            if (!frames.TryRead(out Frame wrapped))
            {
                frame = default;
                return false;
            }
            ReadOnlySpan<byte> data = wrapped.Data.TrimStart(" \t\r\n"u8);
            if (data.IsEmpty || data.SequenceEqual("[DONE]"u8) || (data[0] == (byte)'[' && TakeElements(data))) continue;
            if (TryOpen(data, out frame)) return true;
        }
    }

    public ValueTask DisposeAsync() => frames.DisposeAsync();

    /// <summary>Errors come in an array at times. False: it is none.</summary>
    private bool TakeElements(ReadOnlySpan<byte> array)
    {
        try
        {
            var items = new JsonScan(array);
            while (items.Next()) _pending.Enqueue(items.Value.ToArray());
            return true;
        }
        catch (JsonException)
        {
            _pending.Clear();
            return false;
        }
    }

    private bool TryOpen(ReadOnlySpan<byte> data, out Frame frame)
    {
        frame = default;
        if (opening.Open(data, out ReadOnlySpan<byte> payload) == EnvelopeOpening.Content.Nothing) return false;
        int length = PrefixLength + payload.Length + EndLength;
        if (_event.Length < length) _event = new byte[Math.Max(length, Math.Min(2 * _event.Length, 64 * 1024))];
        "data: "u8.CopyTo(_event);
        Span<byte> line = _event.AsSpan(PrefixLength, payload.Length);
        payload.CopyTo(line);
        // JSON has raw line ends only between its tokens, where a space means the same.
        line.Replace((byte)'\n', (byte)' ');
        line.Replace((byte)'\r', (byte)' ');
        "\r\n\r\n"u8.CopyTo(_event.AsSpan(PrefixLength + payload.Length));
        frame = new Frame { Data = line, Raw = _event.AsSpan(0, length) };
        return true;
    }
}
