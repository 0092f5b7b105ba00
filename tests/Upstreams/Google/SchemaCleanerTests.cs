using System.Text.Json;
using Aiproxy.Tests.Protocols;
using Aiproxy.Tests.Protocols.Anthropic;
using Aiproxy.Upstreams.Google;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Upstreams.Google;

public sealed class SchemaCleanerTests
{
    private static string Clean(string schema, SchemaUse use = SchemaUse.Tool) => Wire.Text(output =>
    {
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        SchemaCleaner.Clean(RequestTexts.Json(schema), use).Write(writer);
    });

    /// <summary>The schema of the property <c>p</c>.</summary>
    private static string Property(string schema, SchemaUse use = SchemaUse.Tool) =>
        RequestTexts.Json(Clean("{\"type\":\"object\",\"properties\":{\"p\":" + schema + "},\"required\":[\"p\"]}", use)).GetProperty("properties").GetProperty("p").GetRawText();

    [Fact]
    public void Step0_BarePropertyMap_BecomesAnObject() =>
        Assert.Equal("""{"type":"object","properties":{"city":{"type":"string"},"size":{"type":"integer"}}}""", Clean("""{"city":{"type":"string"},"size":{"type":"integer"}}"""));

    [Fact]
    public void Step0_BooleanRequired_MovesToTheParent() =>
        Assert.Equal(
            """{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"]}""",
            Clean("""{"type":"object","properties":{"a":{"type":"string","required":true},"b":{"type":"string","required":false}}}"""));

    [Fact]
    public void Step1_LocalReference_IsPutInPlace() =>
        Assert.Equal(
            """{"type":"object","properties":{"a":{"type":"string","description":"own"},"b":{"type":"array","items":{"type":"string","description":"of X"}}}}""",
            Clean("""{"type":"object","properties":{"a":{"$ref":"#/$defs/X","description":"own"},"b":{"type":"array","items":{"$ref":"#/definitions/X"}}},"$defs":{"X":{"type":"string","description":"of X"}},"definitions":{"X":{"type":"string","description":"of X"}}}"""));

    [Fact]
    public void Step1_Circle_EndsInAHint() =>
        Assert.Equal(
            """{"type":"object","properties":{"value":{"type":"string"},"next":{"type":"object","properties":{"value":{"type":"string"},"next":{"type":"object","description":"(See: Node)","properties":{}}}}}}""",
            Clean("""{"$defs":{"Node":{"type":"object","properties":{"value":{"type":"string"},"next":{"$ref":"#/$defs/Node"}}}},"type":"object","properties":{"value":{"type":"string"},"next":{"$ref":"#/$defs/Node"}}}"""));

    [Theory]
    [InlineData("https://example.com/x.json", "x.json")]
    [InlineData("#/$defs/Gone", "Gone")]
    public void Step1_ReferenceThatCannotBeFollowed_IsAnObjectWithAHint(string reference, string hint) =>
        Assert.Equal("""{"type":"object","description":"(See: HINT)","properties":{}}""".Replace("HINT", hint), Property("{\"$ref\":\"" + reference + "\"}"));

    [Fact]
    public void ObjectWithKeysOfTheModelsOwn_SaysSo() =>
        Assert.Equal(
            """{"type":"object","description":"Sent along. (Further properties: {\"type\":\"string\"})","properties":{}}""",
            Property("""{"type":"object","description":"Sent along.","additionalProperties":{"type":"string"}}"""));

    [Theory]
    [InlineData("""{"const":"a"}""", """{"type":"string","description":"(Allowed: a)"}""")]
    [InlineData("""{"type":"integer","enum":[1,2]}""", """{"type":"integer","description":"(Allowed: 1, 2)"}""")]
    [InlineData("""{"type":"string","description":"d","enum":["a","b, c",null]}""", """{"type":"string","description":"d (Allowed: a, b, c)","nullable":true}""")]
    public void Steps2To4_ValuesOfAnArgument_AreToldInWords(string schema, string expected) => Assert.Equal(expected, Property(schema));

