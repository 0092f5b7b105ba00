using System.Runtime.InteropServices;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>A provider's web search in no vendor's words: what at least two of the protocols can say of it. What the target has no word for is a hint and goes.</summary>
public sealed record WebSearchTool
{
    /// <summary>Only these sites; an array of strings.</summary>
    public JsonElement? AllowedDomains { get; private init; }

    /// <summary><c>low</c>, <c>medium</c> or <c>high</c>.</summary>
    public string? ContextSize { get; private init; }

    /// <summary>City, region, country (two letters) and time zone of the user, each a string, by their names on the wire.</summary>
    public IReadOnlyList<(string Name, string Value)> Location { get; private init; } = [];

    /// <summary>Reads a definition of any protocol: a tool of Messages or Responses, Chat's <c>web_search_options</c>; Gemini's says nothing that others know.</summary>
    public static WebSearchTool Read(ToolDefinition tool)
    {
        if (tool.Raw is not { ValueKind: JsonValueKind.Object } raw) return new WebSearchTool();
        JsonElement? location = Member(raw, "user_location", JsonValueKind.Object);
        if (location is { } chat && Member(chat, "approximate", JsonValueKind.Object) is { } nested) location = nested;
        JsonElement? filters = Member(raw, "filters", JsonValueKind.Object);
        return new WebSearchTool
        {
            AllowedDomains = Domains(raw, "allowed_domains") ?? (filters is { } told ? Domains(told, "allowed_domains") : null),
            ContextSize = Text(raw, "search_context_size"),
            Location = location is { } place ? [.. Places(place)] : [],
        };
    }

    public void WriteAnthropic(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "web_search_20250305"u8);
        json.WriteString("name"u8, ServerTools.WebSearchName);
        Raw(json, "allowed_domains"u8, AllowedDomains);
        if (Location.Count > 0) WriteLocation(json, isNested: false);
        json.WriteEndObject();
    }

    public void WriteResponses(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "web_search"u8);
        if (ContextSize is not null) json.WriteString("search_context_size"u8, ContextSize);
        if (Location.Count > 0) WriteLocation(json, isNested: false);
        if (AllowedDomains is not null)
        {
            json.WriteStartObject("filters"u8);
            Raw(json, "allowed_domains"u8, AllowedDomains);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    /// <summary>The value of <c>web_search_options</c>.</summary>
    public void WriteChat(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (ContextSize is not null) json.WriteString("search_context_size"u8, ContextSize);
        if (Location.Count > 0) WriteLocation(json, isNested: true);
        json.WriteEndObject();
    }

    private void WriteLocation(Utf8JsonWriter json, bool isNested)
    {
        json.WriteStartObject("user_location"u8);
        json.WriteString("type"u8, "approximate"u8);
        if (isNested) json.WriteStartObject("approximate"u8);
        foreach ((string name, string value) in Location) json.WriteString(name, value);
        if (isNested) json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Raw(Utf8JsonWriter json, ReadOnlySpan<byte> name, JsonElement? value)
    {
        if (value is not { } told) return;
        json.WritePropertyName(name);
        json.WriteRawValue(JsonMarshal.GetRawUtf8Value(told), skipInputValidation: true);
    }

    private static IEnumerable<(string Name, string Value)> Places(JsonElement location)
    {
        foreach (string name in (string[])["city", "region", "country", "timezone"])
        {
            if (Text(location, name) is { Length: > 0 } value) yield return (name, value);
        }
    }

    private static JsonElement? Domains(JsonElement owner, string name) =>
        Member(owner, name, JsonValueKind.Array) is { } list && list.GetArrayLength() > 0 ? list : null;

    private static string? Text(JsonElement owner, string name) => Member(owner, name, JsonValueKind.String) is { } text ? JsonFields.Decode(text) : null;

    private static JsonElement? Member(JsonElement owner, string name, JsonValueKind kind) =>
        owner.TryGetProperty(name, out JsonElement value) && value.ValueKind == kind ? value : null;
}
