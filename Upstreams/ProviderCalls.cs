using Aiproxy.Config;

namespace Aiproxy.Upstreams;

/// <summary>Makes the calls that are about an account rather than a client's request: project, model list, limits.</summary>
public sealed class ProviderCalls(UpstreamClients clients, UpstreamMessage messages)
{
    /// <summary>For one credential: its own connection, authorized, with the configured headers.</summary>
    /// <param name="index">Position of the credential among the upstream's.</param>
    public ProviderCall For(UpstreamConfig config, IUpstreamType type, UpstreamCredential? credential, int index)
    {
        HttpMessageInvoker client = clients.For(config, type, index);
        return (message, cancellationToken) =>
        {
            messages.Complete(message, config, type, credential);
            return client.SendAsync(message, cancellationToken);
        };
    }
}