    [Theory]
    [InlineData("""{"const":"a"}""", """{"type":"string","enum":["a"]}""")]
    [InlineData("""{"type":"integer","enum":[1,2.50]}""", """{"type":"string","enum":["1","2.50"]}""")]
    [InlineData("""{"type":"boolean","enum":[true]}""", """{"type":"boolean","description":"(Allowed: true)"}""")]
    [InlineData("""{"type":"string","enum":["","b"]}""", """{"type":"string","enum":["b"]}""")]
    public void Steps2To4_ValuesOfAnAnswer_StayAList(string schema, string expected) => Assert.Equal(expected, Property(schema, SchemaUse.Response));

    [Fact]
    public void Step5_ClosedObject_IsToldOrKept()
    {
        const string Closed = """{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}""";
        Assert.Equal("""{"type":"object","description":"(No further properties)","properties":{"a":{"type":"string"}}}""", Clean(Closed));
        Assert.Equal("""{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}""", Clean(Closed, SchemaUse.Response));
    }

    [Fact]
    public void Step6_Limits_AreToldInWords() =>
        Assert.Equal(
            """{"type":"string","description":"d (minLength: 1; maxLength: 9; pattern: ^a\"b$; format: date-time; default: x; minimum: 0; maximum: 5; multipleOf: 2; uniqueItems: true)"}""",
            Property("""{"type":"string","description":"d","minLength":1,"maxLength":9,"pattern":"^a\"b$","format":"date-time","default":"x","examples":["y"],"minimum":0,"maximum":5,"multipleOf":2,"uniqueItems":true,"not":{"const":"z"}}"""));

    [Fact]
    public void Step6_DefaultThatIsNoScalar_Goes() => Assert.Equal("""{"type":"array","items":{"type":"string"}}""", Property("""{"type":"array","default":["a"],"items":{"type":"string"}}"""));

    [Fact]
    public void Step7_Conditions_GiveTheirProperties() =>
        Assert.Equal(
            """{"type":"object","properties":{"kind":{"type":"string"},"a":{"type":"string"},"b":{"type":"integer"}},"required":["kind"]}""",
            Clean("""{"type":"object","properties":{"kind":{"type":"string"}},"required":["kind"],"if":{"properties":{"kind":{"const":"x"}}},"then":{"properties":{"a":{"type":"string"},"kind":{"type":"integer"}},"required":["a"]},"else":{"properties":{"b":{"type":"integer"}}}}"""));

    [Fact]
    public void Step8_AllOf_IsMerged() =>
        Assert.Equal(
            """{"type":"object","properties":{"c":{"type":"string"},"a":{"type":"string"},"b":{"type":"string"}},"required":["c","a"]}""",
            Clean("""{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"string"}}}],"properties":{"c":{"type":"string"}},"required":["c"]}"""));

    [Fact]
    public void Step8_LoneReferenceInAllOf_KeepsItsType() =>
        Assert.Equal("""{"type":"string","description":"own (Allowed: a, b)"}""",
            RequestTexts.Json(Clean("""{"type":"object","properties":{"p":{"description":"own","allOf":[{"$ref":"#/$defs/E"}]}},"$defs":{"E":{"type":"string","enum":["a","b"]}}}""")).GetProperty("properties").GetProperty("p").GetRawText());

