using System.Text.Json;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>The tools of a request: all functions in one entry, with names and schemas that Code Assist takes.</summary>
public sealed class ToolSet
{
    private static readonly JsonElement NoArguments = JsonDocument.Parse("{\"type\":\"object\"}").RootElement;

    private readonly GoogleModel _model;
    private readonly List<OrderedDictionary<string, JsonElement>> _functions = [];
    private readonly List<(string Name, JsonElement Value)> _hosted = [];
    private readonly Dictionary<string, ArgumentCut> _cuts = new(StringComparer.Ordinal);

    /// <param name="tools">The entries of <c>tools</c>.</param>
    public ToolSet(GoogleModel model, IEnumerable<JsonElement> tools)
    {
        _model = model;
        foreach (JsonElement tool in tools)
        {
            OrderedDictionary<string, JsonElement> members = ProtoNames.Members(tool);
            foreach (JsonElement function in ProtoNames.Items(members, "functionDeclarations"))
                if (function.ValueKind == JsonValueKind.Object) _functions.Add(ProtoNames.Members(function));
            foreach ((string name, JsonElement value) in members)
                if (name != "functionDeclarations") _hosted.Add((name, value));
        }
        // "cannot be combined with functionDeclarations in one request"; later models of Google's own take both.
        if (_functions.Count > 0 && (model.IsAntigravity || !model.IsGemini3)) _hosted.RemoveAll(static tool => tool.Name is "googleSearch" or "urlContext" or "codeExecution");
        Names = new FunctionNames(_functions.Select(Name));
    }

    public FunctionNames Names { get; }

    public bool HasFunctions => _functions.Count > 0;

    /// <summary>Nothing but a search of the provider's own is wanted.</summary>
    public bool IsSearchOnly => _functions.Count == 0 && _hosted.Count > 0 && _hosted.TrueForAll(static tool => tool.Name == "googleSearch");

    /// <summary>Function, as sent, to what its calls must lose; after <see cref="Write"/>. null: nothing.</summary>
    public IReadOnlyDictionary<string, ArgumentCut>? Cuts => _cuts.Count > 0 ? _cuts : null;

    public void Write(Utf8JsonWriter writer)
    {
        if (_functions.Count + _hosted.Count == 0) return;
        writer.WriteStartArray("tools"u8);
        if (_functions.Count > 0)
        {
            writer.WriteStartObject();
            writer.WriteStartArray("functionDeclarations"u8);
            foreach (OrderedDictionary<string, JsonElement> function in _functions) WriteFunction(writer, function);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        foreach ((string name, JsonElement value) in _hosted)
        {
            writer.WriteStartObject();
            ProtoNames.Raw(writer, name, value);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    /// <param name="config">The request's own <c>toolConfig</c>; null: none.</param>
    public void WriteConfig(Utf8JsonWriter writer, JsonElement? config)
    {
        OrderedDictionary<string, JsonElement> members = config is { } told ? ProtoNames.Members(told) : [];
        OrderedDictionary<string, JsonElement> calling = ProtoNames.Object(members, "functionCallingConfig") is { } inner ? ProtoNames.Members(inner) : [];
        bool isClaude = _model.IsClaude && HasFunctions;
        if (members.Count == 0 && !isClaude) return;
        writer.WriteStartObject("toolConfig"u8);
        foreach ((string name, JsonElement value) in members)
            if (name != "functionCallingConfig") ProtoNames.Raw(writer, name, value);
        if (isClaude || calling.Count > 0)
        {
            writer.WriteStartObject("functionCallingConfig"u8);
            if (isClaude) writer.WriteString("mode"u8, IsNone(calling) ? "NONE"u8 : "VALIDATED"u8);
            else WriteCalling(writer, calling);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private void WriteCalling(Utf8JsonWriter writer, OrderedDictionary<string, JsonElement> calling)
    {
        foreach ((string name, JsonElement value) in calling)
        {
            if (name != "allowedFunctionNames" || value.ValueKind != JsonValueKind.Array)
            {
                ProtoNames.Raw(writer, name, value);
                continue;
            }
            writer.WriteStartArray(name);
            foreach (JsonElement allowed in value.EnumerateArray())
                if (allowed.ValueKind == JsonValueKind.String) writer.WriteStringValue(Names.For(JsonFields.Decode(allowed)));
            writer.WriteEndArray();
        }
    }

    // Claude is served in one mode alone, but a client that wants no call at all is obeyed.
    private static bool IsNone(OrderedDictionary<string, JsonElement> calling) =>
        calling.TryGetValue("mode", out JsonElement mode) && mode.ValueKind == JsonValueKind.String && JsonFields.Decode(mode).Equals("NONE", StringComparison.OrdinalIgnoreCase);

    private void WriteFunction(Utf8JsonWriter writer, OrderedDictionary<string, JsonElement> function)
    {
        string sent = Names.For(Name(function));
        writer.WriteStartObject();
        writer.WriteString("name"u8, sent);
        foreach ((string name, JsonElement value) in function)
            if (name is not ("name" or "parameters" or "parametersJsonSchema" or "response" or "responseJsonSchema")) ProtoNames.Raw(writer, name, value);
        WriteParameters(writer, function, sent);
        if ((ProtoNames.Object(function, "response") ?? ProtoNames.Object(function, "responseJsonSchema")) is { } response)
        {
            writer.WritePropertyName("response"u8);
            SchemaCleaner.Clean(response, SchemaUse.Tool).Write(writer);
        }
        writer.WriteEndObject();
    }

    private void WriteParameters(Utf8JsonWriter writer, OrderedDictionary<string, JsonElement> function, string sent)
    {
        JsonElement schema = ProtoNames.Object(function, "parametersJsonSchema") ?? ProtoNames.Object(function, "parameters") ?? NoArguments;
        CleanSchema clean = SchemaCleaner.Clean(schema, _model.ToolSchema);
        // An object without properties is refused by older models; a function may go without.
        if (clean.IsEmptyObject) return;
        if (clean.Cut() is { } cut) _cuts[sent] = cut;
        writer.WritePropertyName("parameters"u8);
        clean.Write(writer);
    }

    private static string Name(OrderedDictionary<string, JsonElement> function) =>
        function.TryGetValue("name", out JsonElement name) && name.ValueKind == JsonValueKind.String ? JsonFields.Decode(name) : "";
}
