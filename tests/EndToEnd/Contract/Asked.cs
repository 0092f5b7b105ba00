using System.Text;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>One question of one client to one entry of a rig.</summary>
public sealed record Asked(ContractRig Rig, int Entry, IDialect Client, bool Stream, Feature Feature, Plan Plan, FakeSignIn? SignIn)
{
    /// <summary>Served by the entry alone.</summary>
    public string Alone => $"s{Entry}";

    /// <summary>Served by the other upstream, too, where the entry cannot.</summary>
    public string Helped => $"t{Entry}";

    public bool IsForwarded => Rig.Kind.Speaks == Client.Name;

    public string Body(string model) => Asking.Body(Client.Name, model, $"What is new? {Plan.Mark}", Stream, Feature);

    public (string Name, string Value)[] Headers => [.. Client.ClientHeaders, ("Authorization", "Bearer " + ModelHouse.ClientKey)];

    public Task<LiveReply> OpenAsync(string model) => Rig.Proxy.OpenAsync(HttpMethod.Post, Client.Path(model, Stream), Encoding.UTF8.GetBytes(Body(model)), Headers);

    public async Task<LiveReply> SendAsync(string model) => await (await OpenAsync(model)).ReadToEndAsync(TimeSpan.FromSeconds(30));

    /// <summary>A whole good answer, its grammar checked.</summary>
    public async Task<Heard> HearAsync(string model, bool forwarded)
    {
        LiveReply reply = (await SendAsync(model)).AssertStatus(200);
        Plan.AssertNothingBroken();
        Assert.False(reply.Broken);
        if (Stream) Assert.Equal(StreamInvariants.StreamEnd.Finished, Heard.Check(Client.Name, reply.Bytes, forwarded));
        return Heard.Of(Client.Name, Stream, reply.Text);
    }

    /// <summary>The entry cannot: the other upstream answers, as if nothing had been.</summary>
    public async Task AssertHelpedAsync()
    {
        Heard heard = await HearAsync(Helped, forwarded: Client.Name == "openai");
        Assert.Equal(ContractRig.OtherText, heard.Text);
    }

    /// <summary>An HTTP error in the client's own words. Returns the message.</summary>
    public async Task<(LiveReply Reply, string Message)> FailAsync(string model, params int[] statuses)
    {
        LiveReply reply = await SendAsync(model);
        Plan.AssertNothingBroken();
        Assert.True(statuses.Contains(reply.Status), $"status {reply.Status} instead of {string.Join(" or ", statuses)}: {reply.Text}\n{Rig.Proxy.Log.Tail(6)}");
        return (reply, Client.Envelope(reply.Status, reply.Text));
    }
}
