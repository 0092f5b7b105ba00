using System.Text;
using System.Text.Json;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols.Edges;

/// <summary>Streams of the four protocols in few words, and a look into streams.</summary>
public static class Sse
{
    /// <summary>Chat chunks of one delta each, in the words inside of <c>delta</c>; then <c>[DONE]</c>. A text that begins with <c>{</c> is a whole chunk.</summary>
    public static string Chat(params string[] deltas) => Cut(deltas) + "data: [DONE]\n\n";

    /// <summary>As <see cref="Chat"/>, without <c>[DONE]</c>.</summary>
    public static string Cut(params string[] deltas) =>
        string.Concat(deltas.Select(delta => $"data: {(delta.StartsWith('{') ? delta : Chunk(delta))}\n\n"));

    public static string Chunk(string delta, string finish = "null", string usage = "") =>
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" + delta
        + "},\"finish_reason\":" + finish + "}]" + (usage.Length > 0 ? $",\"usage\":{usage}" : "") + "}";

    public static string Finish(string reason, string usage = "") => Chunk("", $"\"{reason}\"", usage);

    public static string Usage(string usage) =>
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":" + usage + "}";

    public static string Call(int index, string id, string name, string arguments) =>
        "\"tool_calls\":[{\"index\":" + index + (id.Length > 0 ? $",\"id\":\"{id}\",\"type\":\"function\"" : "") + ",\"function\":{"
        + (name.Length > 0 ? $"\"name\":\"{name}\"," : "") + $"\"arguments\":{JsonSerializer.Serialize(arguments)}" + "}}]";

    /// <summary>Events of Messages or Responses: the event line repeats the type.</summary>
    public static string Named(params string[] events) =>
        string.Concat(events.Select(json => $"event: {RequestTexts.Json(json).Text("type")}\ndata: {json}\n\n"));

    /// <summary>A Messages stream around these block events.</summary>
    public static string Messages(string stopReason, params string[] blocks) => Named([
        """{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":41,"cache_read_input_tokens":1200,"output_tokens":1}}}""",
        .. blocks,
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"" + stopReason + "\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":58}}",
        """{"type":"message_stop"}"""]);

    public static string[] TextBlock(int index, string text) => [
        "{\"type\":\"content_block_start\",\"index\":" + index + ",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
        "{\"type\":\"content_block_delta\",\"index\":" + index + ",\"delta\":{\"type\":\"text_delta\",\"text\":\"" + text + "\"}}",
        "{\"type\":\"content_block_stop\",\"index\":" + index + "}"];

    public static string[] ToolBlock(int index, string id, string name, string arguments) => [
        "{\"type\":\"content_block_start\",\"index\":" + index + ",\"content_block\":{\"type\":\"tool_use\",\"id\":\"" + id + "\",\"name\":\"" + name + "\",\"input\":{}}}",
        "{\"type\":\"content_block_delta\",\"index\":" + index + ",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":" + JsonSerializer.Serialize(arguments) + "}}",
        "{\"type\":\"content_block_stop\",\"index\":" + index + "}"];

    /// <summary>Gemini chunks of one part list each; a finish reason in the last one. A text that begins with <c>{"</c> is a whole chunk.</summary>
    public static string Gemini(string finish, params string[] parts) => string.Concat(parts.Select((part, i) =>
        "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" + part + "]},\"index\":0" + (i == parts.Length - 1 && finish.Length > 0 ? $",\"finishReason\":\"{finish}\"" : "")
        + "}],\"modelVersion\":\"m\",\"responseId\":\"r1\",\"usageMetadata\":{\"promptTokenCount\":1241,\"cachedContentTokenCount\":1200,\"candidatesTokenCount\":38,\"thoughtsTokenCount\":20,\"totalTokenCount\":1299}}\r\n\r\n"));

    public static string Data(params string[] json) => string.Concat(json.Select(one => $"data: {one}\n\n"));

    /// <summary>The data of a stream's events; <c>[DONE]</c> and comments left out.</summary>
    public static List<JsonElement> Events(string sse) => [.. Wire.Events(sse).Where(one => one.Data != "[DONE]").Select(one => RequestTexts.Json(one.Data))];

    public static List<JsonElement> Events(string sse, string type) => [.. Events(sse).Where(one => one.Has("type") && one.Text("type") == type)];

    /// <summary>The blocks of a Messages stream as a whole answer has them.</summary>
    public static List<JsonElement> Blocks(string sse)
    {
        var blocks = new List<JsonElement>();
        foreach (JsonElement start in Events(sse, "content_block_start"))
        {
            int index = start.At("index").GetInt32();
            var text = new StringBuilder();
            string signature = "";
            foreach (JsonElement delta in Events(sse, "content_block_delta").Where(one => one.At("index").GetInt32() == index).Select(one => one.At("delta")))
            {
                foreach (string name in (string[])["text", "thinking", "partial_json"])
                {
                    if (delta.Has(name)) text.Append(delta.Text(name));
                }
                if (delta.Has("signature")) signature = delta.Text("signature");
            }
            string type = start.Text("content_block.type");
            blocks.Add(RequestTexts.Json(type switch
            {
                "tool_use" => "{\"type\":\"tool_use\",\"id\":" + start.At("content_block.id").GetRawText() + ",\"name\":" + start.At("content_block.name").GetRawText()
                    + ",\"raw\":" + JsonSerializer.Serialize(text.ToString()) + "}",
                "thinking" => "{\"type\":\"thinking\",\"thinking\":" + JsonSerializer.Serialize(text.ToString()) + ",\"signature\":\"" + signature + "\"}",
                _ => "{\"type\":\"" + type + "\",\"text\":" + JsonSerializer.Serialize(text.ToString()) + "}",
            }));
        }
        return blocks;
    }

    /// <summary>The stop reason of a Messages stream.</summary>
    public static string StopReason(string sse) => Events(sse, "message_delta").Single().Text("delta.stop_reason");

    /// <summary>The finish reason of a Chat stream.</summary>
    public static string FinishReason(string sse) => Events(sse)
        .SelectMany(one => one.At("choices").EnumerateArray()).Select(choice => choice.At("finish_reason")).Single(reason => reason.ValueKind == JsonValueKind.String).GetString()!;

    /// <summary>The joined text deltas of a Chat stream.</summary>
    public static string ChatText(string sse, string member = "content") => string.Concat(Deltas(sse)
        .Where(delta => delta.Has(member) && delta.At(member).ValueKind == JsonValueKind.String).Select(delta => delta.Text(member)));

    public static IEnumerable<JsonElement> Deltas(string sse) =>
        Events(sse).Where(one => one.Has("choices")).SelectMany(one => one.At("choices").EnumerateArray()).Select(choice => choice.At("delta"));
}
