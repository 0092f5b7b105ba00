using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Anthropic;

/// <summary>Plays a random but legal series of sink calls, with several blocks open at once.</summary>
public static class RandomAnswer
{
    private static readonly string[] Pieces = ["", "a", "é\n\"", "{", "}", "{\"k\":1}", "null", "😀", " "];

    public static void Play(IResponseSink sink, Random random)
    {
        if (random.Next(10) > 0) sink.Start("up-1"u8, "up"u8);
        else
        {
            sink.Fail(new ProxyError(ErrorKind.Timeout, "late"));
            return;
        }
        var open = new List<int>();
        int next = 0;
        for (int step = random.Next(30); step > 0; step--)
        {
            int action = random.Next(6);
            if (action == 0 || open.Count == 0)
            {
                open.Add(next);
                sink.BlockStart(next++, (BlockKind)random.Next(6), random.Next(2) == 0 ? default : "id"u8, "tool"u8);
            }
            else if (action == 1)
            {
                int key = open[random.Next(open.Count)];
                open.Remove(key);
                sink.BlockEnd(key);
            }
            else if (action == 2)
            {
                sink.BlockSeal(open[random.Next(open.Count)], (SealKind)random.Next(5), "\"c2VhbA==\""u8);
            }
            else if (action == 3)
            {
                sink.Usage(new TokenUsage { Input = random.Next(100), Output = random.Next(100) });
            }
            else
            {
                sink.BlockDelta(open[random.Next(open.Count)], RawJson.Encode(Pieces[random.Next(Pieces.Length)]));
            }
        }
        if (random.Next(5) == 0)
        {
            sink.Fail(new ProxyError(ErrorKind.BadGateway, "cut"));
            return;
        }
        foreach (int key in open) sink.BlockEnd(key);
        sink.Finish((FinishReason)random.Next(7));
    }
}
