using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Kiro;

namespace Aiproxy.Tests.Protocols.Kiro;

/// <summary>Every rule that the service is known to have for a request, checked on the written JSON. Fails with the rule's number; members that nobody knows fail
/// too.</summary>
public sealed class KiroRules
{
    private static readonly KiroLimits s_limits = new();

    private readonly HashSet<string> _declared = new(StringComparer.Ordinal);
    private string? _model;
    private int _images;

    public static void Check(JsonElement body) => new KiroRules().Run(body);

    private void Run(JsonElement body)
    {
        Known(body, "request", "conversationState", "inferenceConfig", "additionalModelRequestFields", "profileArn");
        JsonElement state = body.GetProperty("conversationState");
        Known(state, "conversationState", "conversationId", "chatTriggerType", "agentTaskType", "currentMessage", "history");
        string id = state.GetProperty("conversationId").GetString()!;
        Holds(Guid.TryParseExact(id, "D", out _) && id == id.ToLowerInvariant(), $"conversationId is no UUID: {id}");
        JsonElement current = state.GetProperty("currentMessage");
        Known(current, "2", "userInputMessage");
        JsonElement[] history = state.TryGetProperty("history", out JsonElement list) ? [.. list.EnumerateArray()] : [];
        Holds(history.Length <= s_limits.MaxHistory, "history of more than 10000");
        Holds(history.Length % 2 == 0, "1: the history does not end with the assistant");
        Tools(current.GetProperty("userInputMessage"));
        var open = new List<string>();
        for (int at = 0; at < history.Length; at++)
        {
            bool isUser = at % 2 == 0;
            Known(history[at], $"1: history[{at}]", isUser ? "userInputMessage" : "assistantResponseMessage");
            if (isUser) User(history[at].GetProperty("userInputMessage"), open, isCurrent: false);
            else open = Assistant(history[at].GetProperty("assistantResponseMessage"));
        }
        User(current.GetProperty("userInputMessage"), open, isCurrent: true);
        Holds(_images <= s_limits.MaxImages, $"8: {_images} images");
    }

    private void User(JsonElement message, List<string> open, bool isCurrent)
    {
        Known(message, "user", "content", "modelId", "origin", "images", "userInputMessageContext");
        string content = message.GetProperty("content").GetString()!;
        Holds(!string.IsNullOrWhiteSpace(content), "3: blank content");
        Holds(content.Length <= s_limits.MaxContent, "content too long");
        Holds(message.GetProperty("origin").GetString()!.Length > 0, "origin");
        string model = message.GetProperty("modelId").GetString()!;
        Holds(model == (_model ??= model), "9: another model");
        if (message.TryGetProperty("images", out JsonElement images)) Images(images);
        var answered = new List<string>();
        if (message.TryGetProperty("userInputMessageContext", out JsonElement context))
        {
            Known(context, isCurrent ? "context" : "7: context of the history", isCurrent ? ["tools", "toolResults"] : ["toolResults"]);
            Holds(context.EnumerateObject().Any(), "an empty context");
            if (context.TryGetProperty("toolResults", out JsonElement results)) answered = Results(results);
        }
        foreach (string id in answered) Holds(open.Contains(id), $"4: {id} answers no call of the message before");
        foreach (string id in open) Holds(answered.Contains(id), $"5: {id} is not answered");
    }

    private static List<string> Results(JsonElement results)
    {
        var ids = new List<string>();
        foreach (JsonElement result in results.EnumerateArray())
        {
            Known(result, "result", "toolUseId", "status", "content");
            string id = result.GetProperty("toolUseId").GetString()!;
            Holds(!ids.Contains(id), $"4: {id} is answered twice");
            ids.Add(id);
            Holds(result.GetProperty("status").GetString() is "success" or "error", "status");
            JsonElement part = Assert.Single(result.GetProperty("content").EnumerateArray());
            Known(part, "result content", "text");
            string text = part.GetProperty("text").GetString()!;
            Holds(!string.IsNullOrWhiteSpace(text) && text.Length <= s_limits.MaxResult, "a result blank or too long");
        }
        Holds(ids.Count > 0, "an empty list of results");
        return ids;
    }