    [Theory]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}]}""", """{"type":"string","nullable":true}""")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"string"}}},{"type":"array"}]}""", """{"type":"object","description":"(Accepts: string | object | array)","properties":{"a":{"type":"string"}}}""")]
    [InlineData("""{"oneOf":[{"type":"string"},{"type":"array","items":{"type":"integer"}}]}""", """{"type":"array","description":"(Accepts: string | array)","items":{"type":"integer"}}""")]
    [InlineData("""{"oneOf":[{"const":"a","title":"A"},{"const":"b"}]}""", """{"type":"string","description":"(Allowed: a, b)"}""")]
    public void Step9_Alternatives_AreTheBestOfThem(string schema, string expected) => Assert.Equal(expected, Property(schema));

    [Fact]
    public void Step9_AlternativeDemands_DemandNothing() =>
        Assert.Equal(
            """{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}""",
            Clean("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"""));

    [Fact]
    public void Step10_ListOfTypes_IsTheFirst_AndNullMakesItOptional() =>
        Assert.Equal(
            """{"type":"object","properties":{"a":{"type":"string","nullable":true},"b":{"type":"integer"}},"required":["b"]}""",
            Clean("""{"type":"object","properties":{"a":{"type":["null","string"]},"b":{"type":["integer","string"]}},"required":["a","b"]}"""));

    [Fact]
    public void Step11_ForeignKeywords_Go() =>
        Assert.Equal("""{"type":"object","properties":{}}""", Clean(
            """{"type":"object","$schema":"s","$id":"i","$comment":"c","$defs":{},"definitions":{},"propertyNames":{"type":"string"},"patternProperties":{"a":{}},"enumDescriptions":["e"],"enumTitles":["t"],"prefill":"p","deprecated":true,"encrypted":true,"x-google":{"a":1},"x-a":"b","additionalProperties":true}"""));

    [Fact]
    public void Step12_Title_StaysWhereTheModelIsHeldToIt()
    {
        Assert.Equal("""{"type":"string"}""", Property("""{"type":"string","title":"T"}"""));
        Assert.Equal("""{"type":"string","title":"T"}""", Property("""{"type":"string","title":"T"}""", SchemaUse.ValidatedTool));
        Assert.Equal("""{"type":"string","title":"T"}""", Property("""{"type":"string","title":"T"}""", SchemaUse.Response));
    }

    [Fact]
    public void Step13_RequiredThatIsNotThere_Goes() =>
        Assert.Equal("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}""", Clean("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a","gone","a",7]}"""));

    [Theory]
    [InlineData("""{"type":"array"}""", """{"type":"array","items":{"type":"string"}}""")]
    [InlineData("""{"type":"array","items":[{"type":"integer"},{"type":"string"}]}""", """{"type":"array","items":{"type":"integer"}}""")]
    [InlineData("""{"type":"object"}""", """{"type":"object","properties":{}}""")]
    [InlineData("true", """{"type":"string"}""")]
    [InlineData("{}", """{"type":"string"}""")]
    public void Step14_WhatIsMissing_IsFilled(string schema, string expected) => Assert.Equal(expected, Property(schema));

    [Fact]
    public void Step15_ObjectThatDemandsNothing_GetsAPlaceholder_ThatItsCallsLose()
    {
        CleanSchema clean = SchemaCleaner.Clean(RequestTexts.Json("""{"type":"object","properties":{"a":{"type":"object"},"b":{"type":"array","items":{"type":"object","properties":{"c":{"type":"string"}}}}}}"""), SchemaUse.ValidatedTool);
        string written = Wire.Text(output =>
        {
            using var writer = new Utf8JsonWriter(output);
            clean.Write(writer);
        });
        Assert.Empty(CodeAssistSchemaRules.Check(RequestTexts.Json(written), "", isTool: true, isValidated: true));
        Assert.Contains("\"reason\":{\"type\":\"string\"", written);
        string cut = System.Text.Encoding.UTF8.GetString(clean.Cut()!.Apply("""{"a":{"reason":"x"},"_":true,"b":[{"c":"y","_":true},{"_":false}]}"""u8).Text!);
        Assert.Equal("""{"a":{},"b":[{"c":"y"},{}]}""", cut);
    }

    [Fact]
    public void Step15_ObjectThatDemandsSomething_IsLeftAlone()
    {
        CleanSchema clean = SchemaCleaner.Clean(RequestTexts.Json("""{"type":"object","properties":{"reason":{"type":"string"},"_":{"type":"string"}},"required":["reason"]}"""), SchemaUse.ValidatedTool);
        Assert.Null(clean.Cut());
        Assert.Equal(2, clean.Properties!.Count);
    }

    [Fact]
    public void NamesUnderProperties_AreNoKeywords()
    {
        string[] names = ["format", "title", "default", "type", "properties", "required", "$ref", "anyOf", "const", "enum", "items", "not", "x-a"];
        string schema = "{\"type\":\"object\",\"properties\":{" + string.Join(',', names.Select(name => $"\"{name}\":{{\"type\":\"string\"}}")) + "},\"required\":[\"format\",\"required\"]}";
        JsonElement clean = RequestTexts.Json(Clean(schema));
        Assert.Equal(names, clean.GetProperty("properties").EnumerateObject().Select(property => property.Name));
        Assert.All(clean.GetProperty("properties").EnumerateObject(), property => Assert.Equal("""{"type":"string"}""", property.Value.GetRawText()));
        Assert.Equal(["format", "required"], clean.GetProperty("required").EnumerateArray().Select(name => name.GetString()));
    }

    [Fact]
    public void TypesInCapitals_StaySo() =>
        Assert.Equal("""{"type":"OBJECT","properties":{"a":{"type":"ARRAY","items":{"type":"STRING"}}},"propertyOrdering":["a"]}""",
            Clean("""{"type":"OBJECT","properties":{"a":{"type":"ARRAY","items":{"type":"STRING"}}},"propertyOrdering":["a"]}"""));

    [Fact]
    public void ReferencesThatHoldEachOther_EndSoon()
    {
        string defs = string.Join(',', Enumerable.Range(0, 12).Select(i => $"\"D{i}\":{{\"type\":\"object\",\"properties\":{{{string.Join(',', Enumerable.Range(0, 12).Select(j => $"\"p{j}\":{{\"$ref\":\"#/$defs/D{j}\"}}"))}}}}}"));
        string written = Clean("{\"$ref\":\"#/$defs/D0\",\"$defs\":{" + defs + "}}");
        Assert.InRange(written.Length, 1, 2_000_000);
        Assert.Empty(CodeAssistSchemaRules.Check(RequestTexts.Json(written), "", isTool: true, isValidated: false));
    }

    [Fact]
    public void AnySchema_BecomesOneThatIsTaken()
    {
        Prop.ForAll(Schemas(4).ToArbitrary(), schema =>
        {
            foreach (SchemaUse use in Enum.GetValues<SchemaUse>())
            {
                JsonElement clean = RequestTexts.Json(Clean(schema, use));
                if (CodeAssistSchemaRules.Check(clean, "", use != SchemaUse.Response, use == SchemaUse.ValidatedTool).Any()) return false;
            }
            return true;
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    private static Gen<string> Schemas(int depth)
    {
        Gen<string> leaf = Gen.Elements(
            "{}", "true", "null", "7", """{"type":"string","format":"uri"}""", """{"type":["integer","null"],"minimum":1}""", """{"enum":["a",1,null]}""", """{"const":false}""",
            """{"$ref":"#/$defs/A"}""", """{"$ref":"#"}""", """{"$ref":7}""", """{"type":"array"}""", """{"type":"object","required":["x"]}""", """{"type":7,"title":[]}""", """{"nullable":true}""");
        if (depth == 0) return leaf;
        Gen<string> inner = Schemas(depth - 1), name = Gen.Elements("a", "format", "type", "_", "reason", "properties", "$ref");
        Gen<string> properties = name.Zip(inner).Select(pair => $"\"{pair.Item1}\":{pair.Item2}").ArrayOf().Select(members => "{" + string.Join(',', members.DistinctBy(member => member.Split(':')[0])) + "}");
        Gen<string> list = inner.NonEmptyListOf().Select(items => "[" + string.Join(',', items.Take(3)) + "]");
        Gen<string> node = properties.Zip(list).Zip(inner).Zip(Gen.Choose(0, 9)).Select(made =>
        {
            (((string map, string many), string one), int kind) = made;
            return kind switch
            {
                0 => map,
                1 => $$"""{"anyOf":{{many}}}""",
                2 => $$"""{"type":"object","properties":{{map}},"oneOf":{{many}},"required":["a","gone"]}""",
                3 => $$"""{"allOf":{{many}},"properties":{{map}},"additionalProperties":false}""",
                4 => $$"""{"type":"array","items":{{one}},"minItems":1}""",
                5 => $$"""{"if":{{one}},"then":{{one}},"else":{"properties":{{map}} } }""",
                6 => $$"""{"$defs":{"A":{{one}}},"$ref":"#/$defs/A"}""",
                7 => $$"""{"type":["null","object"],"properties":{{map}},"title":"t","default":{{one}}}""",
                8 => $$"""{"prefixItems":{{many}},"not":{{one}}}""",
                _ => $$"""{"type":"OBJECT","properties":{{map}},"required":["_"],"x-a":{{one}}}""",
            };
        });
        return Gen.OneOf(leaf, node, node, node);
    }
}
