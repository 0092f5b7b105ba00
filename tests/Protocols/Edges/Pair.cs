using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Conversations;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Tests.StreamInvariants;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>Both halves of a translation at once: a client's request in an upstream's words, an upstream's answer in a client's.</summary>
public static class Pair
{
    /// <param name="body">Without <c>model</c>.</param>
    public static ChatRequest Read(string client, string body)
    {
        IClientProtocol protocol = Speech.Of(client).Client;
        byte[] bytes = Encoding.UTF8.GetBytes(client == "gemini" ? body : body.TrimStart().Insert(1, "\"model\":\"client-model\","));
        RequestTarget target = client == "gemini" ? new RequestTarget(Operation.Generate, "client-model", false) : new RequestTarget(Operation.Generate);
        return protocol.ReadRequest(RequestTexts.Json(Encoding.UTF8.GetString(bytes)), protocol.ReadHead(target, "", bytes));
    }

    /// <summary>What the upstream is sent.</summary>
    public static JsonElement Request(string client, string body, IUpstreamProtocol upstream, string model = "some-model") =>
        RequestTexts.Write(upstream, Read(client, body) with { Model = model });

    public static JsonElement Request(string client, string body, string upstream, string model = "some-model") =>
        Request(client, body, Speech.Of(upstream).Upstream, model);

    public static ProxyError Refused(string client, string body, string upstream, string model = "some-model") =>
        RequestTexts.Refused(Speech.Of(upstream).Upstream, Read(client, body) with { Model = model });

    /// <summary>What a client is streamed: the same whether the bytes come at once or one by one, and by its protocol's grammar.</summary>
    public static string Stream(string upstream, string sse, string client, ChatRequest? request = null, StreamEnd end = StreamEnd.Finished)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(sse);
        string whole = Run(upstream, [[.. bytes]], client, true, request);
        string split = Run(upstream, [.. bytes.Select(one => (byte[])[one])], client, true, request);
        Assert.Equal(whole, split);
        Assert.Equal(end, ConversationAnswerTests.CheckStream(Speech.Of(client), Encoding.UTF8.GetBytes(whole)));
        return whole;
    }

    /// <summary>What a client that asked for a whole answer gets of a stream.</summary>
    public static JsonElement Joined(string upstream, string sse, string client, ChatRequest? request = null) =>
        RequestTexts.Json(Run(upstream, [Encoding.UTF8.GetBytes(sse)], client, false, request));

    /// <summary>A whole answer of the upstream as a whole one of the client; what failed as its error envelope.</summary>
    public static JsonElement Whole(string upstream, string json, string client, ChatRequest? request = null)
    {
        var output = new ArrayBufferWriter<byte>();
        IResponseWriter writer = Speech.Of(client).Client.CreateWriter(output, Wire.Options(stream: false, request: request));
        var watch = new Watch(writer, TimeProvider.System);
        Speech.Of(upstream).Upstream.CreateReader(watch).ReadWhole(Encoding.UTF8.GetBytes(json));
        if (watch.Failure is { } failure) writer.Fail(failure);
        return RequestTexts.Json(Encoding.UTF8.GetString(output.WrittenSpan));
    }

    /// <summary>The failure that an answer ended in, and what a client would be told of it with which status.</summary>
    public static (int Status, JsonElement Body) Error(string upstream, int status, string body, string client)
    {
        ProxyError error = Speech.Of(upstream).Upstream.ReadError(status, Encoding.UTF8.GetBytes(body));
        var output = new ArrayBufferWriter<byte>();
        int told = Speech.Of(client).Client.WriteError(output, error, "req_1");
        return (told, RequestTexts.Json(Encoding.UTF8.GetString(output.WrittenSpan)));
    }

    /// <summary>A sink's record of an upstream's stream.</summary>
    public static SinkRecorder Record(string upstream, string sse)
    {
        var recorder = new SinkRecorder();
        ConversationAnswerTests.ReadStream(Speech.Of(upstream).Upstream, recorder, [Encoding.UTF8.GetBytes(sse)]);
        return recorder;
    }

    /// <summary>Fails with both texts where the values differ; white space and member order do not count.</summary>
    public static void Same(string expected, JsonElement actual)
    {
        if (!JsonElement.DeepEquals(RequestTexts.Json(expected), actual)) Assert.Equal(expected, actual.GetRawText());
    }

    /// <summary>A member by its path, such as <c>messages.0.content</c>; an index may be negative, counted from the end.</summary>
    public static JsonElement At(this JsonElement json, string path)
    {
        foreach (string step in path.Split('.'))
        {
            if (json.ValueKind == JsonValueKind.Array && int.TryParse(step, out int index)) json = json[index < 0 ? json.GetArrayLength() + index : index];
            else json = json.ValueKind == JsonValueKind.Object && json.TryGetProperty(step, out JsonElement value) ? value : throw Xunit.Sdk.FailException.ForFailure($"no {step} of {path} in {json.GetRawText()}");
        }
        return json;
    }

    public static string Text(this JsonElement json, string path) => json.At(path).GetString()!;

    public static bool Has(this JsonElement json, string name) => json.TryGetProperty(name, out _);

    private static string Run(string upstream, byte[][] pieces, string client, bool isStream, ChatRequest? request)
    {
        var output = new ArrayBufferWriter<byte>();
        IResponseWriter writer = Speech.Of(client).Client.CreateWriter(output, Wire.Options(isStream, request: request));
        var watch = new Watch(new WholeCharacters(writer), TimeProvider.System);
        ConversationAnswerTests.ReadStream(Speech.Of(upstream).Upstream, watch, pieces);
        if (watch.Failure is { } failure) writer.Fail(failure);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
