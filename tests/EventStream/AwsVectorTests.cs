using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

public sealed class AwsVectorTests
{
    public static TheoryData<string> Files() => [.. AwsVectors.Names];

    [Fact]
    public void Manifest_NamesEveryFile()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "fixtures", "eventstream");
        IEnumerable<string> stored = Directory.EnumerateFiles(folder, "*.bin", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'));
        Assert.Equal(AwsVectors.Names.Order(StringComparer.Ordinal), stored.Order(StringComparer.Ordinal));
        Assert.Equal(79, AwsVectors.Names.Count());
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Body_AnyReads_GivesItsFramesAndItsFault(string file)
    {
        AwsVector vector = AwsVectors.Load(file);
        foreach ((string way, Func<PipeReader> open) in WaysOf(vector))
        {
            AwsBody read = await AwsBody.ReadAsync(open());
            Assert.True(vector.Frames.Length == read.Messages.Count, $"{way}: {read.Messages.Count} frames, {read.Failure?.Message}");
            Assert.True(vector.Fault == read.Failure?.Fault, $"{way}: {read.Failure?.Message}");
            Assert.True((vector.Fault is null ? vector.Body.Length : vector.FaultOffset) == read.Bytes, way);
            for (int index = 0; index < vector.Frames.Length; index++) AssertFrame(vector.Frames[index], read.Messages[index]);
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Body_ByTheDocumentedProtocol_SaysWhatItsFramesAre(string file)
    {
        AwsVector vector = AwsVectors.Load(file);
        AwsBody read = await AwsBody.ReadAsync(ScriptedPipe.Whole(vector.Body), AwsMessageRule.Documented);
        var told = read.Messages.Select(Described).ToList();
        if (read.Failure?.Fault is FrameFault.MessageType or FrameFault.EventType) told.Add("reject");

        // "error CODE | TEXT": the text is a header, told apart below. Behind a rejected frame or an error there is nothing.
        var expected = vector.Frames.Select(frame => frame.GetProperty("class").GetString()!).Select(text => text.StartsWith("reject", StringComparison.Ordinal) ? "reject" : text).ToList();
        int last = expected.FindIndex(text => !text.StartsWith("event", StringComparison.Ordinal));
        Assert.Equal(last < 0 ? expected : expected[..(last + 1)], told);
    }

    [Fact]
    public async Task SoundBodies_OneBehindTheOther_GiveAllTheirFrames()
    {
        AwsVector[] sound = [.. AwsVectors.Names.Select(AwsVectors.Load).Where(vector => vector.Fault is null)];
        byte[] body = [.. sound.SelectMany(vector => vector.Body)];
        JsonElement[] frames = [.. sound.SelectMany(vector => vector.Frames)];
        foreach (int length in new[] { 1, 3, 16, 4096, body.Length })
        {
            AwsBody read = await AwsBody.ReadAsync(ScriptedPipe.Of([.. body.Chunk(length)]));
            Assert.Null(read.Failure);
            Assert.Equal(frames.Length, read.Messages.Count);
            for (int index = 0; index < frames.Length; index++) AssertFrame(frames[index], read.Messages[index]);
        }
    }

    [Fact]
    public async Task HostilePreludes_AreRefusedWithoutAnotherByte()
    {
        foreach (string file in AwsVectors.Names.Where(name => name.Contains("/prelude_") || name.Contains("zero_bytes")))
        {
            AwsVector vector = AwsVectors.Load(file);
            // A pipe that never ends: who waits for more is not refused.
            var pipe = new Pipe();
            await pipe.Writer.WriteAsync(vector.Body.AsMemory(0, AwsFrameReader.PreludeBytes));
            await using var reader = new AwsFrameReader(pipe.Reader, AwsMessageRule.Any);
            Assert.True(await reader.FillAsync(CancellationToken.None));
            if (vector.Fault == FrameFault.Truncated) Assert.False(reader.TryRead(out _));
            else Assert.Equal(vector.Fault, Assert.Throws<FrameException>(() => reader.TryRead(out _)).Fault);
        }
    }

    [Fact]
    public async Task GeneratedBodies_AreRefusedByTheirPrelude()
    {
        foreach (JsonElement vector in AwsVectors.Generated)
        {
            byte[] prefix = Convert.FromHexString(vector.GetProperty("hex_prefix").GetString()!);
            var filler = new byte[vector.GetProperty("repeat_count").GetInt32()];
            filler.AsSpan().Fill(Convert.ToByte(vector.GetProperty("repeat_byte").GetString(), 16));
            var pipe = ScriptedPipe.Of(prefix, filler, Convert.FromHexString(vector.GetProperty("hex_suffix").GetString()!));
            AwsBody read = await AwsBody.ReadAsync(pipe);
            Assert.Equal(AwsVectors.FaultOf(vector.GetProperty("error").GetString()!), read.Failure?.Fault);
            Assert.Equal(prefix.Length, pipe.Lent);
        }
    }

    private static IEnumerable<(string, Func<PipeReader>)> WaysOf(AwsVector vector)
    {
        // Every place of a body of 32 KB would copy it 65,000 times; a prime stride still meets every alignment.
        IEnumerable<(string, Func<PipeReader>)> ways = vector.Body.Length < 8192 ? Trickle.Ways(vector.Body) : Trickle.Ways(vector.Body).Where((_, index) => index < 200 || index % 61 == 0);
        foreach ((string, Func<PipeReader>) way in ways) yield return way;
        if (vector.ChunkSizes.Length == 0) yield break;
        var chunks = new List<byte[]>();
        int at = 0;
        foreach (int size in vector.ChunkSizes) chunks.Add(vector.Body[at..(at += size)]);
        chunks.Add(vector.Body[at..]);
        yield return ("its own chunks", () => ScriptedPipe.Of([.. chunks]));
    }

    private static string Described(KeptMessage message)
    {
        byte[] raw = Encoding.Latin1.GetBytes(message.Raw);
        string name = Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(message.Event));
        if (!message.IsException) return "event " + name;
        if (!AwsHeaders.OfMessage(raw).TryGetString(":error-code"u8, out _)) return "exception " + name;
        AwsHeaders.OfMessage(raw).TryGetString(":error-message"u8, out ReadOnlySpan<byte> text);
        return $"error {name} | {Encoding.UTF8.GetString(text)}";
    }

    private static void AssertFrame(JsonElement expected, KeptMessage message)
    {
        byte[] raw = Encoding.Latin1.GetBytes(message.Raw);
        Assert.Equal(expected.GetProperty("total_length").GetInt32(), raw.Length);
        Assert.Equal(expected.GetProperty("payload_base64").GetString(), Convert.ToBase64String(Encoding.Latin1.GetBytes(message.Data)));
        var headers = new List<string>();
        foreach (AwsHeader header in AwsHeaders.OfMessage(raw)) headers.Add($"{Encoding.UTF8.GetString(header.Name)} {(int)header.Type} {Shown(header)}");
        Assert.Equal(
            expected.GetProperty("headers").EnumerateArray().Select(header =>
                $"{header.GetProperty("name").GetString()} {header.GetProperty("type").GetInt32()} {header.GetProperty("value")}"),
            headers);
    }

    private static string Shown(in AwsHeader header) => header.Type switch
    {
        AwsHeaderType.True or AwsHeaderType.False => header.IsTrue.ToString(),
        AwsHeaderType.Bytes => Convert.ToBase64String(header.Value),
        AwsHeaderType.String => Encoding.UTF8.GetString(header.Value),
        AwsHeaderType.Uuid => header.Uuid.ToString(),
        _ => header.Number.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
