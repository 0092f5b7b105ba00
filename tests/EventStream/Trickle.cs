using System.IO.Pipelines;

namespace Aiproxy.Tests.EventStream;

/// <summary>Every way in which the same bytes can arrive.</summary>
public static class Trickle
{
    public static IEnumerable<(string Way, Func<PipeReader> Open)> Ways(byte[] body)
    {
        yield return ("whole", () => ScriptedPipe.Whole(body));
        yield return ("one byte a read", () => ScriptedPipe.ByteWise(body));
        yield return ("stream", () => PipeReader.Create(new MemoryStream(body)));
        for (int position = 0; position <= body.Length; position++)
        {
            int at = position;
            yield return ($"reads part at {at}", () => ScriptedPipe.SplitAt(body, at));
            yield return ($"segments part at {at}", () => ScriptedPipe.SegmentsAt(body, at));
        }
    }
}
