using System.Text;
using Aiproxy.OAuthCache;

namespace Aiproxy.Tests.OAuthCache;

/// <summary>Secrets in every file, request and answer; then everything that could reach a log is searched for them.</summary>
public sealed class SecretTests : IDisposable
{
    private const string Marker = "Mark3R7Qx";

    private readonly OAuthRig _rig = new();
    private readonly List<string> _shown = [];

    public void Dispose() => _rig.Dispose();

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public async Task EveryPath_ShowsNothing(string name)
    {
        (_, string type, string text) = Sample.Of(name);
        text = Planted(text);
        _rig.Write("0123456789abcdef0123456789abcdef01234567.json", $$"""{"clientId":"i","clientSecret":"s-{{Marker}}"}""");
        string path = _rig.Write("auth.json", text);
        SignInOptions options = _rig.Options(type, path) with { ClientId = "c-" + Marker, ClientSecret = "s-" + Marker };
        Show(options);

        string told = $$"""{"error":{"code":"{{Marker}}","message":"{{Marker}}"},"error_description":"{{Marker}}","message":"{{Marker}}"}""";
        foreach (Action<FakeTokenEndpoint> plan in new Action<FakeTokenEndpoint>[]
        {
            endpoint => endpoint.Answers(400, told), endpoint => endpoint.Answers(401, told), endpoint => endpoint.Answers(403, told), endpoint => endpoint.Answers(404, told),
            endpoint => endpoint.Answers(429, told, ("retry-after", Marker)), endpoint => endpoint.Answers(500, Marker), endpoint => endpoint.Answers(200, told),
            endpoint => endpoint.Answers(200, $$"""{"access_token":"two {{Marker}}"}"""), endpoint => endpoint.Answers(302, "", ("location", "https://h/" + Marker)),
            endpoint => endpoint.Answers(400, """{"error":"invalid_grant","error_description":"Mark3R7Qx"}"""), endpoint => endpoint.Answers(401, """{"error":"invalid_client"}"""),
            endpoint => endpoint.Fails(new HttpRequestException(Marker)).Fails(new HttpRequestException(Marker)), endpoint => endpoint.Fails(new InvalidOperationException(Marker)).Fails(new IOException(Marker)),
            endpoint => endpoint.Answers(200, $$"""{"access_token":"a-{{Marker}}","accessToken":"a-{{Marker}}","refresh_token":"r-{{Marker}}-2","refreshToken":"r-{{Marker}}-2","id_token":"x.{{Marker}}.y"}"""),
        })
        {
            File.WriteAllText(path, text);
            await using TokenCache cache = _rig.NewCache();
            var endpoint = new FakeTokenEndpoint();
            plan(endpoint);
            using var client = new HttpMessageInvoker(endpoint);
            SignIn signIn = cache.Open(options with { Client = client });
            await UseAsync(signIn);
            Assert.NotEqual(0, endpoint.Calls);
        }

        Assert.NotEmpty(_rig.Events);
        Assert.All(_shown, shown => Assert.DoesNotContain(Marker, shown));
        Assert.All(_rig.Events, e => Assert.DoesNotContain(Marker, e.ToString()));
    }

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void BrokenFile_ShowsNothing(string name)
    {
        (_, string type, string text) = Sample.Of(name);
        text = Planted(text);
        foreach (string other in new[] { "codex", "claudecode", "geminicli", "antigravity", "kiro" }) Show(AuthFileReader.Read(other, Encoding.UTF8.GetBytes(text)));
        for (int length = 0; length < text.Length; length += 3) Show(AuthFileReader.Read(type, Encoding.UTF8.GetBytes(text[..length])));
        for (int at = 0; at < text.Length; at += 3) Show(AuthFileReader.Read(type, Encoding.UTF8.GetBytes(text.Remove(at, 1).Insert(at, "\u0001"))));
        Assert.All(_shown, shown => Assert.DoesNotContain(Marker, shown));
    }

    private async Task UseAsync(SignIn signIn)
    {
        for (int round = 0; round < 3; round++)
        {
            _rig.Clock.Advance(TimeSpan.FromHours(2));
            SignInAnswer answer = await _rig.PumpAsync(signIn.GetAsync(CancellationToken.None).AsTask());
            Show(answer, answer.Credential, answer.Failure, signIn, signIn.Status);
            if (answer.Credential is { } credential) Show(await signIn.RefusedAsync(credential.Generation, CancellationToken.None));
        }
    }

    /// <summary>Same shape, other tokens.</summary>
    private static string Planted(string text) => text
        .Replace(Sample.Access, "a-" + Marker).Replace(Sample.Refresh, "r-" + Marker).Replace("rt-fake-", "r-" + Marker).Replace("secret-fake", "s-" + Marker)
        .Replace("other-fake", "o-" + Marker).Replace(".sig", "." + Marker);

    private void Show(params object?[] things) => _shown.AddRange(things.Select(thing => thing?.ToString() ?? ""));
}
