using System.Collections.Concurrent;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>The rigs of all kinds, each started when the first test asks for it and shared by the rest.</summary>
public sealed class ContractRigs : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Task<ContractRig>>> _rigs = new();

    public Task<ContractRig> OfAsync(string kind)
    {
        AiproxyBinary.Require();
        return _rigs.GetOrAdd(kind, name => new Lazy<Task<ContractRig>>(() => ContractRig.StartAsync(ContractKind.Of(name)))).Value;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Lazy<Task<ContractRig>> rig in _rigs.Values) await (await rig.Value).DisposeAsync();
    }
}

/// <summary>Classes that share the rigs run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ContractCollection : ICollectionFixture<ContractRigs>
{
    public const string Name = "contract";
}
