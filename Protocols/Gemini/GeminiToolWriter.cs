using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Writes tools and the choice among them.</summary>
public sealed class GeminiToolWriter(ChatRequest request, GeminiTraits traits)
{
    /// <summary>The client's own tools; the others are dropped beside them.</summary>
    public List<ToolDefinition> Functions { get; } = [.. request.Tools.Where(tool => tool.Kind != ToolKind.Foreign)];

    public void Write(Utf8JsonWriter writer)
    {
        List<ToolDefinition> hosted = Hosted();
        if (Functions.Count + hosted.Count > 0)
        {
            writer.WriteStartArray("tools"u8);
            if (Functions.Count > 0)
            {
                writer.WriteStartObject();
                writer.WriteStartArray("functionDeclarations"u8);
                foreach (ToolDefinition tool in Functions) WriteFunction(writer, tool);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            foreach (ToolDefinition tool in hosted) WriteHosted(writer, tool);
            writer.WriteEndArray();
        }
        WriteChoice(writer);
    }

    /// <summary>What of the provider's own tools goes along. One that stands alone or is demanded cannot be dropped.</summary>
    private List<ToolDefinition> Hosted()
    {
        var hosted = new List<ToolDefinition>();
        foreach (ToolDefinition tool in request.Tools)
        {
            if (tool.Kind != ToolKind.Foreign) continue;
            bool isOwn = request.Protocol == GeminiNames.Protocol;
            bool isSearch = traits.WebSearch && ServerTools.IsWebSearch(tool) && Functions.Count == 0;
            if (isOwn || isSearch) hosted.Add(tool);
            else if (Functions.Count == 0 || ServerTools.IsIndispensable(tool)) throw RequestRefusal.Of(tool.Path, GeminiRequestWriter.Target);
        }
        return hosted;
    }

    private void WriteHosted(Utf8JsonWriter writer, ToolDefinition tool)
    {
        if (request.Protocol == GeminiNames.Protocol && tool.Raw is { } raw)
        {
            // The client's object may hold functions too, which are declared already.
            writer.WriteStartObject();
            foreach (JsonProperty member in raw.EnumerateObject())
            {
                if (member.Name != tool.Name) continue;
                writer.WritePropertyName(member.Name);
                writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(member.Value), skipInputValidation: true);
            }
            writer.WriteEndObject();
            return;
        }
        writer.WriteStartObject();
        writer.WriteStartObject("googleSearch"u8);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void WriteFunction(Utf8JsonWriter writer, ToolDefinition tool)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, tool.Name);
        if (tool.Description is { IsEmpty: false } description)
        {
            writer.WritePropertyName("description"u8);
            description.WriteTo(writer);
        }
        // Older models insist on one.
        else if (traits.LegacySchema) writer.WriteString("description"u8, tool.Name);
        if (tool.Schema is { } schema && HasArguments(schema)) WriteSchema(writer, schema);
        writer.WriteEndObject();
    }

    private void WriteSchema(Utf8JsonWriter writer, JsonElement schema)
    {
        writer.WritePropertyName(traits.LegacySchema ? "parameters"u8 : "parametersJsonSchema"u8);
        if (traits.RawSchema) writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(schema), skipInputValidation: true);
        else if (traits.LegacySchema) new GeminiProtoSchema(schema, isArguments: true).Write(writer);
        else GeminiSchema.Write(writer, schema);
    }

    /// <summary>A function without parameters leaves the schema out: an object without properties is refused by older models.</summary>
    private static bool HasArguments(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object) return false;
        return schema.EnumerateObject().Any(member => member.Name switch
        {
            "properties" => member.Value.ValueKind == JsonValueKind.Object && member.Value.EnumerateObject().Any(),
            "$ref" or "anyOf" or "oneOf" or "allOf" => true,
            "additionalProperties" => member.Value.ValueKind == JsonValueKind.Object,
            _ => false,
        });
    }

    private void WriteChoice(Utf8JsonWriter writer)
    {
        bool isClaude = GeminiNames.IsClaude(request.Model) && Functions.Count > 0;
        if (request.ToolChoice is not { } choice)
        {
            if (isClaude) WriteMode(writer, "VALIDATED", []);
            return;
        }
        if (choice.Foreign is not null && request.Protocol != GeminiNames.Protocol) throw RequestRefusal.Of(choice.Path, GeminiRequestWriter.Target);
        if (Functions.Count == 0)
        {
            if (choice.Mode == ToolChoiceMode.Any) throw RequestRefusal.Of(choice.Path, GeminiRequestWriter.Target);
            return;
        }
        if (isClaude)
        {
            // Claude is served in this mode alone; a demand cannot be told.
            WriteMode(writer, choice.Mode == ToolChoiceMode.None ? "NONE" : "VALIDATED", []);
            return;
        }
        string mode = choice.Mode switch
        {
            ToolChoiceMode.Any => "ANY",
            ToolChoiceMode.None => "NONE",
            ToolChoiceMode.Validated => "VALIDATED",
            // Names beside AUTO are refused; VALIDATED leaves the choice free as well.
            _ => choice.Names.Count > 0 ? "VALIDATED" : "AUTO",
        };
        WriteMode(writer, mode, choice.Mode == ToolChoiceMode.None ? [] : choice.Names);
    }

    private static void WriteMode(Utf8JsonWriter writer, string mode, IReadOnlyList<string> names)
    {
        writer.WriteStartObject("toolConfig"u8);
        writer.WriteStartObject("functionCallingConfig"u8);
        writer.WriteString("mode"u8, mode);
        if (names.Count > 0)
        {
            writer.WriteStartArray("allowedFunctionNames"u8);
            foreach (string name in names) writer.WriteStringValue(name);
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
