using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Tests.EventStream;
using Aiproxy.Upstreams.Google;

namespace Aiproxy.Tests.Upstreams.Google;

public sealed class GoogleEnvelopeTests
{
    private static readonly EnvelopeOpening Plain = new(null, null, null);

    private const string Inner = """{"candidates":[{"content":{"parts":[{"text":"ä"}]}}],"responseId":"r1"}""";

    private static async Task<List<KeptFrame>> Read(PipeReader body, bool isArray = false, EnvelopeOpening? opening = null)
    {
        await using var frames = new GoogleEnvelope(isArray ? new JsonArrayReader(body) : new SseReader(body), opening ?? Plain);
        return await FrameList.ReadAllAsync(frames);
    }

    private static Task<List<KeptFrame>> Read(string body, bool isArray = false, EnvelopeOpening? opening = null) => Read(ScriptedPipe.Whole(Encoding.UTF8.GetBytes(body)), isArray, opening);

    private static string Latin(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task Stream_HoweverItArrives_IsTheInnerEvents(string end)
    {
        string body = string.Join(end,
            ": ping", "", "data: {\"response\":", "data: " + Inner + ",", "data: \"traceId\":\"t\"}", "", "data: {\"traceId\":\"t2\",\"remainingCredits\":[]}", "",
            "event: x", "data: {\"response\":{\"candidates\":[{\"finishReason\":\"STOP\"}]},\"traceId\":\"t3\"}", "", "");
        foreach ((string way, Func<PipeReader> open) in Trickle.Ways(Encoding.UTF8.GetBytes(body)))
        {
            List<KeptFrame> frames = await Read(open());
            Assert.True(frames.Select(frame => frame.Data).SequenceEqual([Latin(Inner), """{"responseId":"t3","candidates":[{"finishReason":"STOP"}]}"""]), way);
            Assert.All(frames, frame => Assert.Equal("data: " + frame.Data + "\r\n\r\n", frame.Raw));
        }
    }

    [Fact]
    public async Task Array_HoweverItArrives_IsTheInnerEvents()
    {
        string body = "[{\"response\":" + Inner + "},\r\n{\"traceId\":\"t\"}\n,{\"response\":{\"responseId\":\"r2\"}}]\n";
        foreach ((string way, Func<PipeReader> open) in Trickle.Ways(Encoding.UTF8.GetBytes(body)))
            Assert.True((await Read(open(), isArray: true)).Select(frame => frame.Data).SequenceEqual([Latin(Inner), """{"responseId":"r2"}"""]), way);
    }

    [Theory]
    [InlineData("""{"error":{"code":429,"message":"no"}}""")]
    [InlineData("""{"response":{},"error":{"code":429,"message":"no"}}""")]
    [InlineData("""{"response": oh""")]
    [InlineData("no json")]
    public async Task WhatIsNoPayload_GoesToTheReaderAsItIs(string data) => Assert.Equal(data, Assert.Single(await Read("data: " + data + "\n\n")).Data);

    [Fact]
    public async Task ErrorInAnArray_IsTakenOutOfIt() =>
        Assert.Equal("""{"error":{"code":503}}""", Assert.Single(await Read("data: [{\"error\":{\"code\":503}}]\n\n")).Data);

    [Theory]
    [InlineData("data: [DONE]\n\n")]
    [InlineData("data: {\"traceId\":\"t\"}\n\n")]
    [InlineData("data: {\"response\":null,\"traceId\":\"t\"}\n\n")]
    [InlineData(": only a comment\n\n")]
    public async Task WhatTellsNothing_IsSwallowed(string body) => Assert.Empty(await Read(body));

    [Fact]
    public async Task LineEndsBetweenTokens_StayOnOneLine()
    {
        KeptFrame frame = Assert.Single(await Read("[{\"response\":{\r\n  \"responseId\": \"a\\nb\"\r\n}}]", isArray: true));
        Assert.Equal("{    \"responseId\": \"a\\nb\"  }", frame.Data);
        Assert.Equal(1, frame.Raw.Split("\r\n\r\n").Length - 1);
    }

    [Fact]
    public async Task CutStream_HasAPartialFrame()
    {
        await using var frames = new GoogleEnvelope(new JsonArrayReader(ScriptedPipe.Whole("[{\"response\":{}"u8.ToArray())), Plain);
        await FrameList.ReadAllAsync(frames);
        Assert.True(frames.HasPartialFrame);
    }

    [Fact]
    public async Task Calls_GetTheirNamesAndArgumentsBack()
    {
        var nothing = new Dictionary<string, ArgumentCut>();
        var opening = new EnvelopeOpening(
            new Dictionary<string, string> { ["_2do"] = "2do" },
            new Dictionary<string, ArgumentCut>
            {
                ["_2do"] = new("reason", nothing, null),
                ["deep"] = new(null, new Dictionary<string, ArgumentCut> { ["list"] = new(null, nothing, new ArgumentCut("_", nothing, null)) }, null),
            }, null);
        string parts = """{"functionCall":{"name":"_2do","args":{"reason":"because"}}},{"functionCall":{"id":"c","name":"deep","args":{"_":1, "list":[{"a":1,"_":true},{"_":false}],"reason":"mine"}}},{"functionCall":{"name":"other","args":{"_":1}}},{"text":"\"functionCall\" _2do"}""";
        string data = Assert.Single(await Read(GoogleRig.Events(GoogleRig.Parts(parts)), opening: opening)).Data;
        Assert.Contains(
            """{"functionCall":{"name":"2do","args":{}}},{"functionCall":{"id":"c","name":"deep","args":{"_":1, "list":[{"a":1},{}],"reason":"mine"}}},{"functionCall":{"name":"other","args":{"_":1}}},{"text":"\"functionCall\" _2do"}""",
            data);
        JsonDocument.Parse(data);
    }

    [Theory]
    [InlineData("""{"response":{"responseId":"r","candidates":[]},"traceId":"t"}""", """{"responseId":"r","candidates":[]}""")]
    [InlineData("""{"traceId":"t","response":{}}""", """{"responseId":"t"}""")]
    [InlineData("""[{"response":{"responseId":"r"}}]""", """{"responseId":"r"}""")]
    [InlineData("""[{"response":{"responseId":"r"}},{"traceId":"t"},{"response":{"responseId":"s"}}]""", """[{"responseId":"r"},{"responseId":"s"}]""")]
    [InlineData("""[{"error":{"code":400}}]""", """{"error":{"code":400}}""")]
    [InlineData("""{"error":{"code":400}}""", """{"error":{"code":400}}""")]
    [InlineData("no json", "no json")]
    public void WholeAnswer_IsTakenOutOfItsEnvelope(string body, string expected) => Assert.Equal(expected, Encoding.UTF8.GetString(Plain.Whole(Encoding.UTF8.GetBytes(body)).Span));

    [Theory]
    [InlineData("{}", """{"totalTokens":0}""")]
    [InlineData("""{"cachedContentTokenCount":1}""", """{"totalTokens":0,"cachedContentTokenCount":1}""")]
    [InlineData("""{"totalTokens":7}""", """{"totalTokens":7}""")]
    [InlineData("""{"error":{}}""", """{"error":{}}""")]
    public void Count_HasANumber(string body, string expected) => Assert.Equal(expected, Encoding.UTF8.GetString(CountAnswer.Complete(Encoding.UTF8.GetBytes(body)).Span));
}
