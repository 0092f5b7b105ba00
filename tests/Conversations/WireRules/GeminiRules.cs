using System.Text.Json;
using System.Text.RegularExpressions;

namespace Aiproxy.Tests.Conversations.WireRules;

/// <summary>Rules of generateContent on the Developer API, for a model of the third generation.</summary>
public sealed partial class GeminiRules(JsonElement body)
{
    private static readonly string[] s_schemaWords =
    [
        "type", "title", "description", "format", "enum", "items", "prefixItems", "minItems", "maxItems", "properties", "required", "additionalProperties", "minimum", "maximum",
        "anyOf", "oneOf", "$id", "$defs", "$ref", "$anchor", "propertyOrdering",
    ];

    private static readonly string[] s_payloads =
        ["text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "toolCall", "toolResponse"];

    public IEnumerable<string> Check() => [.. Members(), .. Tools(), .. Contents()];

    private IEnumerable<string> Members()
    {
        foreach (JsonProperty member in body.EnumerateObject())
        {
            if (member.Name is not ("contents" or "systemInstruction" or "tools" or "toolConfig" or "generationConfig" or "safetySettings" or "cachedContent" or "serviceTier" or "labels" or "store"))
                yield return $"unknown name {member.Name}";
        }
        JsonElement? config = body.Get("generationConfig");
        if (config.Get("maxOutputTokens") is { } limit && limit.GetInt64() < 1) yield return "limit below 1";
        if (config.Get("temperature") is { } temperature && temperature.GetDouble() is < 0 or > 2) yield return "temperature out of its range";
        if (config.List("stopSequences").Count > 5) yield return "more than five stops";
        if (config.Get("responseSchema") is not null && config.Get("responseJsonSchema") is not null) yield return "both schemas";
        if ((config.Get("responseSchema") ?? config.Get("responseJsonSchema")) is not null && config.Text("responseMimeType") != "application/json") yield return "a schema without its type";
        JsonElement? thinking = config.Get("thinkingConfig");
        if (thinking.Get("thinkingBudget") is not null && thinking.Get("thinkingLevel") is not null) yield return "budget and level";
        foreach (JsonElement part in body.Get("systemInstruction").List("parts"))
        {
            if (!part.Get("text").IsString()) yield return "an instruction that is no text";
        }
    }

    private IEnumerable<string> Tools()
    {
        var names = new HashSet<string>();
        foreach (JsonElement declaration in body.List("tools").SelectMany(static tool => tool.List("functionDeclarations")))
        {
            string name = declaration.Text("name") ?? "";
            if (!NamePattern().IsMatch(name)) yield return $"function name {name}";
            if (!names.Add(name)) yield return $"function {name} twice";
            if (declaration.Get("parameters") is not null && declaration.Get("parametersJsonSchema") is not null) yield return $"two schemas of {name}";
            if (declaration.Get("parametersJsonSchema") is { } schema)
            {
                foreach (string fault in Schema(schema)) yield return $"{name}: {fault}";
            }
        }
        JsonElement? calling = body.Get("toolConfig").Get("functionCallingConfig");
        if (calling.Get("allowedFunctionNames") is not null)
        {
            if (calling.Text("mode") is not ("ANY" or "VALIDATED")) yield return "allowedFunctionNames in another mode";
            foreach (JsonElement one in calling.List("allowedFunctionNames"))
            {
                if (!names.Contains(one.GetString()!)) yield return $"{one.GetString()} is not declared";
            }
        }
        if (calling.Text("mode") is "ANY" or "VALIDATED" && names.Count == 0) yield return "mode without functions";
    }

    private static IEnumerable<string> Schema(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object) yield break;
        bool isReference = schema.Get("$ref") is not null;
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            if (!s_schemaWords.Contains(member.Name)) yield return $"keyword {member.Name}";
            if (isReference && member.Name[0] != '$') yield return $"{member.Name} beside $ref";
            IEnumerable<JsonElement> inner = (member.Name, member.Value.ValueKind) switch
            {
                ("properties" or "$defs", JsonValueKind.Object) => member.Value.EnumerateObject().Select(static one => one.Value),
                ("items" or "additionalProperties", JsonValueKind.Object) => [member.Value],
                ("anyOf" or "oneOf" or "prefixItems", JsonValueKind.Array) => member.Value.EnumerateArray(),
                _ => [],
            };
            foreach (string fault in inner.SelectMany(Schema)) yield return fault;
        }
        foreach (JsonElement name in schema.List("required"))
        {
            if (schema.Get("properties") is not { } properties || !properties.TryGetProperty(name.GetString()!, out _)) yield return $"{name.GetString()} is required but no property";
        }
    }

    private IEnumerable<string> Contents()
    {
        List<JsonElement> contents = body.List("contents");
        if (contents.Count == 0) yield return "no contents";
        List<JsonElement> open = [];
        string last = "model";
        foreach (JsonElement content in contents)
        {
            string role = content.Text("role") ?? "user";
            List<JsonElement> parts = content.List("parts");
            if (role is not ("user" or "model")) yield return $"role {role}";
            if (role == last) yield return last == "model" ? "the first content is not the user's, or two of the model" : "two contents of the user";
            if (parts.Count == 0) yield return "a content without parts";
            last = role;
            foreach (JsonElement part in parts)
            {
                int payloads = s_payloads.Count(name => part.Get(name) is not null);
                if (payloads != 1) yield return $"a part with {payloads} payloads: {part.GetRawText()[..Math.Min(80, part.GetRawText().Length)]}";
                if (part.Text("text") is "" && part.Get("thoughtSignature") is null) yield return "an empty text";
                if (part.Get("functionCall") is { } call && (!NamePattern().IsMatch(call.Text("name") ?? "") || call.Get("args") is { ValueKind: not JsonValueKind.Object })) yield return "a call without name or with arguments that are no object";
                if (part.Get("functionResponse") is { } response && !response.Get("response").IsObject()) yield return "a response that is no object";
                if (part.Get("inlineData") is { } data && (string.IsNullOrEmpty(data.Text("mimeType")) || data.Text("data") is null)) yield return "inlineData without type or data";
            }
            List<JsonElement> responses = [.. parts.Select(static part => part.Get("functionResponse")).OfType<JsonElement>()];
            if (!open.Select(Pair).Order().SequenceEqual(responses.Select(Pair).Order()))
                yield return $"calls [{string.Join(' ', open.Select(Pair))}] and responses [{string.Join(' ', responses.Select(Pair))}]";
            open = [.. parts.Select(static part => part.Get("functionCall")).OfType<JsonElement>()];
        }
        if (open.Count > 0) yield return "the last calls have no response";
        if (last == "model") yield return "the last content is the model's";
        foreach (string fault in Signatures(contents)) yield return fault;
    }

    private static string Pair(JsonElement one) => $"{one.Text("name")}#{one.Text("id")}";

    /// <summary>In the current turn the first call of each step carries one.</summary>
    private static IEnumerable<string> Signatures(List<JsonElement> contents)
    {
        int turn = contents.FindLastIndex(static content => content.Text("role") != "model" && content.List("parts").Any(static part => part.Get("functionResponse") is null));
        foreach (JsonElement content in contents.Skip(turn + 1).Where(static content => content.Text("role") == "model"))
        {
            List<JsonElement> calls = content.List("parts").FindAll(static part => part.Get("functionCall") is not null);
            if (calls.Count > 0 && string.IsNullOrEmpty(calls[0].Text("thoughtSignature"))) yield return "a step whose first call has no signature";
        }
    }

    [GeneratedRegex("^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$")]
    private static partial Regex NamePattern();
}
