using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>Between a client and an upstream of one protocol nothing changes but the model's name.</summary>
public sealed class BytesTests(SharedRig shared) : IClassFixture<SharedRig>
{
    private const int Bodies = 200;
    private const char ModelMark = '\uE000';

    public static TheoryData<string> Names => Dialects.Names;

    [Theory, MemberData(nameof(Names))]
    public async Task RequestWithoutMapping_ReachesUpstreamByteForByte(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        for (var i = 0; i < Bodies; i++)
        {
            var model = SharedRig.Model(dialect);
            var body = Make(dialect, i).Replace(ModelMark.ToString(), ModelToken(model, i), StringComparison.Ordinal);
            await SendAndCompareAsync(rig, dialect, i, model, body, body);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task RequestWithMapping_ChangesNothingButModel(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        for (var i = 0; i < Bodies; i++)
        {
            var model = SharedRig.MappedModel(dialect);
            var text = Make(dialect, i);
            var sent = text.Replace(ModelMark.ToString(), ModelToken(model, i), StringComparison.Ordinal);
            var expected = text.Replace(ModelMark.ToString(), JsonLook.Quote(SharedRig.UpstreamModel(dialect)), StringComparison.Ordinal);
            await SendAndCompareAsync(rig, dialect, i, model, sent, expected);
        }
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    public async Task DuplicateModelKeys_LastRoutesAndAllAreRewritten(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        var rest = dialect.Body("m", "hi", stream: false).TrimStart('{');
        var body = $$"""{"model":"decoy","mod\u0065l" : "another",{{rest.Replace("\"model\":\"m\"", $"\"model\":\"{SharedRig.MappedModel(dialect)}\"", StringComparison.Ordinal)}}""";
        var reply = await rig.Proxy.PostAsync(dialect.Path("", false), body, dialect.ClientHeaders);
        reply.AssertStatus(200);
        var up = SharedRig.UpstreamModel(dialect);
        var expected = body.Replace("\"decoy\"", $"\"{up}\"", StringComparison.Ordinal).Replace("\"another\"", $"\"{up}\"", StringComparison.Ordinal)
            .Replace($"\"{SharedRig.MappedModel(dialect)}\"", $"\"{up}\"", StringComparison.Ordinal);
        Assert.Equal(expected, rig[dialect].Last.Text);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task WholeAnswer_ReachesClientByteForByte(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        for (var i = 0; i < Bodies; i++)
        {
            var make = new JsonMaker(4000 + i);
            var good = (i % 3) switch { 0 => dialect.Whole("Hi é 😀"), 1 => dialect.WholeTool(), _ => dialect.WholeThinking() };
            var unknown = string.Concat(make.Unknown().Select(member => make.Member(member.NameToken, member.Value) + ","));
            if (i == 100) unknown += $"\"x_big\":{make.Base64(15_000_000)},";
            var answer = make.Space() + "{" + make.Space() + unknown + good.TrimStart('{') + make.Space();
            rig[dialect].Answer(FakeAnswer.Json(answer));
            var reply = await rig.Proxy.SendAsync(dialect, SharedRig.Model(dialect), stream: false);
            reply.AssertStatus(200);
            AssertSame(Encoding.UTF8.GetBytes(answer), reply.Bytes, $"whole answer {i}");
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task Stream_ReachesClientByteForByte(string name)
    {
        var dialect = Dialects.Of(name);
        var rig = await shared.ReadyAsync();
        for (var i = 0; i < Bodies; i++)
        {
            var make = new JsonMaker(8000 + i);
            var stream = string.Concat(Frames(dialect, make, i));
            rig[dialect].Answer(FakeAnswer.Sse(Cut(make, stream)));
            var reply = await rig.Proxy.SendAsync(dialect, SharedRig.Model(dialect), stream: true);
            reply.AssertStatus(200);
            AssertSame(Encoding.UTF8.GetBytes(stream), reply.Bytes, $"stream {i}");
        }
    }

    [Fact]
    public async Task GeminiArrayStream_ReachesClientByteForByte()
    {
        var rig = await shared.ReadyAsync();
        var pieces = GeminiDialect.Array("One two three é 😀");
        rig[Dialects.Gemini].Answer(FakeAnswer.Script(async answer =>
        {
            await answer.HeadAsync(200, ("Content-Type", "application/json; charset=UTF-8"), ("Transfer-Encoding", "chunked"));
            foreach (var piece in pieces) await answer.ChunkAsync(piece);
            await answer.EndAsync();
        }));
        var reply = await rig.Proxy.PostAsync($"/v1beta/models/{SharedRig.Model(Dialects.Gemini)}:streamGenerateContent", Dialects.Gemini.Body("", "hi", true));
        reply.AssertStatus(200);
        Assert.StartsWith("application/json", reply.Header("Content-Type"));
        Assert.Equal(5, JsonLook.At(reply.Text)?.GetArrayLength() - 1);
        Assert.Equal(JsonLook.At(string.Concat(pieces))!.Value.GetRawText(), JsonLook.At(reply.Text)!.Value.GetRawText());
    }

    [Fact]
    public async Task GeminiClient_NeverSeesComments()
    {
        var rig = await shared.ReadyAsync();
        var transcript = Dialects.Gemini.Text("One two");
        rig[Dialects.Gemini].Answer(FakeAnswer.Sse([": first\r\n\r\n", transcript.Output[0], ": PROCESSING\r\n\r\n", .. transcript.Output.Skip(1), .. transcript.Terminal]));
        var reply = await rig.Proxy.SendAsync(Dialects.Gemini, SharedRig.Model(Dialects.Gemini), stream: true);
        reply.AssertStatus(200);
        Assert.DoesNotContain("PROCESSING", reply.Text);
        Assert.DoesNotContain(": first", reply.Text);
        Assert.Equal(transcript.All, reply.Text);
    }

    /// <summary>A request body with <see cref="ModelMark"/> where a model's name stands.</summary>
    private static string Make(IDialect dialect, int i)
    {
        var make = new JsonMaker(i);
        var members = make.Unknown();
        if (i % 20 == 7) members.Add(("\"x_deep\"", JsonMaker.Nest(20 + i)));
        if (i is 50 or 100 or 150) members.Add(("\"x_big\"", make.Base64(15_000_000)));
        var body = JsonLook.At(dialect.Body("m", "What is \u00e9 😀 new?", stream: false))!.Value;
        foreach (var member in body.EnumerateObject().Where(member => member.Name != "model"))
            make.Insert(members, ($"\"{member.Name}\"", member.Value.GetRawText()));
        if (dialect.Name != "gemini")
        {
            make.Insert(members, (make.OneIn(10) ? "\"m\\u006fdel\"" : "\"model\"", ModelMark.ToString()));
            if (make.OneIn(4)) make.Insert(members, ("\"model\"", ModelMark.ToString()));
        }
        return make.Object(members);
    }

    /// <summary>The name as a string token, in some bodies with an escape.</summary>
    private static string ModelToken(string model, int i) => i % 7 == 3 ? $"\"{model.Replace("-", "\\u002d", StringComparison.Ordinal)}\"" : $"\"{model}\"";

    private static async Task SendAndCompareAsync(SharedRig rig, IDialect dialect, int i, string model, string sent, string expected)
    {
        var reply = await rig.Proxy.PostAsync(dialect.Path(model, false), sent, dialect.ClientHeaders);
        Assert.True(reply.Status == 200, $"body {i}: status {reply.Status} {reply.Text}\nsent: {sent[..Math.Min(sent.Length, 1000)]}");
        AssertSame(Encoding.UTF8.GetBytes(expected), rig[dialect].Last.Body, $"body {i}");
        if (dialect.Name == "gemini") Assert.Equal(model == SharedRig.MappedModel(dialect) ? SharedRig.UpstreamModel(dialect) : model, dialect.ModelOf(rig[dialect].Last));
        rig[dialect].Forget();
    }

    /// <summary>A good transcript, dressed up with what a reader must tolerate and the copy must keep.</summary>
    private static IEnumerable<string> Frames(IDialect dialect, JsonMaker make, int i)
    {
        var transcript = (i % 3) switch { 0 => dialect.Text("One two three"), 1 => dialect.Tool(), _ => dialect.Thinking() };
        var newline = (i % 2) == 0 ? "\n" : "\r\n";
        foreach (var frame in transcript.Frames)
        {
            var text = frame.Replace("\r\n", "\n", StringComparison.Ordinal);
            if (make.OneIn(3) && text.Contains("data: {", StringComparison.Ordinal)) text = text.Replace("data: {", $"data: {{\"x_new\":{make.Value(0)}, ", StringComparison.Ordinal);
            if (make.OneIn(5)) text = text.Replace("data: ", dialect.Name == "gemini" ? "data:  " : "data:", StringComparison.Ordinal);
            if (make.OneIn(6)) text = "id: 7\nretry: 100\n" + text;
            if (make.OneIn(6) && dialect.Name != "gemini") text = ": a comment\n\n" + text;
            if (make.OneIn(6)) text = Unknown(dialect) + text;
            yield return text.Replace("\n", newline, StringComparison.Ordinal);
        }
    }

    private static string Unknown(IDialect dialect) => dialect.Name switch
    {
        "anthropic" => "event: vendor_thing\ndata: {\"type\":\"vendor_thing\",\"x\":[1, 2]}\n\n",
        "responses" => "event: response.vendor_thing\ndata: {\"type\":\"response.vendor_thing\",\"sequence_number\":3}\n\n",
        "openai" => "data: {\"id\":\"chatcmpl-1\",\"object\":\"vendor.thing\",\"choices\":[]}\n\n",
        _ => "data: {\"vendorThing\":{\"x\":1}}\n\n",
    };

    private static string[] Cut(JsonMaker make, string stream)
    {
        var pieces = new List<string>();
        for (var at = 0; at < stream.Length;)
        {
            var take = Math.Min(stream.Length - at, 1 + make.Next(400));
            if (at + take < stream.Length && char.IsLowSurrogate(stream[at + take])) take++;
            pieces.Add(stream.Substring(at, take));
            at += take;
        }
        return [.. pieces];
    }

    private static void AssertSame(byte[] expected, byte[] actual, string what)
    {
        if (expected.AsSpan().SequenceEqual(actual)) return;
        var at = expected.AsSpan().CommonPrefixLength(actual);
        static string Around(byte[] bytes, int at) => Encoding.UTF8.GetString(bytes, Math.Max(0, at - 60), Math.Min(120, bytes.Length - Math.Max(0, at - 60)));
        Assert.Fail($"{what}: {expected.Length} bytes expected, {actual.Length} came; they part at {at}\nexpected ...{Around(expected, at)}\nactual   ...{Around(actual, at)}");
    }
}
