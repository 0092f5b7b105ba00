namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>Nothing that opens an account shows in any log, answer, header, list or command, whatever goes wrong and however talkative the log is.</summary>
public sealed class SecretTests
{
    private static readonly Saying[] Sayings = Enum.GetValues<Saying>();

    public static TheoryData<string> Kinds => [.. ContractKind.SignIns.Select(kind => kind.Name)];

    [Theory, MemberData(nameof(Kinds))]
    public async Task PlantedSecrets_AppearNowhere(string name)
    {
        ContractKind kind = ContractKind.Of(name);
        AiproxyBinary.Require();
        await using var house = new SignInHouse();
        var secrets = new HashSet<string> { ModelHouse.ClientKey, "sk-fake-CLIENTKEY-9", "PROVIDERCOOKIE", "PROMPTMARKER" };
        void Learn(FakeProviderGrant grant)
        {
            foreach (string? secret in new[] { grant.AccessToken, grant.RefreshToken, grant.IdToken, grant.ClientSecret, grant.IdToken.Split('.')[1] })
                if (secret is { Length: > 8 }) secrets.Add(secret);
        }
        FakeSignIn signIn = house.Write(kind, TimeSpan.FromSeconds(-60), "signin.json");
        Learn(signIn.Grant);
        string file = await File.ReadAllTextAsync(signIn.Path);
        // The provider's words when it does not want to refresh hold what it was sent.
        string echo = $"refused {signIn.RefreshToken} {signIn.AccessToken} FAKE-client-secret";
        house.Provider.FailTokens(1, FakeAnswer.Json(500, $$"""{"error":"server_error","error_description":"{{echo}}","message":"{{echo}}"}""", ("Set-Cookie", "a=PROVIDERCOOKIE")), kind.Type);
        house.Provider.FailTokens(1, FakeAnswer.Whole(503, "text/html", System.Text.Encoding.UTF8.GetBytes($"<html>{echo}</html>")), kind.Type);
        await using ProxyProcess proxy = await house.StartAsync(kind, signIn.Path, $"api-key: {ModelHouse.ClientKey}\nlog: {{level: debug, file: out.log}}\nupstream_request_timeout: 1s\nstream_idle_timeout: 1s\n");
        var shown = new List<string>();
        void Show(LiveReply reply) => shown.Add(string.Join('\n', reply.Headers.Select(header => $"{header.Name}: {header.Value}")) + "\n" + reply.Text);

        Plan first = house.House.Add(Saying.Text);
        await Eventually.TrueAsync(
            async () =>
            {
                LiveReply reply = await SendAsync(proxy, Dialects.Anthropic, first, false);
                Show(reply);
                return reply.Status == 200;
            },
            TimeSpan.FromSeconds(40),
            () => $"no answer after the refresh\n{proxy.Log.Tail(10)}");
        Learn(signIn.Grant);
        foreach (Saying saying in Sayings)
        {
            Plan plan = house.House.Add(saying);
            // The service knows of one secret only.
            plan.Words = $"no {Plan.SentToken}";
            foreach (IDialect client in Dialects.List)
            {
                Show(await SendAsync(proxy, client, plan, client.Name is "anthropic" or "gemini"));
                Learn(signIn.Grant);
            }
            // A fresh file lifts what rests or is disabled.
            signIn = house.Write(kind, name: "signin.json");
            Learn(signIn.Grant);
        }
        foreach (string path in (string[])["/health", "/health?ready", "/v1/models", "/v1beta/models", "/status", "/metrics", "/unavailable-models", "/", "/nothing"])
            Show(await proxy.GetAsync(path, ("Authorization", "Bearer " + ModelHouse.ClientKey)));
        Show(await proxy.GetAsync("/v1/models?key=sk-fake-CLIENTKEY-9"));
        proxy.RewriteConfig((await File.ReadAllTextAsync(proxy.ConfigPath)).Replace("token_url", "token_ulr", StringComparison.Ordinal));
        proxy.Signal(Signals.Hangup);
        shown.Add((await CommandRun.RunAsync(["check", "-config", proxy.ConfigPath])).Both);
        await File.WriteAllTextAsync(signIn.Path, file[..(file.Length / 2)]);
        await Eventually.TrueAsync(
            async () => (await File.ReadAllTextAsync(proxy.Folder.File("out.log"))).Contains("token_ulr", StringComparison.Ordinal), TimeSpan.FromSeconds(15), () => "the reload was not refused");
        proxy.Signal(Signals.Terminate);
        await proxy.WaitForExitAsync(TimeSpan.FromSeconds(15));
        shown.Add(await File.ReadAllTextAsync(proxy.Folder.File("out.log")));
        shown.AddRange(proxy.Log.Lines);
        Assert.True(secrets.Count > 10);
        Assert.Contains(shown, text => text.Contains("refresh", StringComparison.OrdinalIgnoreCase));
        string all = string.Join("\n\n", shown);
        foreach (string secret in secrets)
            if (all.Contains(secret, StringComparison.Ordinal)) Assert.Fail($"{secret} in: {Around(all, secret)}");
    }

    private static async Task<LiveReply> SendAsync(ProxyProcess proxy, IDialect client, Plan plan, bool stream)
    {
        byte[] body = System.Text.Encoding.UTF8.GetBytes(Asking.Body(client.Name, SignInHouse.Model, $"PROMPTMARKER {plan.Mark}", stream, Feature.Text));
        LiveReply reply = await proxy.OpenAsync(HttpMethod.Post, client.Path(SignInHouse.Model, stream), body, [.. client.ClientHeaders, ("Authorization", "Bearer " + ModelHouse.ClientKey)]);
        return await reply.ReadToEndAsync(TimeSpan.FromSeconds(30));
    }

    private static string Around(string text, string secret)
    {
        int at = text.IndexOf(secret, StringComparison.Ordinal);
        return text[Math.Max(0, at - 200)..Math.Min(text.Length, at + secret.Length + 100)];
    }
}
