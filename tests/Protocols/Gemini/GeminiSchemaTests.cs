using System.Text.Json;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Tests.Protocols.Edges;
using static Aiproxy.Tests.Protocols.Edges.Pair;

namespace Aiproxy.Tests.Protocols.Gemini;

/// <summary>The dialect of <c>parametersJsonSchema</c>.</summary>
public sealed class GeminiSchemaTests
{
    private static JsonElement Write(string schema)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) GeminiSchema.Write(writer, RequestTexts.Json(schema));
        JsonElement written = RequestTexts.Json(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
        foreach (string reference in References(written))
        {
            Assert.StartsWith("#/$defs/", reference);
            Assert.True(written.At("$defs").Has(reference["#/$defs/".Length..]), $"{reference} is nowhere in {written}");
        }
        return written;
    }

    private static IEnumerable<string> References(JsonElement node) => node.ValueKind switch
    {
        JsonValueKind.Object => node.EnumerateObject().SelectMany(member => member.Name == "$ref" ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => node.EnumerateArray().SelectMany(References),
        _ => [],
    };

    // "reference to undefined schema": what zod-to-json-schema makes of a schema that it met before.
    [Fact]
    public void ReferenceToAPlaceInTheSchema_BecomesADefinition()
    {
        JsonElement written = Write("""
            {"type":"object","properties":{"headers":{"type":"object","properties":{"n":{"type":"integer"}}},
              "actions":{"type":"array","items":{"$ref":"#/properties/headers"}},
              "one":{"anyOf":[{"type":"string"},{"type":"object","properties":{"x":{"type":"string"}}}]},"two":{"$ref":"#/properties/one/anyOf/1"},
              "gone":{"$ref":"#/properties/nowhere","description":"d"},"far":{"$ref":"https://example.com/a.json"}}}
            """);
        Same("""{"$ref":"#/$defs/headers"}""", written.At("properties.actions.items"));
        Same("""{"type":"object","properties":{"n":{"type":"integer"}}}""", written.At("$defs.headers"));
        Same("""{"type":"object","properties":{"x":{"type":"string"}}}""", written.At("$defs.1"));
        Same("""{"description":"d"}""", written.At("properties.gone"));
        Same("{}", written.At("properties.far"));
    }

    [Fact]
    public void DefinitionsOfASchemaThatWasPutIntoAnother_AreFound()
    {
        JsonElement written = Write("""
            {"type":"object","properties":{"body":{"$defs":{"Lang":{"enum":["a"]}},"type":"object","properties":{"language":{"$ref":"#/$defs/Lang"}}},
              "other":{"$ref":"#/definitions/Odd<name>"}},"definitions":{"Odd<name>":{"type":"string"}}}
            """);
        Same("""{"$ref":"#/$defs/Lang"}""", written.At("properties.body.properties.language"));
        Assert.False(written.At("properties.body").Has("$defs"));
        Same("""{"$ref":"#/$defs/Odd_name_"}""", written.At("properties.other"));
        Same("""{"Lang":{"enum":["a"]},"Odd_name_":{"type":"string"}}""", written.At("$defs"));
    }

    [Theory]
    [InlineData("""{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/Args","definitions":{"Args":{"type":"object","properties":{"a":{"type":"string"},"next":{"$ref":"#/definitions/Args"}}}}}""")]
    [InlineData("""{"allOf":[{"$ref":"#/$defs/Args"}],"$defs":{"Args":{"properties":{"a":{"type":"string"},"next":{"$ref":"#/$defs/Args"}}}}}""")]
    public void SchemaUnderAName_StandsAtTheRoot(string schema)
    {
        JsonElement written = Write(schema);
        Assert.Equal("object", written.Text("type"));
        Assert.True(written.At("properties").Has("a"));
        Same("""{"$ref":"#/$defs/Args"}""", written.At("$defs.Args.properties.next"));
    }

    // "a ref loop of required fields was found"
    [Fact]
    public void CircleOfRequiredValues_IsOpened()
    {
        JsonElement written = Write("""
            {"type":"object","properties":{"filter":{"$ref":"#/$defs/Filter"},"tree":{"$ref":"#/$defs/Tree"},"json":{"$ref":"#/$defs/Json"},"pair":{"$ref":"#/$defs/A"}},"required":["filter","tree","json","pair"],
             "$defs":{
              "Filter":{"type":"object","properties":{"and":{"type":"object","properties":{"left":{"anyOf":[{"type":"string"},{"$ref":"#/$defs/Filter"}]},"name":{"type":"string"}},"required":["left","name"]}},"required":["and"]},
              "Tree":{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#/$defs/Tree"}},"parent":{"anyOf":[{"$ref":"#/$defs/Tree"},{"type":"null"}]}},"required":["children","parent"]},
              "Json":{"anyOf":[{"type":"string"},{"type":"array","items":{"$ref":"#/$defs/Json"}},{"type":"array","minItems":1,"items":{"$ref":"#/$defs/Json"}},{"$ref":"#/$defs/Json"}]},
              "A":{"type":"object","properties":{"b":{"$ref":"#/$defs/B"},"c":{"type":"string"}},"required":["b","c"]},
              "B":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"]}}}
            """);
        Same("""["filter","tree","json","pair"]""", written.At("required"));
        Same("""["and"]""", written.At("$defs.Filter.required"));
        Same("""["name"]""", written.At("$defs.Filter.properties.and.required"));
        Same("""{"$ref":"#/$defs/Filter"}""", written.At("$defs.Filter.properties.and.properties.left.anyOf.1"));
        Same("""["children","parent"]""", written.At("$defs.Tree.required"));
        Same("""{"anyOf":[{"type":"string"},{"type":"array","items":{"$ref":"#/$defs/Json"}},{"type":"array","minItems":1,"items":{}},{}]}""", written.At("$defs.Json"));
        Same("""["c"]""", written.At("$defs.A.required"));
        Assert.False(written.At("$defs.B").Has("required"));
    }

    [Fact]
    public void AllOf_IsOneObject()
    {
        JsonElement written = Write("""
            {"type":"object","allOf":[{"$ref":"#/$defs/Base"},{"type":"object","properties":{"b":{"type":"integer"},"self":{"allOf":[{"$ref":"#/$defs/Base"},{"properties":{"z":{}}}]}},"required":["b"]},
              {"if":{"properties":{"a":{"const":"x"}}},"then":{"required":["b"]}},{"if":{"properties":{"a":{"const":"y"}}},"then":{"required":["c"]}}],
             "properties":{"c":{"allOf":[{"$ref":"#/$defs/Base"}],"description":"d"}},
             "$defs":{"Base":{"properties":{"a":{"type":"string"},"more":{"allOf":[{"$ref":"#/$defs/Base"},{"properties":{"y":{}}}]}},"required":["a"]}}}
            """);
        Assert.Equal(["c", "a", "more", "b", "self"], written.At("properties").EnumerateObject().Select(property => property.Name));
        Same("""["a","b"]""", written.At("required"));
        Same("""{"$ref":"#/$defs/Base"}""", written.At("properties.c"));
        // What stands around it already is referred to: it has no end.
        Same("""{"$ref":"#/$defs/Base"}""", written.At("properties.more"));
        Assert.Contains("\"y\"", written.Text("description"));
    }

    [Fact]
    public void ValuesThatAreNoTextsOrNumbers_AreTold()
    {
        JsonElement written = Write("""
            {"type":"object","properties":{"mode":{"type":["string","null"],"enum":["a","b",null]},"on":{"type":"boolean","const":true},"none":{"const":null},"n":{"enum":[1,2.5]},
              "open":{"type":"string","nullable":true},"big":{"type":["STRING","NULL"]}}}
            """);
        Same("""{"type":["string","null"],"enum":["a","b"]}""", written.At("properties.mode"));
        Same("""{"type":"boolean","description":"(allowed: true)"}""", written.At("properties.on"));
        Same("""{"type":"null"}""", written.At("properties.none"));
        Same("""{"enum":[1,2.5]}""", written.At("properties.n"));
        Same("""{"type":["string","null"]}""", written.At("properties.open"));
        Same("""{"type":["string","null"]}""", written.At("properties.big"));
    }

    // Written as alternatives they would each be anything.
    [Fact]
    public void AlternativesThatOnlyRequire_AreTold()
    {
        JsonElement written = Write("""{"type":"object","properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]}""");
        Assert.False(written.Has("anyOf"));
        Assert.Equal("""(anyOf: [{"required":["a"]},{"required":["b"]}])""", written.Text("description"));
    }

    // What pydantic writes for an argument that is an enumeration.
    [Fact]
    public void WordsBesideAReference_AreKeptWhereItsTargetIsAPlainValue()
    {
        JsonElement written = Write("""
            {"type":"object","properties":{"mode":{"$ref":"#/$defs/Mode","description":"How to open.","default":"r"},"old":{"allOf":[{"$ref":"#/$defs/Mode"}],"description":"Likewise."},
              "bare":{"$ref":"#/$defs/Mode"},"where":{"$ref":"#/$defs/Place","description":"Where."}},
             "$defs":{"Mode":{"type":"string","enum":["r","w"],"title":"Mode","description":"A mode."},"Place":{"type":"object","properties":{"x":{"type":"integer"}}}}}
            """);
        Same("""{"type":"string","enum":["r","w"],"title":"Mode","description":"How to open. (default: r)"}""", written.At("properties.mode"));
        Same("""{"type":"string","enum":["r","w"],"title":"Mode","description":"Likewise."}""", written.At("properties.old"));
        Same("""{"$ref":"#/$defs/Mode"}""", written.At("properties.bare"));
        Same("""{"$ref":"#/$defs/Place"}""", written.At("properties.where"));
    }

    // Nothing in them may take time that grows with the square of their size: this would not end.
    [Fact]
    public void LargeSchemas_AreWritten()
    {
        string Many(int count, Func<int, string> one) => string.Join(',', Enumerable.Range(0, count).Select(one));
        string wide = $"{{\"type\":\"object\",\"properties\":{{{Many(40_000, i => $"\"p{i}\":{{\"$ref\":\"#/$defs/gone{i}\"}}")}}},\"required\":[{Many(40_000, i => $"\"p{i}\"")}]}}";
        string knot = $"{{\"type\":\"object\",\"properties\":{{\"a\":{{\"$ref\":\"#/$defs/d0\"}}}},\"$defs\":{{{Many(3_000, i => $"\"d{i}\":{{\"anyOf\":[{Many(3, j => $"{{\"$ref\":\"#/$defs/d{(i * 3 + j) % 3_000}\"}}")}]}}")}}}}}";
        foreach (string schema in (string[])[wide, knot])
        {
            using var stream = new MemoryStream();
            using (var writer = new Utf8JsonWriter(stream)) GeminiSchema.Write(writer, RequestTexts.Json(schema));
            using (var writer = new Utf8JsonWriter(stream)) new GeminiProtoSchema(RequestTexts.Json(schema), isArguments: true).Write(writer);
            Assert.InRange(stream.Length, 1_000, 20_000_000);
        }
    }
}
