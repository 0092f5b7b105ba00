using System.Globalization;
using Aiproxy.Tests.StreamInvariants;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>What every kind of upstream can do wrong, as every client is told of it or spared it.</summary>
[Collection(ContractCollection.Name)]
public sealed class FailureTests(ContractRigs rigs)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string, string, bool> Rows => ContractKind.Rows;

    public static TheoryData<string, string> Clients => ContractKind.Clients;

    private async Task<Asked> AskAsync(string kind, string client, bool stream, Saying saying) => (await rigs.OfAsync(kind)).Ask(client, stream, saying);

    [Theory, MemberData(nameof(Rows))]
    public async Task Limit_RestsTheCredentialUntilItEnds(string kind, string client, bool stream)
    {
        Asked asked = await AskAsync(kind, client, stream, Saying.Limited);
        (LiveReply reply, _) = await asked.FailAsync(asked.Alone, 429);
        Assert.InRange(int.Parse(reply.Header("retry-after") ?? "0", CultureInfo.InvariantCulture), 1, 401);
        int requests = asked.Plan.Requests.Count;
        // Nobody is asked again before the time.
        await asked.FailAsync(asked.Alone, 429);
        await asked.AssertHelpedAsync();
        Assert.Equal(requests, asked.Plan.Requests.Count);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task Quota_FailsOverAndRests(string kind, string client, bool stream)
    {
        Asked asked = await AskAsync(kind, client, stream, Saying.Quota);
        await asked.AssertHelpedAsync();
        int requests = asked.Plan.Requests.Count;
        await asked.AssertHelpedAsync();
        // Only a quota without a reset leaves the entry in use.
        Assert.Equal(kind is "openai" or "responses" ? asked.Plan.Requests.Count : requests, asked.Plan.Requests.Count);
        await asked.FailAsync(asked.Alone, 429, 402);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task Overload_FailsOver_AndAloneIsToldAsOne(string kind, string client, bool stream)
    {
        Asked asked = await AskAsync(kind, client, stream, Saying.Overloaded);
        await asked.AssertHelpedAsync();
        await asked.FailAsync(asked.Alone, 429, 500, 502, 503, 529);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task InvalidRequest_IsToldAsSuch(string kind, string client, bool stream)
    {
        Asked asked = await AskAsync(kind, client, stream, Saying.Invalid);
        (_, string message) = await asked.FailAsync(asked.Alone, 400);
        Assert.Contains(asked.Plan.Words, message);
        Assert.Single(asked.Plan.Requests);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task TooLongPrompt_IsToldInWordsThatClientsKnow(string kind, string client, bool stream)
    {
        Asked asked = await AskAsync(kind, client, stream, Saying.TooLong);
        (LiveReply reply, string message) = await asked.FailAsync(asked.Alone, 400, 413);
        Assert.Single(asked.Plan.Requests);
        string known = client switch
        {
            "anthropic" => "prompt is too long|exceed context limit",
            "gemini" => "INVALID_ARGUMENT",
            _ => "context_length_exceeded|maximum context length",
        };
        Assert.Matches(known, reply.Text + message);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task Forbidden_FailsOver_AndAloneDoesNotBlameTheClientsKey(string kind, string client, bool stream)
    {
        await (await AskAsync(kind, client, stream, Saying.Forbidden)).AssertHelpedAsync();
        Asked asked = await AskAsync(kind, client, stream, Saying.Forbidden);
        (LiveReply reply, _) = await asked.FailAsync(asked.Alone, 500);
        Assert.Equal("false", reply.Header("x-should-retry"));
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task UnknownModel_FailsOver(string kind, string client, bool stream)
    {
        Asked asked = await AskAsync(kind, client, stream, Saying.UnknownModel);
        await asked.AssertHelpedAsync();
        await asked.FailAsync(asked.Alone, 400, 404);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task FailureInThePlaceOfOutput_FailsOver(string kind, string client, bool stream) => await (await AskAsync(kind, client, stream, Saying.FailsFirst)).AssertHelpedAsync();

    [Theory, MemberData(nameof(Rows))]
    public async Task CutBeforeOutput_FailsOver(string kind, string client, bool stream) => await (await AskAsync(kind, client, stream, Saying.CutFirst)).AssertHelpedAsync();

    [Theory, MemberData(nameof(Clients))]
    public async Task CutWholeAnswer_FailsOver(string kind, string client) => await (await AskAsync(kind, client, false, Saying.CutLater)).AssertHelpedAsync();

    [Theory, MemberData(nameof(Clients))]
    public Task CutAfterOutput_IsToldAndNeverLooksComplete(string kind, string client) => BreaksAsync(kind, client, Saying.CutLater);

    [Theory, MemberData(nameof(Clients))]
    public Task FailureAfterOutput_IsToldAndNeverLooksComplete(string kind, string client) => BreaksAsync(kind, client, Saying.FailsLater);

    private async Task BreaksAsync(string kind, string client, Saying saying)
    {
        Asked asked = await AskAsync(kind, client, true, saying);
        var seen = new TaskCompletionSource();
        asked.Plan.Gate = seen.Task;
        await using LiveReply reply = (await asked.OpenAsync(asked.Helped)).AssertStatus(200);
        await reply.ReadUntilAsync("three", Patience);
        seen.SetResult();
        await reply.ReadToEndAsync(Patience);
        asked.Plan.AssertNothingBroken();
        Assert.Equal(StreamEnd.Failed, Heard.Check(client, reply.Bytes, asked.IsForwarded));
        Assert.True(asked.Client.TellsFailure(reply.Text), reply.Text);
        Assert.False(asked.Client.LooksComplete(reply.Text), reply.Text);
        Assert.DoesNotContain(ContractRig.OtherText, reply.Text);
        Assert.Single(asked.Plan.Requests);
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task ClientGone_CutsTheServiceWithinASecond(string kind, string client, bool stream)
    {
        Asked asked = await AskAsync(kind, client, stream, Saying.Stalls);
        using RawConnection connection = await RawConnection.OpenAsync(asked.Rig.Proxy.Port);
        await connection.SendAsync(RawConnection.Post(asked.Client.Path(asked.Alone, stream), asked.Body(asked.Alone), asked.Headers));
        if (stream) await connection.ReadTextUntilAsync("three", Patience);
        await Eventually.TrueAsync(() => !asked.Plan.Requests.IsEmpty, Patience, () => "the service was never asked");
        asked.Plan.AssertNothingBroken();
        RecordedRequest request = asked.Plan.Last;
        Assert.False(request.WasCut.IsCompleted, "the service was cut while the client waited");
        long gone = System.Diagnostics.Stopwatch.GetTimestamp();
        connection.Close();
        Assert.True(await request.WasCut.InTimeAsync(Patience, $"the service never saw that the client is gone\n{asked.Rig.Proxy.Log.Tail(6)}"));
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(gone, request.CutAt).TotalSeconds, 0, 1);
        Assert.Single(asked.Plan.Requests);
    }
}
