using System.Collections.Concurrent;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Serilog;
using Serilog.Events;

namespace Aiproxy.Upstreams;

/// <summary>Says at level debug, once for each protocol and property, what a translation left out.</summary>
public sealed class DropLog(ILogger log)
{
    // Names of unknown properties are the clients' to choose: bounded in number and length.
    private const int MostNames = 500, MostChars = 80;

    private readonly ConcurrentDictionary<(string, string), bool> _told = new();

    /// <param name="protocol">Of the body.</param>
    public void Note(JsonElement body, string protocol, string target)
    {
        // A body is only looked through where somebody reads what is found.
        if (!log.IsEnabled(LogEventLevel.Debug) || _told.Count >= MostNames) return;
        try
        {
            foreach (string path in Hints.DroppedFrom(body, protocol, target))
            {
                string name = path.Length <= MostChars ? path : path[..MostChars] + "...";
                if (_told.TryAdd((protocol, name), true)) log.Debug("{Name} of {Protocol:l} requests has no word in {Target:l} and is left out", name, protocol, target);
            }
        }
        catch (Exception broken) when (BrokenText.Is(broken))
        {
            // A name that nobody can read, also not in a log.
        }
    }
}
