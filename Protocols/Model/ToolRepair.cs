using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Aiproxy.Protocols.Model;

/// <summary>Tools, choice and call arguments in a form that the target takes: legal names, no namespaces, free-form tools as functions where it knows none.</summary>
public static class ToolRepair
{
    private static readonly JsonElement s_inputSchema =
        JsonDocument.Parse("""{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}""").RootElement;

    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="ProtocolException">Two tools have one name for the target.</exception>
    public static List<ToolDefinition> Tools(IReadOnlyList<ToolDefinition> tools, HistoryRules rules)
    {
        var repaired = new List<ToolDefinition>(tools.Count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ToolDefinition tool in tools)
        {
            if (tool.Kind == ToolKind.Foreign)
            {
                repaired.Add(tool);
                continue;
            }
            string name = ToolNames.For(ToolNames.Flat(tool), rules.MaxNameLength);
            if (!names.Add(name)) throw new ProtocolException(ErrorKind.InvalidRequest, $"{tool.Path}: a second tool of the same name", tool.Path);
            ToolDefinition legal = tool with { Name = name, Namespace = null };
            repaired.Add(tool.Kind == ToolKind.Custom && !rules.KnowsCustomTools ? Wrap(legal) : legal);
        }
        return repaired;
    }

    public static ToolChoice? Choice(ToolChoice? choice, HistoryRules rules) => choice is null ? null : choice with
    {
        Names = [.. choice.Names.Select(name => ToolNames.For(name, rules.MaxNameLength))],
        IsCustom = choice.IsCustom && rules.KnowsCustomTools,
    };

    /// <summary>A call of an earlier answer, without touching its id.</summary>
    public static ToolCallPart Call(ToolCallPart call, HistoryRules rules)
    {
        ToolCallPart legal = call with { Name = ToolNames.For(ToolNames.Flat(call.Namespace, call.Name), rules.MaxNameLength), Namespace = null };
        if (!call.IsCustom) return legal with { Arguments = Arguments(call.Arguments) };
        return rules.KnowsCustomTools ? legal : legal with { IsCustom = false, Arguments = Object("input"u8, call.Arguments.Span) };
    }

    /// <summary>The arguments where they are a JSON object; nothing is <c>{}</c>; what the model broke travels as <c>{"_raw": text}</c>, since servers refuse it otherwise.</summary>
    private static ReadOnlyMemory<byte> Arguments(ReadOnlyMemory<byte> arguments)
    {
        ReadOnlySpan<byte> text = arguments.Span.Trim(" \t\r\n"u8);
        if (text.IsEmpty || text.SequenceEqual("null"u8)) return "{}"u8.ToArray();
        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = 256 });
            bool isObject = reader.Read() && reader.TokenType == JsonTokenType.StartObject;
            while (reader.Read()) { }
            if (isObject) return arguments;
        }
        catch (JsonException)
        {
            // Broken by the model, or cut by its limit.
        }
        return Object("_raw"u8, RawJson.Encode(Encoding.UTF8.GetString(arguments.Span)));
    }

    private static byte[] Object(ReadOnlySpan<byte> name, ReadOnlySpan<byte> token)
    {
        var output = new ArrayBufferWriter<byte>(token.Length + 16);
        using (var json = new Utf8JsonWriter(output, s_json))
        {
            json.WriteStartObject();
            json.WritePropertyName(name);
            json.WriteRawValue(token, skipInputValidation: true);
            json.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The grammar that the input must obey is told in words: a function's schema cannot say it.</summary>
    private static ToolDefinition Wrap(ToolDefinition custom)
    {
        string description = custom.Description?.ToString() ?? "";
        if (Grammar(custom.Raw) is { } grammar) description = $"{description}\n\nThe input must match this grammar:\n{grammar}".TrimStart();
        return custom with
        {
            Kind = ToolKind.Function,
            Description = description.Length > 0 ? new JsonText(description) : (JsonText?)null,
            Schema = s_inputSchema,
            Raw = null,
        };
    }

    private static string? Grammar(JsonElement? format)
    {
        if (format is not { ValueKind: JsonValueKind.Object } told) return null;
        if (told.TryGetProperty("grammar"u8, out JsonElement nested) && nested.ValueKind == JsonValueKind.Object) told = nested;
        return told.TryGetProperty("definition"u8, out JsonElement definition) && definition.ValueKind == JsonValueKind.String ? JsonText.From(definition).ToString() : null;
    }
}
