using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>An answer that must follow a schema, from a model that cannot be told so: the schema becomes a tool which the model must call, and the call's arguments are
/// the answer. <see cref="JsonResponse"/> takes the call apart again.</summary>
public static class JsonResponseTool
{
    private const string Name = "json_response";

    /// <summary>The tool's name, which none of the client's own tools has.</summary>
    public static string NameFor(ChatRequest request)
    {
        string name = Name;
        for (int number = 2; request.Tools.Any(tool => ToolNames.Flat(tool) == name); number++) name = $"{Name}_{number}";
        return name;
    }

    /// <summary>Arguments are an object, so that a schema of anything else is that of one member <c>value</c>.</summary>
    public static bool IsWrapped(JsonElement schema) => SchemaKeywords.TypeOf(schema) is not ("object" or "") && !schema.TryGetProperty("properties"u8, out _);

    /// <summary>The tool without a schema: its writer says it.</summary>
    public static ToolDefinition Definition(ChatRequest request, OutputFormat format) => new(ToolKind.Function, NameFor(request))
    {
        Path = format.Path,
        Description = format.Description is { IsEmpty: false } told ? told : "Gives the answer. Call it with the whole answer, in the form that its arguments have.",
        Schema = format.Schema is { } schema && IsWrapped(schema) ? Wrap(schema) : format.Schema,
    };

    private static JsonElement Wrap(JsonElement schema)
    {
        using JsonDocument wrapped = JsonDocument.Parse($$"""{"type":"object","properties":{"value":{{schema.GetRawText()}}},"required":["value"],"additionalProperties":false}""", new JsonDocumentOptions { MaxDepth = 300 });
        return wrapped.RootElement.Clone();
    }
}
