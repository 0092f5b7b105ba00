using System.Globalization;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Tests.Protocols.Edges;

namespace Aiproxy.Tests.Protocols.Gemini;

/// <summary>Schemas that nobody would write, in both dialects: what is written keeps to the dialect's words, and each reference finds what it names.</summary>
public sealed class GeminiSchemaFuzzTests
{
    private static readonly string[] JsonWords = ["type", "title", "description", "format", "enum", "items", "prefixItems", "minItems", "maxItems", "properties", "required",
        "additionalProperties", "minimum", "maximum", "anyOf", "oneOf", "$defs", "$ref"];

    private static readonly string[] ProtoWords = ["type", "title", "description", "format", "nullable", "enum", "items", "minItems", "maxItems", "properties", "required", "minProperties",
        "maxProperties", "minimum", "maximum", "minLength", "maxLength", "pattern", "anyOf", "default"];

    private static string Scalar(Random random) => random.Next(6) switch { 0 => "null", 1 => "true", 2 => "1", 3 => "1.5", 4 => "\"\"", _ => "\"v\"" };

    private static string Type(Random random) => random.Next(9) switch
    {
        0 => "[\"string\",\"null\"]", 1 => "[\"array\",\"object\"]", 2 => "\"any\"", 3 => "7", 4 => "\"INTEGER\"", 5 => "[]", 6 => "\"array\"", 7 => "\"null\"", _ => "\"object\"",
    };

    private static string Reference(Random random) => random.Next(6) switch
    {
        0 => "#", 1 => "#/properties/p0", 2 => "#/$defs/none", 3 => "https://example.com/x", 4 => "#/definitions/d0", _ => "#/$defs/d" + random.Next(3).ToString(CultureInfo.InvariantCulture),
    };

    private static string Schema(Random random, int depth)
    {
        if (depth == 0 || random.Next(12) == 0) return random.Next(3) switch { 0 => "{}", 1 => "true", _ => "false" };
        string List(int count) => string.Join(',', Enumerable.Range(0, count).Select(_ => Schema(random, depth - 1)));
        string Map(string prefix, int count) => "{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{prefix}{i}\":{Schema(random, depth - 1)}")) + "}";
        var members = new List<string>();
        foreach (string keyword in (string[])["type", "properties", "required", "anyOf", "oneOf", "allOf", "items", "prefixItems", "additionalProperties", "$ref", "enum", "const", "format",
            "minItems", "description", "nullable", "default", "not", "patternProperties", "x-odd", "$defs", "minLength"])
        {
            if (random.Next(5) != 0) continue;
            members.Add($"\"{keyword}\":" + keyword switch
            {
                "type" => Type(random),
                "properties" or "$defs" or "patternProperties" => Map(keyword == "$defs" ? "d" : "p", random.Next(4)),
                "required" => random.Next(4) == 0 ? "true" : "[\"p0\",\"p1\",\"gone\",1]",
                "anyOf" or "oneOf" or "allOf" or "prefixItems" => random.Next(6) == 0 ? Schema(random, depth - 1) : $"[{List(random.Next(4))}]",
                "items" => random.Next(4) == 0 ? $"[{List(random.Next(3))}]" : Schema(random, depth - 1),
                "additionalProperties" or "not" => Schema(random, depth - 1),
                "$ref" => $"\"{Reference(random)}\"",
                "enum" => $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Scalar(random)))}]",
                "format" => random.Next(2) == 0 ? "\"int64\"" : "\"date-time\"",
                _ => Scalar(random),
            });
        }
        return "{" + string.Join(',', members) + "}";
    }

    private static JsonElement Written(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) write(writer);
        return RequestTexts.Json(Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static void Check(JsonElement node, string[] words, JsonElement root, string schema)
    {
        if (node.ValueKind != JsonValueKind.Object) return;
        foreach (JsonProperty member in node.EnumerateObject())
        {
            Assert.True(words.Contains(member.Name), $"{member.Name} of {schema}");
            if (member.Name == "$ref")
            {
                Assert.Single(node.EnumerateObject());
                Assert.True(root.At("$defs").Has(member.Value.GetString()!["#/$defs/".Length..]), $"{member.Value} of {schema}");
            }
            if (member.Name is "properties" or "$defs") foreach (JsonProperty property in member.Value.EnumerateObject()) Check(property.Value, words, root, schema);
            if (member.Name is "anyOf" or "oneOf" or "prefixItems") foreach (JsonElement branch in member.Value.EnumerateArray()) Check(branch, words, root, schema);
            if (member.Name is "items" or "additionalProperties") Check(member.Value, words, root, schema);
            if (member.Name == "required") Assert.All(member.Value.EnumerateArray(), name => Assert.True(node.At("properties").Has(name.GetString()!), $"{name} of {schema}"));
            if (member.Name == "enum") Assert.All(member.Value.EnumerateArray(), value => Assert.True(value.ValueKind is JsonValueKind.String or JsonValueKind.Number, schema));
        }
    }

    [Fact]
    public void RandomSchemas_KeepToTheDialects()
    {
        var random = new Random(11);
        for (int round = 0; round < 3000; round++)
        {
            string schema = Schema(random, 4);
            if (schema[0] != '{') continue;
            JsonElement root = RequestTexts.Json(schema);
            JsonElement json = Written(writer => GeminiSchema.Write(writer, root));
            Check(json, JsonWords, json, schema);
            JsonElement proto = Written(writer => new GeminiProtoSchema(root, isArguments: true).Write(writer));
            Check(proto, ProtoWords, proto, schema);
            GeminiProtoSchemaTests.Check(proto, schema, isRoot: true);
        }
    }
}
