using Aiproxy.Config;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams.Google;

public sealed class GoogleAccountTests
{
    private static readonly DateTimeOffset Now = new(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly List<(string Address, string Body)> _asked = [];
    private readonly Queue<(int Status, string Body)> _answers = new();

    private async Task<HttpResponseMessage> Call(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        _asked.Add((message.RequestUri!.AbsoluteUri, message.Content is null ? "" : await message.Content.ReadAsStringAsync(cancellationToken)));
        (int status, string body) = _answers.Dequeue();
        return new HttpResponseMessage((System.Net.HttpStatusCode)status) { Content = new StringContent(body) };
    }

    private static (IProviderAccount Account, UpstreamConfig Config, UpstreamCredential Credential) Of(string type)
    {
        var rig = new GoogleRig(type);
        return (rig.Type.Wire!.Account!, TestExchange.Upstream(type) with { BaseUrls = [] }, new UpstreamCredential(new Secret(GoogleRig.Token), rig.SignIn));
    }

    private async Task<AccountQuota> Quota(string type)
    {
        (IProviderAccount account, UpstreamConfig config, UpstreamCredential credential) = Of(type);
        return (await account.QuotaAsync(config, credential, Call, Now, CancellationToken.None))!;
    }

    [Fact]
    public async Task GeminiCli_HasNoListOfModels()
    {
        (IProviderAccount account, UpstreamConfig config, UpstreamCredential credential) = Of("geminicli");
        Assert.Null(await account.ModelsAsync(config, credential, Call, CancellationToken.None));
        Assert.Contains("gemini-2.5-pro", account.UsualModels);
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task GeminiCli_TellsItsQuotaByModel()
    {
        _answers.Enqueue((200, """{"buckets":[{"modelId":"gemini-2.5-pro","tokenType":"REQUESTS","remainingFraction":0.83,"resetTime":"2026-08-02T07:00:00Z"},{"modelId":"x"},{"remainingFraction":1},7]}"""));
        AccountQuota quota = await Quota("geminicli");
        Assert.Equal(("https://cloudcode-pa.googleapis.com/v1internal:retrieveUserQuota", """{"project":"my-project-123"}"""), _asked[0]);
        Assert.Equal([new("gemini-2.5-pro", 17, new DateTimeOffset(2026, 8, 2, 7, 0, 0, TimeSpan.Zero)), new("x", null, null)], quota.Windows);
    }

    [Fact]
    public async Task Antigravity_ListsItsModels_AtTheNextHostWhereTheFirstHasNone()
    {
        (IProviderAccount account, UpstreamConfig config, UpstreamCredential credential) = Of("antigravity");
        _answers.Enqueue((404, ""));
        _answers.Enqueue((200, """{"models":{"claude-sonnet-4-6":{"displayName":"C"},"gemini-3-flash":{}},"webSearchModelIds":["x"]}"""));
        Assert.Equal(["claude-sonnet-4-6", "gemini-3-flash"], await account.ModelsAsync(config, credential, Call, CancellationToken.None));
        Assert.Equal(
            ["https://daily-cloudcode-pa.googleapis.com/v1internal:fetchAvailableModels", "https://cloudcode-pa.googleapis.com/v1internal:fetchAvailableModels"], _asked.Select(one => one.Address));
        Assert.Contains("gpt-oss-120b-medium", account.UsualModels);
    }

    [Fact]
    public async Task Antigravity_TellsItsQuotaInGroups()
    {
        _answers.Enqueue((200, """{"groups":[{"displayName":"Claude","buckets":[{"window":"5h","remainingFraction":0.25,"resetTime":"2026-08-01T15:00:00Z"},{"bucketId":"b","window":"weekly","remainingFraction":1.5}]}]}"""));
        Assert.Equal([new("Claude 5h", 75, new DateTimeOffset(2026, 8, 1, 15, 0, 0, TimeSpan.Zero)), new("Claude weekly", 0, null)], (await Quota("antigravity")).Windows);
        Assert.Equal(("https://daily-cloudcode-pa.googleapis.com/v1internal:retrieveUserQuotaSummary", "{}"), _asked[0]);
    }

    [Fact]
    public async Task Antigravity_AsksOtherwiseWhereOneCallIsMissing()
    {
        _answers.Enqueue((400, ""));
        _answers.Enqueue((200, "{}"));
        _answers.Enqueue((200, """{"models":{"a":{"quotaInfo":{"remainingFraction":0.6}},"b":{"quotaInfo":{"resetTime":"2026-08-01T15:00:00Z"}},"c":{}}}"""));
        Assert.Equal([new("a", 40, null), new("b", 100, new DateTimeOffset(2026, 8, 1, 15, 0, 0, TimeSpan.Zero))], (await Quota("antigravity")).Windows);
    }

    [Fact]
    public async Task Antigravity_RefusedToken_IsToldAtOnce()
    {
        _answers.Enqueue((401, ""));
        HttpRequestException refused = await Assert.ThrowsAsync<HttpRequestException>(() => Quota("antigravity"));
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Single(_asked);
    }
}
