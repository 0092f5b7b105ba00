using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Tests.Protocols.Edges;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Gemini;

/// <summary>The proto dialect of <c>parameters</c>, held against what the API refuses.</summary>
public sealed class GeminiProtoSchemaTests
{
    private static readonly string[] Words = ["type", "title", "description", "format", "nullable", "enum", "items", "minItems", "maxItems", "properties", "required", "minProperties",
        "maxProperties", "propertyOrdering", "minimum", "maximum", "minLength", "maxLength", "pattern", "anyOf", "default", "example"];

    private static JsonElement Write(string schema, bool isArguments = true)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) new GeminiProtoSchema(RequestTexts.Json(schema), isArguments).Write(writer);
        JsonElement written = RequestTexts.Json(Encoding.UTF8.GetString(stream.ToArray()));
        Check(written, "parameters", isRoot: true);
        if (isArguments) Assert.Equal("OBJECT", written.Text("type"));
        return written;
    }

    internal static void Check(JsonElement node, string at, bool isRoot = false)
    {
        foreach (JsonProperty member in node.EnumerateObject()) Assert.True(Words.Contains(member.Name), $"Unknown name \"{member.Name}\" at {at}");
        string type = node.Has("type") ? node.Text("type") : "";
        if (type.Length == 0) Assert.True(node.Has("anyOf"), $"{at}.type: must be specified when not using one_of, any_of or all_of fields");
        else Assert.Contains(type, (string[])["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"]);
        if (type == "ARRAY") Check(node.At("items"), at + ".items");
        if (type == "OBJECT" && !isRoot) Assert.NotEmpty(node.At("properties").EnumerateObject());
        if (node.Has("enum"))
        {
            Assert.Equal("STRING", type);
            foreach (JsonElement value in node.At("enum").EnumerateArray()) Assert.False(string.IsNullOrEmpty(value.GetString()), $"{at}.enum: cannot be empty");
        }
        if (node.Has("format"))
        {
            string[] known = type switch { "STRING" => ["enum", "date-time"], "INTEGER" => ["int32", "int64"], "NUMBER" => ["float", "double"], _ => [] };
            Assert.Contains(node.Text("format"), known);
        }
        if (node.Has("required"))
        {
            Assert.Equal("OBJECT", type);
            foreach (JsonElement name in node.At("required").EnumerateArray()) Assert.True(node.At("properties").Has(name.GetString()!), $"{at}.required: property is not defined");
        }
        if (node.Has("properties")) foreach (JsonProperty property in node.At("properties").EnumerateObject()) Check(property.Value, $"{at}.properties[{property.Name}]");
        if (node.Has("anyOf")) foreach (JsonElement branch in node.At("anyOf").EnumerateArray()) Check(branch, at + ".any_of");
    }

    [Fact]
    public void Values_AreTextsThatSaySomething()
    {
        JsonElement written = Write("""
            {"type":"object","properties":{"op":{"type":"string","enum":["a","","b"]},"none":{"type":"string","enum":[""]},"n":{"enum":[1,2]},"f":{"const":1.5},"on":{"const":true},"mixed":{"enum":["a",1]}}}
            """);
        Same("""{"type":"STRING","enum":["a","b"]}""", written.At("properties.op"));
        Same("""{"type":"STRING"}""", written.At("properties.none"));
        Same("""{"type":"INTEGER","description":"(allowed: [1,2])"}""", written.At("properties.n"));
        Assert.Equal("NUMBER BOOLEAN STRING", string.Join(' ', new[] { "f", "on", "mixed" }.Select(name => written.Text($"properties.{name}.type"))));
    }

    // Google's own discovery documents have whole numbers as strings with such a format.
    [Fact]
    public void Format_IsOneOfTheTypes()
    {
        JsonElement written = Write("""
            {"type":"object","properties":{"id":{"type":"string","format":"int64"},"n":{"type":"integer","format":"int64"},"at":{"type":["string","null"],"format":"date-time"},"x":{"type":["string","integer"],"format":"int32"}}}
            """);
        Same("""{"type":"STRING","description":"(format: int64)"}""", written.At("properties.id"));
        Same("""{"type":"INTEGER","format":"int64"}""", written.At("properties.n"));
        Same("""{"type":"STRING","nullable":true,"format":"date-time"}""", written.At("properties.at"));
        Same("""{"anyOf":[{"type":"STRING"},{"type":"INTEGER"}],"description":"(format: int32)"}""", written.At("properties.x"));
    }

    [Fact]
    public void SeveralTypes_KeepWhatIsInThem()
    {
        JsonElement written = Write("""
            {"type":"object","properties":{"a":{"type":["array","string"],"items":{"type":"object","properties":{"k":{"type":"integer"}}}},"o":{"type":["object","string"],"properties":{"k":{"type":"integer"}},"required":["k"]}}}
            """);
        Same("""{"anyOf":[{"type":"ARRAY","items":{"type":"OBJECT","properties":{"k":{"type":"INTEGER"}}}},{"type":"STRING"}]}""", written.At("properties.a"));
        Same("""{"anyOf":[{"type":"OBJECT","properties":{"k":{"type":"INTEGER"}},"required":["k"]},{"type":"STRING"}]}""", written.At("properties.o"));
    }

    // "parameters schema should be of type OBJECT"
    [Theory]
    [InlineData("""{"anyOf":[{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"]},{"$ref":"#/$defs/C"}],"$defs":{"C":{"type":"object","properties":{"b":{"type":"string"},"c":{"type":"string"}},"required":["b","c"]}}}""")]
    [InlineData("""{"type":"object","oneOf":[{"properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"]},{"properties":{"b":{"type":"string"},"c":{"type":"string"}},"required":["b","c"]}]}""")]
    public void AlternativesAtTheRoot_AreOneObject(string schema)
    {
        JsonElement written = Write(schema);
        Assert.Equal(["a", "b", "c"], written.At("properties").EnumerateObject().Select(property => property.Name));
        Same("""["b"]""", written.At("required"));
        Assert.Contains("Of: [", written.Text("description"));
    }

    [Fact]
    public void AnswersForm_MayBeNoObject()
    {
        Same("""{"anyOf":[{"type":"STRING"},{"type":"INTEGER"}]}""", Write("""{"anyOf":[{"type":"string"},{"type":"integer"}]}""", isArguments: false));
        Same("""{"type":"ARRAY","items":{"type":"STRING"}}""", Write("""{"type":"array","items":{"type":"string"}}""", isArguments: false));
    }

    [Fact]
    public void WordsBesideAReference_AreKept()
    {
        JsonElement written = Write("""
            {"type":"object","properties":{"mode":{"$ref":"#/$defs/Mode","description":"How to open."},"text":{"allOf":[{"type":"string"},{"minLength":1}]},
              "headers":{"type":"object","description":"Sent along.","additionalProperties":{"type":"string"}},"either":{"anyOf":[{"required":["a"]},{"required":["b"]}]}},
             "$defs":{"Mode":{"type":"string","enum":["r","w"],"description":"A mode."}}}
            """);
        Same("""{"type":"STRING","enum":["r","w"],"description":"How to open."}""", written.At("properties.mode"));
        Same("""{"type":"STRING","minLength":1}""", written.At("properties.text"));
        // Its keys are the model's own: it must be told that it may name some.
        Assert.Equal("""Sent along. (additionalProperties: {"type":"string"})""", written.Text("properties.headers.description"));
        Assert.Equal("OBJECT", written.Text("properties.either.type"));
    }
}
