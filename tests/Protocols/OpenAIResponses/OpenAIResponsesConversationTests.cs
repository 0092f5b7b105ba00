using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Tests.Protocols.OpenAIResponses;

public sealed class OpenAIResponsesConversationTests
{
    private const string Input = """{"type":"message","role":"user","content":"hi"}""";
    private const string Output = """{"type":"function_call","call_id":"c","name":"f","arguments":"{\"n\":9007199254740993}"}""";

    [Theory]
    [InlineData("""{"model":"m","previous_response_id":"r","input":[{"a": 1}],"x":2}""", """{"model":"m","input":[@,{"a": 1}],"x":2}""")]
    [InlineData("""{"previous_response_id":"r","model":"m","input":"more \"text\""}""", """{"model":"m","input":[@,{"type":"message","role":"user","content":"more \"text\""}]}""")]
    [InlineData("""{"model":"m","input": [ ] , "previous_response_id" : "r" }""", """{"model":"m","input": [@] }""")]
    [InlineData("""{"model":"m","input":[1],"previous_response_id":null,"x":3}""", """{"model":"m","input":[@,1],"x":3}""")]
    [InlineData("""{"model":"m","previous_response_id":"a\"b,}"}""", """{"input":[@],"model":"m"}""")]
    [InlineData("""{"previous_response_id":"r","model":"m"}""", """{"input":[@],"model":"m"}""")]
    [InlineData("""{"model":"m","input":null,"previous_response_id":"r"}""", """{"model":"m","input":[@]}""")]
    [InlineData("""{"model":"m","input":[1]}""", """{"model":"m","input":[@,1]}""")]
    public void StoredItems_ComeBeforeTheNewOnes_ByteForByte(string body, string expected)
    {
        byte[] expanded = OpenAIResponsesConversation.Expand(Encoding.UTF8.GetBytes(body), Encoding.UTF8.GetBytes(Input), Encoding.UTF8.GetBytes(Output));
        string text = Encoding.UTF8.GetString(expanded);
        using JsonDocument parsed = JsonDocument.Parse(expanded);
        Assert.False(parsed.RootElement.TryGetProperty("previous_response_id", out _));
        Assert.Equal(expected.Replace("@", $"{Input},{Output}").Replace(" ", ""), text.Replace(" ", ""));
    }

    [Fact]
    public void NothingStored_LeavesTheNewItems()
    {
        byte[] expanded = OpenAIResponsesConversation.Expand("{\"model\":\"m\",\"input\":\"a\",\"previous_response_id\":\"r\"}"u8, [], []);
        Assert.Equal("""{"model":"m","input":[{"type":"message","role":"user","content":"a"}]}""", Encoding.UTF8.GetString(expanded));
    }

    [Fact]
    public void InputItems_OfAnExpandedBody_AreTheConversation()
    {
        Assert.Equal("1, 2", Encoding.UTF8.GetString(OpenAIResponsesConversation.InputItems("{\"input\":[ 1, 2 ]}"u8)));
        Assert.Empty(OpenAIResponsesConversation.InputItems("{\"model\":\"m\"}"u8));
    }

    [Fact]
    public void Answer_GivesIdTimeAndItems()
    {
        (string id, long created, byte[] output) = OpenAIResponsesConversation.Answer("{\"id\":\"resp_1\",\"created_at\":7,\"output\":[{\"id\":\"rs_1\"}]}"u8)!.Value;
        Assert.Equal(("resp_1", 7L, """{"id":"rs_1"}"""), (id, created, Encoding.UTF8.GetString(output)));
        Assert.Null(OpenAIResponsesConversation.Answer("{\"error\":{}}"u8));
    }

    [Theory]
    [InlineData("{}", true)]
    [InlineData("{\"store\":true}", true)]
    [InlineData("{\"store\":null}", true)]
    [InlineData("{\"store\":false}", false)]
    public void Store_IsOnUnlessItSaysFalse(string body, bool stored) => Assert.Equal(stored, OpenAIResponsesConversation.IsToBeStored(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void PreviousId_IsDecoded()
    {
        Assert.Equal("a\"b", OpenAIResponsesConversation.PreviousId("{\"previous_response_id\":\"a\\\"b\"}"u8));
        Assert.Null(OpenAIResponsesConversation.PreviousId("{\"previous_response_id\":null}"u8));
    }

    [Theory]
    [InlineData("""{"input":[{"a":1}, {"type":"item_reference","id":"msg_1"} ,{"id":"msg_1","type":null}],"x":2}""", """{"input":[{"a":1}, @ ,@],"x":2}""")]
    [InlineData("""{"input":[{"id":"msg_1"}]}""", """{"input":[@]}""")]
    [InlineData("""{"input":[{"type":"item_reference","id":"rs_9"},{"type":"item_reference","id":"msg_1"}]}""", """{"input":[{"type":"item_reference","id":"rs_9"},@]}""")]
    [InlineData("""{"input":[{"type":"item_reference","id":"rs_9"}]}""", null)]
    [InlineData("""{"input":[{"type":"message","id":"msg_1","role":"user","content":"x"},{"id":"msg_1","role":"user","content":"x"}]}""", null)]
    [InlineData("""{"input":"msg_1"}""", null)]
    [InlineData("{}", null)]
    public void References_BecomeTheItemsThatAreKnown(string body, string? expected)
    {
        byte[]? resolved = OpenAIResponsesConversation.Resolve(Encoding.UTF8.GetBytes(body), id => id == "msg_1" ? Encoding.UTF8.GetBytes(Output) : null);
        Assert.Equal(expected?.Replace("@", Output), resolved is null ? null : Encoding.UTF8.GetString(resolved));
    }

    [Fact]
    public void ItemsById_AreThoseWithAnId()
    {
        Assert.Equal([("a", """{"id":"a"}"""), ("b", """{"x":{"id":"n"}, "id":"b"}""")],
            OpenAIResponsesConversation.ItemsById("{\"id\":\"a\"}, {\"x\":{\"id\":\"n\"}, \"id\":\"b\"},{\"x\":1}"u8).Select(found => (found.Id, Encoding.UTF8.GetString(found.Item))));
        Assert.Empty(OpenAIResponsesConversation.ItemsById([]));
    }
}
