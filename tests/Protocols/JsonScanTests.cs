using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;

namespace Aiproxy.Tests.Protocols;

/// <summary>The in-box reader is the judge: both must call the same texts JSON and find the same values in them.</summary>
public sealed class JsonScanTests
{
    private const string Fault = "no JSON";

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""[]""")]
    [InlineData(""" { "a" : 1 , "b" : [ ] , "c" : { } } """)]
    [InlineData("""{"a":"x\"y\\","\u0062":-0.5e+10,"c":null,"d":true,"e":false,"a":2}""")]
    [InlineData("""[1,"two",{"three":[4,[5,{"six":"]}"}]]},-7]""")]
    [InlineData("\"text\"")]
    [InlineData("0")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("{")]
    [InlineData("[")]
    [InlineData("{]")]
    [InlineData("[}")]
    [InlineData("""{"a":1,}""")]
    [InlineData("""[1,]""")]
    [InlineData("""[,1]""")]
    [InlineData("""[1 2]""")]
    [InlineData("""{"a" 1}""")]
    [InlineData("""{"a":}""")]
    [InlineData("""{"a"}""")]
    [InlineData("""{a:1}""")]
    [InlineData("""{"a":1}x""")]
    [InlineData("""{"a":1}{}""")]
    [InlineData("""{"a":nul}""")]
    [InlineData("""{"a":nulll}""")]
    [InlineData("""{"a":True}""")]
    [InlineData("""[01]""")]
    [InlineData("""[-]""")]
    [InlineData("""[1.]""")]
    [InlineData("""[.5]""")]
    [InlineData("""[1e]""")]
    [InlineData("""[+1]""")]
    [InlineData("""[1e5,-0,0.0,1E-2]""")]
    [InlineData("""["\x"]""")]
    [InlineData("""["\u12g4"]""")]
    [InlineData("""["\u123"]""")]
    [InlineData("""["\ud800"]""")]
    [InlineData("""["open]""")]
    [InlineData("[\"a\tb\"]")]
    [InlineData("[\"a\0b\"]")]
    [InlineData("[1]\0")]
    [InlineData("""[1]//""")]
    [InlineData("\uFEFF{}")]
    public void Text_IsJudgedAsByTheInBoxReader(string json) => Compare(Encoding.UTF8.GetBytes(json));

    [Fact]
    public void SpecialByteAtAnyPlaceOfAString_IsSeen()
    {
        for (int length = 0; length < 70; length++)
        {
            for (int at = 0; at < length; at++)
            {
                foreach (string special in (string[])["\"", "\\", "\\\"", "\\n", "\n", "\u001f", " ", "\u00fc", "{", "]"])
                {
                    string text = new string('a', at) + special + new string('b', length - at);
                    Compare(Encoding.UTF8.GetBytes($$"""{"first":["{{text}}"],"{{text}}":1}"""));
                }
            }
        }
    }

    [Fact]
    public void NameAtAnyDistanceFromTheEnd_IsReadTheSame()
    {
        for (int length = 0; length < 40; length++)
        {
            foreach (string special in (string[])["", "\\", "\\n", "\n", "\u001f", "\u00fc", "\"", "\":1,\""])
            {
                string name = new string('a', length / 2) + special + new string('b', length - length / 2);
                foreach (string between in (string[])[":", " :", ": ", ":\n", "", "::", ","])
                {
                    for (int rest = 0; rest < 40; rest++)
                        Compare(Encoding.UTF8.GetBytes($$"""{"z":0,"{{name}}"{{between}}"{{new string('v', rest)}}"}"""));
                }
            }
        }
    }

    [Fact]
    public void DeepText_IsTakenUpToTheLimit()
    {
        foreach (int levels in (int[])[255, 256, 257, 100_000])
        {
            Compare(Encoding.UTF8.GetBytes(new string('[', levels) + new string(']', levels)));
            Compare(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels)));
        }
    }

    [Fact]
    public void BrokenAnswers_AreJudgedAsByTheInBoxReader()
    {
        var random = new Random(5);
        foreach (string name in (string[])["anthropic.sse", "openai.sse", "responses.sse", "gemini.sse"])
        {
            foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "fixtures/streams", name)))
            {
                if (!line.StartsWith("data: {", StringComparison.Ordinal)) continue;
                byte[] whole = Encoding.UTF8.GetBytes(line[6..]);
                Compare(whole);
                for (int i = 0; i < 300; i++) Compare(Broken(whole, random));
            }
        }
    }

    [Fact]
    public void ValueThatWasHandedOut_IsWalkedTheSameWayInside()
    {
        byte[] json = Encoding.UTF8.GetBytes("""{"a":{"b":[1,"]}\"",{"c":{}}],"d":-1.5e3 ,"e" : null},"f":[]}""");
        var scan = new JsonScan(json);
        Assert.True(scan.Next());
        Assert.Equal(["b=[1,\"]}\\\"\",{\"c\":{}}] StartArray", "d=-1.5e3 Number", "e=null Null"], Walk(JsonScan.Inside(scan.Value)));
    }

    [Fact]
    public void GoingDownAndUp_SeesTheSameAsWalkingEachValue()
    {
        var random = new Random(11);
        foreach (string name in (string[])["anthropic.sse", "openai.sse", "responses.sse", "gemini.sse"])
        {
            foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "fixtures/streams", name)))
            {
                if (!line.StartsWith("data: {", StringComparison.Ordinal)) continue;
                byte[] whole = Encoding.UTF8.GetBytes(line[6..]);
                for (int i = 0; i < 100; i++)
                {
                    byte[] json = i == 0 ? whole : Broken(whole, random);
                    List<string> expected = Told(() => Values(json)), found = Told(() => Deep(json, random));
                    Assert.True(expected.SequenceEqual(found), Encoding.UTF8.GetString(json));
                }
            }
        }
    }

    [Fact]
    public void GoingDown_KeepsTheLimitOfLevels()
    {
        foreach (int levels in (int[])[255, 256, 257])
        {
            byte[] json = Encoding.UTF8.GetBytes(new string('[', levels) + new string(']', levels));
            Assert.Equal(levels <= 256, Told(() => Deep(json, new Random(1))) is not [Fault]);
        }
    }

    [Fact]
    public void TextThatNobodyChecked_NeverHangsOrCrashesInside()
    {
        var random = new Random(9);
        byte[] whole = Encoding.UTF8.GetBytes("""{"a":{"b":[1,"]}\"",{"c":{}}],"d":-1.5e3 ,"e" : null},"f":[]}""");
        for (int i = 0; i < 20_000; i++)
        {
            try
            {
                Assert.True(Walk(JsonScan.Inside(Broken(whole, random))).Count < whole.Length);
            }
            catch (JsonException)
            {
                // As good as any end.
            }
        }
    }

    private static byte[] Broken(byte[] whole, Random random)
    {
        const string Bytes = "{}[]\",:\\/ tfnu0159.-+eE\n\u0001x";
        var bytes = whole.ToList();
        for (int n = random.Next(1, 3); n > 0 && bytes.Count > 1; n--)
        {
            int at = random.Next(bytes.Count);
            byte one = (byte)Bytes[random.Next(Bytes.Length)];
            switch (random.Next(4))
            {
                case 0: bytes[at] = one; break;
                case 1: bytes.Insert(at, one); break;
                case 2: bytes.RemoveAt(at); break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }
        return [.. bytes];
    }

    private static void Compare(byte[] json)
    {
        List<string> expected = Judge(json), found;
        try
        {
            found = Walk(new JsonScan(json));
        }
        catch (JsonException)
        {
            found = [Fault];
        }
        Assert.True(expected.SequenceEqual(found), $"{Encoding.UTF8.GetString(json)}\nexpected {string.Join(" | ", expected)}\nfound    {string.Join(" | ", found)}");
    }

    private static List<string> Told(Func<List<string>> walk)
    {
        try
        {
            return walk();
        }
        catch (JsonException)
        {
            return [Fault];
        }
    }

    /// <summary>Every value that is no container, with the names on the way to it.</summary>
    private static List<string> Values(byte[] json)
    {
        using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 256 });
        var values = new List<string>();
        // A root that is neither object nor array has no members.
        if (document.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Array) Values(document.RootElement, "", values);
        return values;
    }

    private static void Values(JsonElement value, string path, List<string> values)
    {
        if (value.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty member in value.EnumerateObject())
            {
                string name = RawJson.Decode([(byte)'"', .. JsonMarshal.GetRawUtf8PropertyName(member), (byte)'"']);
                Values(member.Value, $"{path}.{name}", values);
            }
        }
        else if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement element in value.EnumerateArray()) Values(element, path + "[]", values);
        }
        else
        {
            values.Add($"{path}={value.GetRawText()}");
        }
    }

    /// <summary>The same by going down into some containers and walking the values of the others.</summary>
    private static List<string> Deep(byte[] json, Random random)
    {
        var values = new List<string>();
        var scan = new JsonScan(json);
        Deep(ref scan, "", values, random);
        return values;
    }

    private static void Deep(ref JsonScan scan, string path, List<string> values, Random random)
    {
        bool isObject = scan.Root == JsonTokenType.StartObject;
        while (scan.Next())
        {
            string at = isObject ? $"{path}.{Encoding.UTF8.GetString(scan.Name)}" : path + "[]";
            if (!scan.IsContainer)
            {
                values.Add($"{at}={Encoding.UTF8.GetString(scan.Value)}");
            }
            else if (random.Next(2) == 0)
            {
                JsonScan.Place place = scan.Down();
                Deep(ref scan, at, values, random);
                scan.Up(place);
                _ = scan.Value;
            }
            else
            {
                var inside = JsonScan.Inside(scan.Value);
                Deep(ref inside, at, values, random);
            }
        }
    }

    private static List<string> Walk(JsonScan scan)
    {
        var members = new List<string>();
        while (scan.Next()) members.Add($"{Encoding.UTF8.GetString(scan.Name)}={Encoding.UTF8.GetString(scan.Value)} {scan.Kind}");
        Assert.False(scan.Next());
        return members;
    }

    private static List<string> Judge(byte[] json)
    {
        var members = new List<string>();
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
            reader.Read();
            bool isContainer = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
            while (reader.Read() && isContainer && reader.CurrentDepth > 0)
            {
                string name = "";
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    // As the scan does it: the in-box reader throws for half a surrogate pair.
                    name = RawJson.Decode(json.AsSpan((int)reader.TokenStartIndex, reader.ValueSpan.Length + 2));
                    reader.Read();
                }
                int start = (int)reader.TokenStartIndex;
                JsonTokenType kind = reader.TokenType;
                reader.Skip();
                members.Add($"{name}={Encoding.UTF8.GetString(json.AsSpan(start, (int)reader.BytesConsumed - start))} {kind}");
            }
            while (reader.Read()) { }
        }
        catch (JsonException)
        {
            return [Fault];
        }
        return members;
    }
}
