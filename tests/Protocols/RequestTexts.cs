using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols;

/// <summary>Requests for writer tests.</summary>
public static class RequestTexts
{
    public static JsonElement Json(string json) => JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 256 }).RootElement;

    /// <summary>What an upstream is sent.</summary>
    public static JsonElement Write(IUpstreamProtocol protocol, ChatRequest request) => Json(Wire.Text(output => protocol.WriteRequest(output, request)));

    public static ProxyError Refused(IUpstreamProtocol protocol, ChatRequest request) =>
        Assert.Throws<ProtocolException>(() => Wire.Text(output => protocol.WriteRequest(output, request))).Error;

    public static ChatRequest Request(string model, params Turn[] turns) => new() { Model = model, Turns = turns.Length > 0 ? turns : [User(new TextPart("hi"))] };

    public static Turn User(params Part[] parts) => new(TurnRole.User, parts) { Path = "messages[0]" };

    public static Turn Assistant(params Part[] parts) => new(TurnRole.Assistant, parts) { Path = "messages[1]" };

    public static ToolCallPart Call(string id, string name, string arguments = "{}") => new(id, name, System.Text.Encoding.UTF8.GetBytes(arguments)) { Path = "call" };

    public static ToolResultPart Result(string id, string name, params Part[] content) => new(id, name, content) { Path = "result" };

    public static ToolDefinition Tool(string name, string? schema = null) => new(ToolKind.Function, name) { Path = "tools[0]", Schema = schema is null ? null : Json(schema) };
}
