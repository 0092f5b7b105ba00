using System.Buffers;
using System.Text;
using Aiproxy.EventStream;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.EventStream;

public sealed class SsePropertyTests
{
    private static readonly string[] Pieces = ["data", "event", "id", ":", ": ", " ", "\n", "\n\n", "\r", "\r\n", "\r\n\r\n", "x", "{\"a\":1}", "\uFEFF", "ü", "\0", "[DONE]"];

    [Fact]
    public void WrittenEvents_AnySplits_ComeBack()
    {
        Gen<(string, string)[]> events = Text(Name).Zip(Text(Line)).Select(pair => (pair.Item1, pair.Item2)).ArrayOf();
        Prop.ForAll(events.ToArbitrary(), Splits.ToArbitrary(), (list, splits) =>
        {
            var output = new ArrayBufferWriter<byte>();
            foreach ((string name, string data) in list)
            {
                if (name.Length == 0) SseWriter.WriteData(output, Encoding.UTF8.GetBytes(data));
                else SseWriter.WriteEvent(output, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(data));
                SseWriter.WriteComment(output, "keepalive"u8);
            }
            byte[] body = output.WrittenSpan.ToArray();
            var reader = new SseReader(Cut(body, splits));
            List<KeptFrame> frames = FrameList.ReadAllAsync(reader).GetAwaiter().GetResult();
            (string, string)[] expected = [.. list.Select(item => (Latin(item.Item1), Latin(item.Item2)))];
            (string, string)[] got = [.. frames.Where(frame => !frame.Raw.StartsWith(':')).Select(frame => (frame.Event, frame.Data))];
            return expected.SequenceEqual(got) && frames.Count == 2 * list.Length && reader.EndedWithBlankLine;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void AnyBytes_AnySplits_SameFrameContentsAsWhole_AndRawIsTheBody()
    {
        Prop.ForAll(Soup.ToArbitrary(), Splits.ToArbitrary(), (body, splits) =>
        {
            (List<KeptFrame> whole, bool wholePartial) = Read(ScriptedPipe.Whole(body));
            (List<KeptFrame> split, bool splitPartial) = Read(Cut(body, splits));
            string text = Encoding.Latin1.GetString(body);
            string raw = FrameList.RawOf(split);
            return FrameList.Events(whole).SequenceEqual(FrameList.Events(split)) && wholePartial == splitPartial
                && (splitPartial ? raw.Length < text.Length && text.StartsWith(raw, StringComparison.Ordinal) : raw == text);
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void AnyBytes_SmallLimit_ThrowNothingButFrameException()
    {
        Prop.ForAll(Soup.ToArbitrary(), Splits.ToArbitrary(), (body, splits) =>
        {
            ScriptedPipe pipe = Cut(body, splits);
            try
            {
                Read(pipe, 20);
            }
            catch (FrameException exception) when (exception.Fault == FrameFault.TooLong)
            {
                return body.Length > 20;
            }
            return true;
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    private static Gen<int[]> Splits => Gen.Choose(0, 40).ArrayOf();

    private static Gen<byte[]> Soup => Gen.Elements(Pieces).ArrayOf().Select(pieces => Encoding.UTF8.GetBytes(string.Concat(pieces)));

    private static string[] Name => ["a", "message_start", "_", "ü", ":"];

    private static string[] Line => ["x", " ", ":", "{\"a\":1}", "漢", "🙂", "\\n", "\t"];

    private static Gen<string> Text(string[] letters) => Gen.Elements(letters).ArrayOf().Select(string.Concat);

    private static string Latin(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static (List<KeptFrame>, bool) Read(ScriptedPipe pipe, int limit = SseReader.DefaultMaxFrameBytes)
    {
        var reader = new SseReader(pipe, limit);
        return (FrameList.ReadAllAsync(reader).GetAwaiter().GetResult(), reader.HasPartialFrame);
    }

    /// <summary>Reads of the lengths given, every third of them in two segments; what is left over is the last read.</summary>
    private static ScriptedPipe Cut(byte[] body, int[] lengths)
    {
        var reads = new List<byte[][]>();
        int at = 0;
        foreach (int wanted in lengths)
        {
            int length = Math.Min(wanted, body.Length - at);
            byte[] read = body[at..(at + length)];
            reads.Add(reads.Count % 3 == 0 ? [read[..(length / 2)], read[(length / 2)..]] : [read]);
            at += length;
        }
        reads.Add([body[at..]]);
        return new ScriptedPipe(reads);
    }
}
