using Microsoft.Extensions.Hosting;

namespace Aiproxy.Server;

/// <summary>Stands in for the host's console lifetime, which would take SIGTERM and SIGINT for itself.</summary>
public sealed class SilentLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
