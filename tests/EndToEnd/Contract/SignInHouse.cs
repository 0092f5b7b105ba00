namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>A house, a folder for sign-in files, and proxies that share them.</summary>
public sealed class SignInHouse : IAsyncDisposable
{
    public const string Model = "m-1";

    public ModelHouse House { get; } = new();

    public TempFolder Folder { get; } = new();

    public FakeProvider Provider => House.Provider;

    public FakeSignIn Write(ContractKind kind, TimeSpan? expiresIn = null, string? name = null, FakeProviderAccount? account = null) =>
        Provider.WriteAuthFile(kind.Type, Folder.Path, kind.Layout, expiresIn, kind.Method, name, account);

    /// <summary>One upstream with one file.</summary>
    public Task<ProxyProcess> StartAsync(ContractKind kind, string path, string globals = "", string oauth = "") => ProxyProcess.StartAsync(
        $"{globals}{Yaml.NoCircuits}upstreams:\n  - name: u1\n    api_type: {kind.Type}\n    base_url: {House.BaseUrl(kind.Type)}\n    auth_files: {path}\n"
        + $"    model_mappings: {{{Model}: {kind.Model}}}\n    {Provider.OAuthYaml(kind.Type, kind.Method, oauth)}\n");

    /// <summary>A question, its answer, and the token with which the service was asked last.</summary>
    public async Task<(LiveReply Reply, string Token)> AskAsync(ProxyProcess proxy)
    {
        LiveReply reply = await proxy.SendAsync(Dialects.Anthropic, Model, false);
        House.Default.AssertNothingBroken();
        return (reply, House.Default.Requests.IsEmpty ? "" : House.Default.Last.Header("Authorization")?["Bearer ".Length..] ?? "");
    }

    public async ValueTask DisposeAsync()
    {
        await House.DisposeAsync();
        Folder.Dispose();
        Assert.Empty(House.Faults);
    }
}
