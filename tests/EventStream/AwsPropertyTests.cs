using System.Text;
using Aiproxy.EventStream;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.EventStream;

public sealed class AwsPropertyTests
{
    // Enough for every kind of mutation, every rule and every limit in all their pairs; the long run is tests/bench/frames.sh.
    private const int FuzzCases = 200_000;

    private sealed record Header(string Name, AwsHeaderType Type, long Number, string Text);

    [Fact]
    public void WrittenMessages_AnySplits_ComeBack()
    {
        Gen<(Header[], string)[]> messages = Headers.Zip(Text).Select(pair => (pair.Item1, pair.Item2)).ArrayOf();
        Prop.ForAll(messages.ToArbitrary(), Gen.Choose(0, 60).ArrayOf().ToArbitrary(), (list, splits) =>
        {
            byte[][] written = [.. list.Select(item => AwsFrameWriter.Message(Block(item.Item1), Encoding.UTF8.GetBytes(item.Item2)))];
            AwsBody read = AwsBody.ReadAsync(Cut([.. written.SelectMany(frame => frame)], splits)).GetAwaiter().GetResult();
            return read.Failure is null && read.Messages.Select(message => message.Raw).SequenceEqual(written.Select(frame => AwsBody.Latin(frame)))
                && read.Messages.Select(message => message.Data).SequenceEqual(list.Select(item => AwsBody.Latin(Encoding.UTF8.GetBytes(item.Item2))))
                && list.Zip(written).All(pair => ComesBack(pair.First.Item1, pair.Second));
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void MutatedFrames_NeitherCrashNorGrow_AndAreReadAsTheDefinitionReadsThem()
    {
        var fuzz = new AwsFuzz();
        for (ulong seed = 0; seed < FuzzCases; seed++) Assert.Null(fuzz.Run(seed));
        Assert.InRange(fuzz.MostAllocated, 1, AwsFuzz.AllocationLimit);
        Assert.True(fuzz.Frames > FuzzCases / 2 && fuzz.Faults.Count == 14, $"{fuzz.Frames} frames, {fuzz.Faults.Count} kinds of fault");
    }

    private static Gen<string> Text => Gen.Elements("{\"a\":1}", "", "ü", "漢字", "\0", "x", " ", "\n").ArrayOf().Select(string.Concat);

    private static Gen<Header[]> Headers =>
        Gen.Elements("a", ":event-type", "ü", "name", "long-name-of-a-header", ":message-type", "b", "c").Zip(Gen.Choose(0, 9)).Zip(Text).Zip(ArbMap.Default.GeneratorFor<long>())
            .Select(item => new Header(item.Item1.Item1.Item1, (AwsHeaderType)item.Item1.Item1.Item2, item.Item2, item.Item1.Item2))
            .ArrayOf().Select(headers => headers.DistinctBy(header => header.Name).ToArray());

    private static AwsHeaderBlock Block(Header[] headers)
    {
        var block = new AwsHeaderBlock();
        foreach (Header header in headers)
        {
            _ = header.Type switch
            {
                AwsHeaderType.True => block.Boolean(header.Name, true),
                AwsHeaderType.False => block.Boolean(header.Name, false),
                AwsHeaderType.Byte => block.Byte(header.Name, (sbyte)header.Number),
                AwsHeaderType.Short => block.Short(header.Name, (short)header.Number),
                AwsHeaderType.Integer => block.Integer(header.Name, (int)header.Number),
                AwsHeaderType.Long => block.Long(header.Name, header.Number),
                AwsHeaderType.Bytes => block.Bytes(header.Name, Encoding.Unicode.GetBytes(header.Text)),
                AwsHeaderType.String => block.String(header.Name, header.Text),
                AwsHeaderType.Timestamp => block.Timestamp(header.Name, header.Number),
                _ => block.Uuid(header.Name, UuidOf(header)),
            };
        }
        return block;
    }

    private static bool ComesBack(Header[] headers, byte[] frame)
    {
        int index = 0;
        foreach (AwsHeader read in AwsHeaders.OfMessage(frame))
        {
            Header header = headers[index++];
            bool isSame = read.Type == header.Type && Encoding.UTF8.GetString(read.Name) == header.Name && header.Type switch
            {
                AwsHeaderType.True or AwsHeaderType.False => read.IsTrue == (header.Type == AwsHeaderType.True),
                AwsHeaderType.Byte => read.Number == (sbyte)header.Number,
                AwsHeaderType.Short => read.Number == (short)header.Number,
                AwsHeaderType.Integer => read.Number == (int)header.Number,
                AwsHeaderType.Long or AwsHeaderType.Timestamp => read.Number == header.Number,
                AwsHeaderType.Bytes => Encoding.Unicode.GetString(read.Value) == header.Text,
                AwsHeaderType.String => Encoding.UTF8.GetString(read.Value) == header.Text,
                _ => read.Uuid == UuidOf(header),
            };
            if (!isSame) return false;
        }
        return index == headers.Length;
    }

    private static Guid UuidOf(Header header) => new((int)header.Number, (short)header.Number, 7, 1, 2, 3, 4, 5, 6, 7, (byte)header.Number);

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
