namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>Good answers of every kind of upstream, understood by every client, whole and streamed.</summary>
[Collection(ContractCollection.Name)]
public sealed class AnswerTests(ContractRigs rigs)
{
    public static TheoryData<string, string, bool> Rows => ContractKind.Rows;

    private async Task<(Asked Asked, Heard Heard)> HearAsync(string kind, string client, bool stream, Saying saying, Feature feature)
    {
        Asked asked = (await rigs.OfAsync(kind)).Ask(client, stream, saying, feature);
        return (asked, await asked.HearAsync(asked.Alone, asked.IsForwarded));
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task Text_ArrivesWithItsEndAndUsage(string kind, string client, bool stream)
    {
        (Asked asked, Heard heard) = await HearAsync(kind, client, stream, Saying.Text, Feature.Text);
        Assert.Equal("One two three four", heard.Text);
        Assert.Equal(("", (string?)null), (heard.Thinking, heard.Tool));
        Assert.Equal(Heard.FinishOf(client, isCall: false), heard.Finish);
        Assert.Equal((asked.Rig.Kind.Service.InputTokens, 5L), (heard.Input, heard.Output));
        Assert.Contains("Be short.", Assert.Single(asked.Plan.Requests).Text);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task ToolCall_ArrivesWithNameAndArguments(string kind, string client, bool stream)
    {
        (Asked asked, Heard heard) = await HearAsync(kind, client, stream, Saying.Tool, Feature.Tool);
        Assert.Equal("get_weather", heard.Tool);
        Assert.Equal(("Oslo", "c"), (JsonLook.Text(heard.Arguments, "city"), JsonLook.Text(heard.Arguments, "unit")));
        Assert.Equal(Heard.FinishOf(client, isCall: true), heard.Finish);
        Assert.Contains("get_weather", Assert.Single(asked.Plan.Requests).Text);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task Thinking_ArrivesApartFromTheText(string kind, string client, bool stream)
    {
        (Asked asked, Heard heard) = await HearAsync(kind, client, stream, Saying.Thinking, Feature.Thinking);
        Assert.Equal(("I think.", "So it is."), (heard.Thinking, heard.Text));
        Assert.Equal(Heard.FinishOf(client, isCall: false), heard.Finish);
        Assert.Single(asked.Plan.Requests);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task Picture_ReachesTheService(string kind, string client, bool stream)
    {
        (Asked asked, Heard heard) = await HearAsync(kind, client, stream, Saying.Text, Feature.Image);
        Assert.Equal("One two three four", heard.Text);
        Assert.Contains(Asking.Picture[..60], Assert.Single(asked.Plan.Requests).Text.Replace("\\u002B", "+", StringComparison.Ordinal).Replace("\\/", "/", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task HistoryWithACall_IsOneThatTheServiceTakes(string kind, string client, bool stream)
    {
        (Asked asked, Heard heard) = await HearAsync(kind, client, stream, Saying.Text, Feature.History);
        Assert.Equal("One two three four", heard.Text);
        string sent = Assert.Single(asked.Plan.Requests).Text;
        Assert.Contains(Asking.Result, sent);
        Assert.Contains("Oslo", sent);
    }
}