    private List<string> Assistant(JsonElement message)
    {
        Known(message, "assistant", "content", "toolUses", "reasoningContent");
        Holds(!string.IsNullOrWhiteSpace(message.GetProperty("content").GetString()), "3: blank content of the assistant");
        if (message.TryGetProperty("reasoningContent", out JsonElement reasoning)) Known(reasoning, "reasoning", "reasoningText", "redactedContent");
        var ids = new List<string>();
        if (!message.TryGetProperty("toolUses", out JsonElement calls)) return ids;
        foreach (JsonElement call in calls.EnumerateArray())
        {
            Known(call, "call", "toolUseId", "name", "input");
            string id = call.GetProperty("toolUseId").GetString()!, name = call.GetProperty("name").GetString()!;
            Holds(Regex.IsMatch(id, "^[A-Za-z0-9_-]{1,64}$"), $"id {id}");
            Holds(!ids.Contains(id), $"5: {id} twice");
            ids.Add(id);
            Holds(_declared.Contains(name), $"6: {name} is not declared");
            Holds(call.GetProperty("input").ValueKind == JsonValueKind.Object, "input is no object");
        }
        Holds(ids.Count > 0, "an empty list of calls");
        return ids;
    }

    private void Images(JsonElement images)
    {
        foreach (JsonElement image in images.EnumerateArray())
        {
            Known(image, "8: image", "format", "source");
            Holds(image.GetProperty("format").GetString() is "png" or "jpeg" or "gif" or "webp", "8: format");
            Known(image.GetProperty("source"), "8: source", "bytes");
            Holds(image.GetProperty("source").GetProperty("bytes").GetBytesFromBase64().Length <= 10_000_000, "8: size");
            _images++;
        }
        Holds(images.GetArrayLength() > 0, "8: an empty list of images");
    }

    private void Tools(JsonElement current)
    {
        if (!current.TryGetProperty("userInputMessageContext", out JsonElement context) || !context.TryGetProperty("tools", out JsonElement tools)) return;
        Holds(tools.GetArrayLength() > 0, "an empty list of tools");
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (JsonElement tool in tools.EnumerateArray())
        {
            Known(tool, "tool", "toolSpecification");
            JsonElement specification = tool.GetProperty("toolSpecification");
            Known(specification, "tool", "name", "description", "inputSchema");
            string name = specification.GetProperty("name").GetString()!, description = specification.GetProperty("description").GetString()!;
            Holds(Regex.IsMatch(name, "^[A-Za-z][A-Za-z0-9_-]{0,62}$"), $"tool name {name}");
            Holds(names.Add(name), $"tool name {name} twice, but for case");
            Holds(!name.Equals("web_search", StringComparison.OrdinalIgnoreCase), "a reserved name");
            _declared.Add(name);
            Holds(!string.IsNullOrWhiteSpace(description) && Encoding.UTF8.GetByteCount(description) <= 10_240, $"description of {name}");
            JsonElement schema = specification.GetProperty("inputSchema").GetProperty("json");
            Holds(schema.GetProperty("type").GetString() == "object" && schema.GetProperty("properties").ValueKind == JsonValueKind.Object, $"schema root of {name}");
            Schema(schema, name);
        }
    }

    private static void Schema(JsonElement schema, string tool)
    {
        Holds(schema.ValueKind == JsonValueKind.Object, $"{tool}: a schema that is no object");
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            Holds(member.Name is not ("additionalProperties" or "$schema"), $"{tool}: {member.Name}");
            if (member.Name == "required") Holds(member.Value.ValueKind == JsonValueKind.Array && member.Value.GetArrayLength() > 0, $"{tool}: required");
            if (SchemaKeywords.IsMap(member.Name) && member.Value.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty inner in member.Value.EnumerateObject()) Schema(inner.Value, tool);
            }
            else if (member.Value.ValueKind == JsonValueKind.Array && (SchemaKeywords.IsList(member.Name) || SchemaKeywords.IsSchema(member.Name)))
            {
                foreach (JsonElement inner in member.Value.EnumerateArray()) Schema(inner, tool);
            }
            else if (member.Value.ValueKind == JsonValueKind.Object && SchemaKeywords.IsSchema(member.Name))
            {
                Schema(member.Value, tool);
            }
        }
    }

    private static void Known(JsonElement json, string where, params string[] names)
    {
        var seen = new HashSet<string>();
        foreach (JsonProperty member in json.EnumerateObject()) Holds(names.Contains(member.Name) && seen.Add(member.Name), $"{where}: {member.Name}");
    }

    private static void Holds(bool holds, string rule) => Assert.True(holds, $"rule {rule}");
}
