using Aiproxy.Balancer;
using Aiproxy.Tests.Upstreams;

namespace Aiproxy.Tests.Balancer;

public sealed class SessionAffinityTests
{
    private static readonly Home A = new("a", "1"), B = new("b", "1");

    private readonly FakeClock _clock = new();

    private static string? Key(string protocol, string body, params (string Name, string Value)[] headers)
    {
        using var test = new TestExchange(protocol, stream: false, body: body);
        foreach ((string name, string value) in headers) test.Headers.Add(new(name, value));
        return ConversationKey.Of(test.Exchange);
    }

    [Fact]
    public void ServedConversation_ReturnsThere_UntilItFailsThere()
    {
        var affinity = new SessionAffinity(_clock);
        Assert.Null(affinity.Find("k"));
        affinity.Served("k", A, TimeSpan.FromSeconds(1));
        Assert.Equal(A, affinity.Find("k"));
        affinity.Left("k", "b");
        Assert.Equal(A, affinity.Find("k"));
        affinity.Left("k", "a");
        Assert.Null(affinity.Find("k"));
        affinity.Served("k", B, TimeSpan.FromSeconds(1));
        Assert.Equal(B, affinity.Find("k"));
    }

    [Fact]
    public void AnswerThreeTimesSlowerThanUsual_LetsTheConversationGo()
    {
        var affinity = new SessionAffinity(_clock);
        for (int i = 0; i < 5; i++) affinity.Served("warm" + i, A, TimeSpan.FromSeconds(2));
        affinity.Served("k", A, TimeSpan.FromSeconds(5.9));
        Assert.Equal(A, affinity.Find("k"));
        affinity.Served("k", A, TimeSpan.FromSeconds(30));
        Assert.Null(affinity.Find("k"));
        affinity.Served("other", B, TimeSpan.FromSeconds(30));
        Assert.Equal(B, affinity.Find("other"));
    }

    [Fact]
    public void Conversations_AreBounded_AndForgottenAfterADay()
    {
        var affinity = new SessionAffinity(_clock);
        for (int i = 0; i < 20_500; i++) affinity.Served("k" + i, A, TimeSpan.Zero);
        Assert.Null(affinity.Find("k0"));
        Assert.NotNull(affinity.Find("k20499"));
        _clock.Advance(TimeSpan.FromHours(25));
        Assert.Null(affinity.Find("k20499"));
    }

    [Theory]
    [InlineData("anthropic", """{"model":"m","system":"s","messages":[{"role":"user","content":"a"}MORE]}""", """,{"role":"assistant","content":"x"},{"role":"user","content":"b"}""")]
    [InlineData("openai", """{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"a"}MORE]}""", """,{"role":"assistant","content":"x"}""")]
    [InlineData("responses", """{"model":"m","instructions":"s","input":[{"role":"user","content":"a"}MORE]}""", """,{"type":"reasoning","summary":[]}""")]
    [InlineData("gemini", """{"contents":[{"parts":[{"text":"a"}]}MORE]}""", """,{"role":"model","parts":[{"text":"x"}]}""")]
    public void LaterTurn_HasTheKeyOfTheFirst(string protocol, string body, string more)
    {
        string? first = Key(protocol, body.Replace("MORE", ""));
        Assert.NotNull(first);
        Assert.Equal(first, Key(protocol, body.Replace("MORE", more)));
        Assert.NotEqual(first, Key(protocol, body.Replace("MORE", "").Replace("\"a\"", "\"other\"")));
    }

    [Fact]
    public void NamedConversation_GoesByItsName()
    {
        const string Body = """{"model":"m","metadata":{"user_id":"u1"},"messages":[{"role":"user","content":"a"}]}""";
        Assert.Equal(Key("anthropic", Body), Key("anthropic", Body.Replace("\"a\"", "\"b\"")));
        Assert.NotEqual(Key("anthropic", Body), Key("anthropic", Body.Replace("u1", "u2")));
        Assert.NotEqual(Key("anthropic", Body), Key("anthropic", Body.Replace("\"m\"", "\"n\"")));
        string? session = Key("anthropic", Body, ("X-Claude-Code-Session-Id", "s1"));
        Assert.Equal(session, Key("anthropic", Body.Replace("u1", "u2"), ("x-claude-code-session-id", "s1")));
        const string Cached = """{"model":"m","prompt_cache_key":"k","input":"a"}""";
        Assert.Equal(Key("responses", Cached), Key("responses", Cached.Replace("\"a\"", "\"b\"")));
    }

    [Fact]
    public void TurnThatNamesAnAnswer_HasTheKeyOfThatAnswer()
    {
        using var test = new TestExchange("responses", stream: false, body: """{"model":"m","previous_response_id":"resp_1","prompt_cache_key":"k","input":"b"}""");
        Assert.Equal(ConversationKey.OfAnswer(test.Exchange, "resp_1"), ConversationKey.Of(test.Exchange));
    }

    [Theory]
    [InlineData("anthropic", """{"model":"m","messages":[]}""")]
    [InlineData("openai", """{"model":"m","messages":[{"role":"system","content":"s"}]}""")]
    public void RequestWithoutAUser_HasNoKey(string protocol, string body) => Assert.Null(Key(protocol, body));
}
