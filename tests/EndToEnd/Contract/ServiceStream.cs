using System.Text;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>A good stream of one service, frame by frame, in the bytes of its own framing.</summary>
/// <param name="Opening">Before any output; may be empty.</param>
/// <param name="Output">The first frames of which show the first words.</param>
/// <param name="Ending">What makes it complete.</param>
public sealed record ServiceStream(IReadOnlyList<byte[]> Opening, IReadOnlyList<byte[]> Output, IReadOnlyList<byte[]> Ending)
{
    public static ServiceStream Of(Transcript transcript, Func<string, string>? wrap = null)
    {
        byte[][] Bytes(IReadOnlyList<string> frames) => [.. frames.Select(frame => Encoding.UTF8.GetBytes(wrap?.Invoke(frame) ?? frame))];
        return new ServiceStream(Bytes(transcript.Handshake), Bytes(transcript.Output), Bytes(transcript.Terminal));
    }

    /// <summary>Opening and more than half of the output.</summary>
    public IEnumerable<byte[]> Beginning => [.. Opening, .. Output.Take((Output.Count / 2) + 1)];
}
