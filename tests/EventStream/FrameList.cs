using System.Text;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

/// <summary>A frame kept for comparison.</summary>
public sealed record KeptFrame(string Event, string Data, string Raw);

/// <summary>Reads a body to its end.</summary>
public static class FrameList
{
    public static async Task<List<KeptFrame>> ReadAllAsync(IFrameReader reader)
    {
        var frames = new List<KeptFrame>();
        while (await reader.FillAsync(CancellationToken.None))
        {
            while (TryKeep(reader, out KeptFrame? frame)) frames.Add(frame!);
        }
        Assert.False(await reader.FillAsync(CancellationToken.None));
        Assert.False(TryKeep(reader, out _));
        return frames;
    }

    public static bool TryKeep(IFrameReader reader, out KeptFrame? kept)
    {
        kept = null;
        if (!reader.TryRead(out Frame frame)) return false;
        Assert.False(frame.IsException);
        // Latin-1 keeps every byte apart, valid UTF-8 or not.
        kept = new KeptFrame(Encoding.Latin1.GetString(frame.Event), Encoding.Latin1.GetString(frame.Data), Encoding.Latin1.GetString(frame.Raw));
        return true;
    }

    public static string RawOf(IEnumerable<KeptFrame> frames) => string.Concat(frames.Select(frame => frame.Raw));

    /// <summary>Frames that say something: all but those of comments and blank lines.</summary>
    public static IEnumerable<(string Event, string Data)> Events(IEnumerable<KeptFrame> frames) =>
        frames.Where(frame => frame.Data.Length > 0).Select(frame => (frame.Event, frame.Data));
}
