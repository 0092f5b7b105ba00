using System.Text;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>One proxy before one kind of upstream. It has many entries of that kind, each with a credential of its own, so that what rests in one test is fresh in the next.</summary>
public sealed class ContractRig : IAsyncDisposable
{
    /// <summary>What the other upstream always says.</summary>
    public const string OtherText = "The other one says so";

    private const int Entries = 180;

    // Shared by questions that are answered.
    private const int Healthy = 4;

    private readonly ModelHouse _house;
    private readonly FakeUpstream _other;
    private readonly TempFolder _folder;
    private readonly FakeSignIn?[] _signIns;
    private int _taken;
    private int _spent;

    private ContractRig(ContractKind kind, ModelHouse house, FakeUpstream other, TempFolder folder, FakeSignIn?[] signIns, ProxyProcess proxy)
    {
        (Kind, _house, _other, _folder, _signIns, Proxy) = (kind, house, other, folder, signIns, proxy);
    }

    public ContractKind Kind { get; }

    public ProxyProcess Proxy { get; }

    public static async Task<ContractRig> StartAsync(ContractKind kind)
    {
        AiproxyBinary.Require();
        var (house, folder) = (new ModelHouse(), new TempFolder());
        IDialect chat = Dialects.Chat;
        var other = new FakeUpstream(request => SharedRig.IsStream(request) ? FakeAnswer.Sse(chat.Text(OtherText).Frames) : FakeAnswer.Json(chat.Whole(OtherText)));
        var signIns = new FakeSignIn?[Entries];
        var yaml = new StringBuilder($"api-key: {ModelHouse.ClientKey}\n{Yaml.NoCircuits}upstreams:\n");
        for (int i = 0; i < Entries; i++)
        {
            yaml.Append($"  - name: u{i}\n    api_type: {kind.Type}\n    base_url: {house.BaseUrl(kind.Type)}\n    session_affinity: false\n");
            yaml.Append($"    available_models: [s{i}, t{i}]\n    model_mappings: {{s{i}: {kind.Model}, t{i}: {kind.Model}}}\n");
            if (!kind.HasSignIn)
            {
                yaml.Append($"    token: sk-fake-upstream-{i}\n");
                continue;
            }
            var account = new FakeProviderAccount($"fake{i}@example.com", $"00000000-0000-0000-0000-{i:d12}") { ProjectId = $"fake-project-{i}x", ProfileArn = $"arn:aws:codewhisperer:us-east-1:{i:d12}:profile/FAKE" };
            FakeSignIn signIn = signIns[i] = house.Provider.WriteAuthFile(kind.Type, folder.Path, kind.Layout, method: kind.Method, account: account);
            yaml.Append($"    auth_files: {signIn.Path}\n    {house.Provider.OAuthYaml(kind.Type, kind.Method)}\n");
        }
        yaml.Append($"  - name: other\n    api_type: openai\n    base_url: {other.Url}\n    token: sk-fake-other\n    priority: 1\n    available_models: [\"t*\"]\n");
        return new ContractRig(kind, house, other, folder, signIns, await ProxyProcess.StartAsync(yaml.ToString()));
    }

    /// <summary>An entry and a plan for its requests.</summary>
    /// <param name="fresh">Nobody used the entry before; always so where its credential may come to rest.</param>
    public Asked Ask(string client, bool stream, Saying saying, Feature feature = Feature.Text, bool fresh = false)
    {
        int taken = Interlocked.Increment(ref _taken) - 1, entry = saying is Saying.Text or Saying.Tool or Saying.Thinking && !fresh ? taken % Healthy : Healthy + Interlocked.Increment(ref _spent) - 1;
        Assert.True(entry < Entries, "the rig has too few entries");
        return new Asked(this, entry, Dialects.Of(client), stream, feature, _house.Add(saying), _signIns[entry]);
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        IReadOnlyList<string> faults = [.. _house.Faults, .. _other.Faults];
        await _house.DisposeAsync();
        await _other.DisposeAsync();
        _folder.Dispose();
        Assert.Empty(faults);
    }
}
