using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>A real upstream type whose requests a script answers.</summary>
public sealed class ScriptedTransport(IUpstreamType type, ScriptedHandler upstream) : IUpstreamType
{
    public string Name => type.Name;

    public UpstreamTypeFact Fact => type.Fact;

    public IUpstreamWire? Wire => type.Wire;

    public IUpstreamProtocol? ProtocolFor(IClientProtocol client, UpstreamConfig config) => type.ProtocolFor(client, config);

    public bool Supports(Operation operation) => type.Supports(operation);

    public Uri Address(Uri? baseUrl, RequestHead head, string upstreamModel, string query) => type.Address(baseUrl, head, upstreamModel, query);

    public void Authorize(HttpRequestMessage message, UpstreamCredential? credential) => type.Authorize(message, credential);

    public HttpMessageHandler? CreateHandler() => upstream;

    /// <summary>One attempt with a sign-in.</summary>
    public Task<Attempt> SendAsync(TestExchange test, UpstreamCredential credential, string model = "up-model", Func<UpstreamConfig, UpstreamConfig>? change = null)
    {
        UpstreamConfig config = TestExchange.Upstream(Name);
        if (change is not null) config = change(config);
        test.Exchange.UpstreamName = config.Name;
        test.Exchange.UpstreamModel = model;
        var target = new UpstreamTarget(config, this, ProtocolFor(test.Exchange.Protocol, config)!, model, credential, 0);
        return new Forwarder(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System)))
            .SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20));
    }
}
