using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>How the frames of an upstream's answer become the client's bytes. One object per response.</summary>
public interface IResponseWay
{
    /// <summary>The answer is collected and written only when it is whole.</summary>
    bool IsWhole { get; }

    /// <summary>A frame that the reader has read and that told no failure.</summary>
    void OnFrame(in Frame frame, IBufferWriter<byte> output);

    /// <summary>The answer ended properly.</summary>
    void OnEnd(IBufferWriter<byte> output);

    /// <summary>Fills a silent stretch.</summary>
    void OnSilence(IBufferWriter<byte> output);

    /// <summary>Tells a failure to a client whose answer has begun.</summary>
    void OnFailure(ProxyError error, IBufferWriter<byte> output);
}
