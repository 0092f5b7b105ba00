using System.Text;
using Aiproxy.EventStream;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Kiro;

/// <summary>AWS frames whose errors tell their text in the payload, as exceptions do: an <c>error</c> message has it in a header.</summary>
public sealed class KiroFrames(AwsFrameReader inner) : IFrameReader
{
    private byte[] _told = [];

    public bool HasPartialFrame => inner.HasPartialFrame;

    public ValueTask<bool> FillAsync(CancellationToken cancellationToken) => inner.FillAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    public bool TryRead(out Frame frame)
    {
        if (!inner.TryRead(out frame)) return false;
        if (!frame.IsException || !frame.Data.IsEmpty) return true;
        if (!AwsHeaders.OfMessage(frame.Raw).TryGetString(":error-message"u8, out ReadOnlySpan<byte> message)) return true;
        _told = [.. "{\"message\":"u8, .. RawJson.Encode(Encoding.UTF8.GetString(message)), (byte)'}'];
        frame = new Frame { Event = frame.Event, Data = _told, Raw = frame.Raw, IsException = true };
        return true;
    }
}
