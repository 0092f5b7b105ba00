using System.Text.Json;

namespace Aiproxy.Tests.Upstreams.Google;

/// <summary>The part of <see cref="CodeAssistRules"/> that looks at schemas.</summary>
public static class CodeAssistSchemaRules
{
    private static readonly string[] Words = ["type", "title", "description", "nullable", "enum", "properties", "required", "items", "additionalProperties", "propertyOrdering"];
    private static readonly string[] Types = ["string", "number", "integer", "boolean", "array", "object"];

    /// <param name="isTool">Arguments of a function: no lists of values, nothing closed.</param>
    /// <param name="isValidated">Each object must demand something.</param>
    public static IEnumerable<string> Check(JsonElement schema, string path, bool isTool, bool isValidated)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            yield return $"{path}: a schema is an object";
            yield break;
        }
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            if (!Words.Contains(member.Name) || (isTool && member.Name is "enum" or "additionalProperties") || (isTool && !isValidated && member.Name == "title"))
                yield return $"Invalid JSON payload received. Unknown name \"{member.Name}\" at '{path}': Cannot find field.";
        }
        string type = schema.TryGetProperty("type", out JsonElement told) && told.ValueKind == JsonValueKind.String ? told.GetString()!.ToLowerInvariant() : "";
        if (!Types.Contains(type)) yield return $"{path}.type: one type is needed";
        bool hasProperties = schema.TryGetProperty("properties", out JsonElement properties), hasItems = schema.TryGetProperty("items", out JsonElement items);
        if (type == "object" && !hasProperties) yield return $"{path}.properties: missing";
        if (type == "array" && !hasItems) yield return $"{path}.items: missing";
        bool hasRequired = schema.TryGetProperty("required", out JsonElement required);
        if (isValidated && type == "object" && (!hasRequired || required.GetArrayLength() == 0)) yield return $"{path}.required: missing";
        if (hasRequired)
        {
            foreach (JsonElement name in required.EnumerateArray())
                if (!hasProperties || !properties.TryGetProperty(name.GetString()!, out _)) yield return $"{path}.required: property '{name.GetString()}' is not defined";
        }
        if (schema.TryGetProperty("enum", out JsonElement values) && (type != "string" || values.EnumerateArray().Any(static value => value.ValueKind != JsonValueKind.String)))
            yield return $"{path}.enum: only allowed for STRING type";
        foreach (JsonProperty property in hasProperties ? properties.EnumerateObject() : default)
            foreach (string problem in Check(property.Value, $"{path}.properties.{property.Name}", isTool, isValidated)) yield return problem;
        if (hasItems)
            foreach (string problem in Check(items, path + ".items", isTool, isValidated)) yield return problem;
    }
}
