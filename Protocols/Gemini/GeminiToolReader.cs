using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Reads <c>tools</c>: function declarations with their schemas as JSON Schema, and the provider's own tools as they stand.</summary>
public sealed class GeminiToolReader(List<(string Path, JsonElement Value)> untranslatable)
{
    public List<ToolDefinition> Tools(JsonFields fields)
    {
        var tools = new List<ToolDefinition>();
        foreach ((JsonElement value, string path) in fields.Items("tools", single: true))
        {
            var tool = new JsonFields(value, path, proto: true);
            foreach ((JsonElement declaration, string at) in tool.Items("functionDeclarations", single: true))
            {
                tools.Add(Function(new JsonFields(declaration, at, proto: true)));
            }
            foreach (JsonProperty member in value.EnumerateObject())
            {
                if (member.Name is "functionDeclarations" or "function_declarations" || member.Value.ValueKind == JsonValueKind.Null) continue;
                if (member.NameEquals("mcpServers") || member.NameEquals("mcp_servers")) untranslatable.Add(($"{path}.{member.Name}", member.Value));
                else tools.Add(new ToolDefinition(ToolKind.Foreign, member.Name) { Path = $"{path}.{member.Name}", Raw = value });
            }
        }
        return tools;
    }

    private static ToolDefinition Function(JsonFields declaration)
    {
        JsonFields? schema = declaration.Object("parametersJsonSchema"), proto = declaration.Object("parameters");
        return new ToolDefinition(ToolKind.Function, declaration.String("name") ?? throw declaration.Missing("name"))
        {
            Path = declaration.Path,
            Description = declaration.Text("description"),
            Schema = (schema ?? proto) is { } found ? GeminiSchemaReader.ToJsonSchema(found.Raw) : null,
        };
    }
}
