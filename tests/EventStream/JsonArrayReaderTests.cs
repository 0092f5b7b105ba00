using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.EventStream;

public sealed class JsonArrayReaderTests
{
    [Theory]
    [InlineData("[]", new[] { "" }, new[] { "[]" })]
    [InlineData("[{}]", new[] { "{}", "" }, new[] { "[{}", "]" })]
    [InlineData(" [ {\"a\":1} ,\r\n{\"b\":{\"c\":[{}]}}\n]\n", new[] { "{\"a\":1}", "{\"b\":{\"c\":[{}]}}", "", "" },
        new[] { " [ {\"a\":1}", " ,\r\n{\"b\":{\"c\":[{}]}}", "\n]", "\n" })]
    [InlineData("[{\"a\":\"}{\"},{\"b\":\"\\\"}\"},{\"c\":\"\\\\\"},{\"d\":\"\\\\\\\"}\"}]", new[] { "{\"a\":\"}{\"}", "{\"b\":\"\\\"}\"}", "{\"c\":\"\\\\\"}", "{\"d\":\"\\\\\\\"}\"}", "" },
        new[] { "[{\"a\":\"}{\"}", ",{\"b\":\"\\\"}\"}", ",{\"c\":\"\\\\\"}", ",{\"d\":\"\\\\\\\"}\"}", "]" })]
    public async Task AnyReads_SameFrames(string body, string[] data, string[] raw)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        foreach ((string way, Func<PipeReader> open) in Trickle.Ways(bytes))
        {
            await using var reader = new JsonArrayReader(open());
            List<KeptFrame> frames = await FrameList.ReadAllAsync(reader);
            Assert.Equal(data, frames.Select(frame => frame.Data));
            Assert.Equal(raw, frames.Select(frame => frame.Raw));
            Assert.True(reader.Opened && reader.Closed && !reader.HasPartialFrame, way);
            Assert.Equal(data.Count(element => element.Length > 0), reader.Elements);
        }
    }

    [Fact]
    public async Task Element_IsHandedOutBeforeItsSeparatorCame()
    {
        await using var reader = new JsonArrayReader(ScriptedPipe.Of("[{\"a\":1}"u8.ToArray(), "]"u8.ToArray()));
        Assert.False(reader.Opened);
        Assert.True(await reader.FillAsync(CancellationToken.None));
        Assert.True(FrameList.TryKeep(reader, out KeptFrame? frame));
        Assert.Equal("{\"a\":1}", frame!.Data);
        Assert.True(reader.Opened && !reader.Closed);
        Assert.Equal(1, reader.Elements);
    }

    [Theory]
    [InlineData("[", 0)]
    [InlineData("[{\"a\":", 0)]
    [InlineData("[{}", 1)]
    [InlineData("[{},", 1)]
    [InlineData("[{}, {\"a\":\"x", 1)]
    [InlineData("[{}\n", 1)]
    [InlineData("  ", 0)]
    public async Task BodyEndsEarly_IsAPartialFrame(string body, int elements)
    {
        foreach ((string way, Func<PipeReader> open) in Trickle.Ways(Encoding.UTF8.GetBytes(body)))
        {
            await using var reader = new JsonArrayReader(open());
            List<KeptFrame> frames = await FrameList.ReadAllAsync(reader);
            Assert.True(frames.Count == elements, way);
            Assert.True(reader.HasPartialFrame && !reader.Closed, way);
            Assert.Equal(elements, reader.Elements);
        }
    }

    [Fact]
    public async Task EmptyBody_HasNothing()
    {
        await using var reader = new JsonArrayReader(ScriptedPipe.Whole([]));
        Assert.Empty(await FrameList.ReadAllAsync(reader));
        Assert.False(reader.HasPartialFrame || reader.Opened);
    }

    [Theory]
    [InlineData("{\"error\":1}")]
    [InlineData("data: {}")]
    [InlineData("[{}{}]")]
    [InlineData("[{},]")]
    [InlineData("[,{}]")]
    [InlineData("[1]")]
    [InlineData("[[{}]]")]
    [InlineData("[{}]]")]
    [InlineData("[{}] {}")]
    public async Task AnythingElseBetweenElements_IsMalformed_AndStaysSo(string body)
    {
        foreach ((_, Func<PipeReader> open) in Trickle.Ways(Encoding.UTF8.GetBytes(body)))
        {
            await using var reader = new JsonArrayReader(open());
            Assert.Equal(FrameFault.Malformed, (await Assert.ThrowsAsync<FrameException>(() => FrameList.ReadAllAsync(reader))).Fault);
            Assert.Throws<FrameException>(() => reader.TryRead(out _));
        }
    }

    [Theory]
    [InlineData("[{\"a\":\"0123456789\"}]")]
    [InlineData("[                          {}]")]
    [InlineData("[{}                          ]")]
    public async Task FrameOverItsLimit_Throws(string body)
    {
        await using var reader = new JsonArrayReader(ScriptedPipe.ByteWise(Encoding.UTF8.GetBytes(body)), maxFrameBytes: 16);
        Assert.Equal(FrameFault.TooLong, (await Assert.ThrowsAsync<FrameException>(() => FrameList.ReadAllAsync(reader))).Fault);
    }

    [Fact]
    public void AnyObjects_ComeBack_AndRawIsTheBody()
    {
        Gen<string> text = Gen.Elements("a", "\"", "\\", "{", "}", "[", "]", ",", "ü", "\n").ArrayOf().Select(string.Concat);
        Gen<string[]> texts = text.ArrayOf();
        Prop.ForAll(texts.ToArbitrary(), Gen.Choose(1, 9).ToArbitrary(), (list, size) =>
        {
            string[] elements = [.. list.Select(item => "{\"x\":\"" + JsonEncodedText.Encode(item) + "\",\"y\":{}}")];
            byte[] body = Encoding.UTF8.GetBytes("[" + string.Join(",\r\n", elements) + "\n]");
            var reader = new JsonArrayReader(ScriptedPipe.Of([.. body.Chunk(size)]));
            List<KeptFrame> frames = FrameList.ReadAllAsync(reader).GetAwaiter().GetResult();
            return frames.Select(frame => frame.Data).SequenceEqual([.. elements, ""]) && FrameList.RawOf(frames) == Encoding.Latin1.GetString(body);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void AnyBytes_ThrowNothingButFrameException()
    {
        Gen<string> soup = Gen.Elements("[", "]", "{", "}", "\"", "\\", ",", " ", "x", "{}", "[{").ArrayOf().Select(string.Concat);
        Prop.ForAll(soup.ToArbitrary(), Gen.Choose(1, 9).ToArbitrary(), (text, size) =>
        {
            byte[] body = Encoding.UTF8.GetBytes(text);
            var reader = new JsonArrayReader(ScriptedPipe.Of([.. body.Chunk(size)]));
            try
            {
                string raw = FrameList.RawOf(FrameList.ReadAllAsync(reader).GetAwaiter().GetResult());
                return reader.HasPartialFrame ? text.StartsWith(raw) : raw == text;
            }
            catch (FrameException)
            {
                return true;
            }
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000));
    }
}
