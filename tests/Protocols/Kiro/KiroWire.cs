using System.Text;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>One message of an event stream.</summary>
public sealed record KiroEvent(string Name, string Json, bool IsException = false)
{
    public override string ToString() => $"{(IsException ? "exception " : "")}{Name} {Json}";
}

/// <summary>Feeds Kiro's reader, and takes requests from its writer.</summary>
public static class KiroWire
{
    public const string Model = "claude-sonnet-5";

    public static KiroProtocol Protocol { get; } = new();

    /// <summary>A request that keeps every rule, and the same bytes each time.</summary>
    public static JsonElement Write(ChatRequest request, KiroTraits? traits = null)
    {
        var protocol = new KiroProtocol(traits);
        string body = Wire.Text(output => protocol.WriteRequest(output, request));
        Assert.Equal(body, Wire.Text(output => protocol.WriteRequest(output, request)));
        JsonElement json = RequestTexts.Json(body);
        KiroRules.Check(json);
        return json;
    }

    public static ProxyError Refused(ChatRequest request, KiroTraits? traits = null) => RequestTexts.Refused(new KiroProtocol(traits), request);

    public static void Push(IResponseReader reader, KiroEvent one)
    {
        var frame = new Frame { Event = Encoding.UTF8.GetBytes(one.Name), Data = Encoding.UTF8.GetBytes(one.Json), IsException = one.IsException };
        reader.Read(in frame);
    }

    public static void Read(IResponseSink sink, IEnumerable<KiroEvent> events, ChatRequest? request = null)
    {
        IResponseReader reader = request is null ? Protocol.CreateReader(sink) : Protocol.CreateReader(sink, request);
        foreach (KiroEvent one in events) Push(reader, one);
        reader.Complete();
    }

    public static SinkRecorder Record(params KiroEvent[] events) => Record(null, events);

    public static SinkRecorder Record(ChatRequest? request, params KiroEvent[] events)
    {
        var recorder = new SinkRecorder();
        Read(recorder, events, request);
        return recorder;
    }

    public static KiroEvent Text(string text) => new("assistantResponseEvent", $$"""{"content":{{Token(text)}}}""");

    public static KiroEvent Thought(string text) => new("reasoningContentEvent", $$"""{"text":{{Token(text)}}}""");

    public static KiroEvent Signature(string value) => new("reasoningContentEvent", $$"""{"signature":{{Token(value)}}}""");

    public static KiroEvent Call(string id, string? input = null, bool isStop = false, string name = "read_file") =>
        new("toolUseEvent", $$"""{"toolUseId":"{{id}}","name":"{{name}}"{{(input is null ? "" : $",\"input\":{Token(input)}")}}{{(isStop ? ",\"stop\":true" : "")}}}""");

    public static KiroEvent Exception(string name, string json) => new(name, json, IsException: true);

    public static string Token(string text) => Encoding.UTF8.GetString(RawJson.Encode(text));

    /// <summary>A request whose answer is read under the given conditions.</summary>
    public static ChatRequest Asking(string model = Model) => RequestTexts.Request(model);
}
