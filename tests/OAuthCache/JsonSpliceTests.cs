using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Aiproxy.OAuthCache;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.OAuthCache;

public sealed class JsonSpliceTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":"n"}""")]
    [InlineData("""{ "x" : [1 , 2.50],"a" :  { "b":3 } , "y":"\u00e9\/" }""", """{ "x" : [1 , 2.50],"a" :  "n" , "y":"\u00e9\/" }""")]
    [InlineData("""{"a":1,"b":2,"a":3}""", """{"a":"n","b":2,"a":"n"}""")]
    [InlineData("""{"\u0061":1}""", """{"\u0061":"n"}""")]
    [InlineData("""{"x":{"a":1}}""", """{"x":{"a":1},"a":"n"}""")]
    [InlineData("{}", """{"a":"n"}""")]
    [InlineData("{ }", """{"a":"n" }""")]
    [InlineData("{\n  \"b\": 1\n}\n", "{\n  \"b\": 1,\n  \"a\": \"n\"\n}\n")]
    [InlineData("{\r\n\t\"b\" : 1,\r\n\t\"c\" : [\r\n\t]\r\n}", "{\r\n\t\"b\" : 1,\r\n\t\"c\" : [\r\n\t],\r\n\t\"a\" : \"n\"\r\n}")]
    [InlineData("""{"q\"":1}""", """{"q\"":1,"a":"n"}""")]
    [InlineData("""{"\ud800":1,"a":2}""", """{"\ud800":1,"a":"n"}""")]
    [InlineData("""{"a":"\ud800"}""", """{"a":"n"}""")]
    [InlineData("""{"a":"\u006e"}""", """{"a":"\u006e"}""")]
    [InlineData("[1]", "[1]")]
    public void Value_IsSetAndNothingElse(string json, string expected) => Assert.Equal(expected, Apply(json, JsonEdit.Text(["a"], "n")));

    [Fact]
    public void Nested_IsSet_MissingHolderIsNotMade()
    {
        Assert.Equal("""{"a":{"b":"n"},"c":[{"d":0},{"d":"n"}]}""", Apply(
            """{"a":{"b":1},"c":[{"d":0},{"d":1}]}""", JsonEdit.Text(["a", "b"], "n"), JsonEdit.Text(["c", "1", "d"], "n"), JsonEdit.Text(["x", "y"], "n")));
    }

    [Fact]
    public void NotAdded_StaysMissing() => Assert.Equal("""{"b":1}""", Apply("""{"b":1}""", JsonEdit.Text(["a"], "n", isAdded: false)));

    [Fact]
    public void Text_IsEscapedOnlyWhereItMust() => Assert.Equal("""{"a":"+/<é\"\\"}""", Apply("""{"a":1}""", JsonEdit.Text(["a"], "+/<é\"\\")));

    [Theory]
    [InlineData("{")]
    [InlineData("{\"a\":1")]
    [InlineData("{\"a\":1}x")]
    [InlineData("")]
    public void Broken_Throws(string json) => Assert.ThrowsAny<JsonException>(() => Apply(json, JsonEdit.Text(["a"], "n")));

    [Fact]
    public void AnyObject_EditedAndEditedBack_IsTheSameBytes()
    {
        Prop.ForAll(Documents.ToArbitrary(), Gen.Elements("a", "b", "c", "é").ToArbitrary(), (json, name) =>
        {
            using JsonDocument before = JsonDocument.Parse(json);
            string edited = Apply(json, JsonEdit.Json([name], "[\"new\"]", isAdded: false));
            if (!before.RootElement.TryGetProperty(name, out JsonElement old)) return edited == json;
            return Apply(edited, JsonEdit.Json([name], old.GetRawText())) == json && JsonNode.Parse(edited)![name]!.ToJsonString() == "[\"new\"]";
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void AnyObject_AnyEdit_SetsItAndKeepsTheOthersInOrder()
    {
        Prop.ForAll(Documents.ToArbitrary(), Gen.Elements("a", "b", "new", "\"\\ü").ToArbitrary(), ArbMap.Default.GeneratorFor<NonNull<string>>().ToArbitrary(), (json, name, value) =>
        {
            string text = value.Get.Any(char.IsSurrogate) ? "v" : value.Get;
            string edited = Apply(json, JsonEdit.Text([name], text));
            using JsonDocument before = JsonDocument.Parse(json);
            using JsonDocument after = JsonDocument.Parse(edited);
            string[] kept = [.. before.RootElement.EnumerateObject().Where(member => member.Name != name).Select(member => member.ToString())];
            string[] now = [.. after.RootElement.EnumerateObject().Where(member => member.Name != name).Select(member => member.ToString())];
            return after.RootElement.GetProperty(name).GetString() == text && kept.SequenceEqual(now);
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>Objects with distinct names, odd blanks and escapes.</summary>
    private static Gen<string> Documents =>
        from names in Gen.SubListOf("a", "b", "c", "é", "\\u0078", "d\\\"", "")
        from values in Value(2).ListOf(names.Count)
        from blanks in Blank.ListOf((4 * names.Count) + 2)
        select "{" + string.Join(",", names.Select((name, index) =>
            $"{blanks[4 * index]}\"{name}\"{blanks[(4 * index) + 1]}:{blanks[(4 * index) + 2]}{values[index]}{blanks[(4 * index) + 3]}")) + blanks[^1] + "}" + blanks[^2];

    private static Gen<string> Blank => Gen.Elements("", "", " ", "\n  ", "\r\n\t");

    private static Gen<string> Value(int depth)
    {
        Gen<string> leaf = Gen.Elements("1", "-2.50e+3", "true", "null", "\"\"", "\"t\\u00e9\\n\"", "\"}\"", "\"a\"", "{}", "[ ]");
        return depth == 0 ? leaf : Gen.OneOf(
            leaf,
            Value(depth - 1).Select(value => $"{{ \"a\" :{value}}}"),
            Value(depth - 1).Two().Select(pair => $"[{pair.Item1} ,{pair.Item2}]"));
    }

    private static string Apply(string json, params JsonEdit[] edits) => Encoding.UTF8.GetString(JsonSplice.Apply(Encoding.UTF8.GetBytes(json), edits));
}
