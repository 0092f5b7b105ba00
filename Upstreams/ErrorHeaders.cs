using System.Globalization;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>The response headers by which client libraries decide whether and when to try again.</summary>
public static class ErrorHeaders
{
    // Libraries differ wildly above this: one ignores the header, one gives up, one sleeps for hours.
    private static readonly TimeSpan LongestSensibleWait = TimeSpan.FromSeconds(60);

    public static IEnumerable<KeyValuePair<string, string>> Of(ProxyError error)
    {
        if (error.RetryAfter is { } wait)
            yield return new("retry-after", Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture));
        if (ShouldRetry(error) is { } should) yield return new("x-should-retry", should ? "true" : "false");
    }

    private static bool? ShouldRetry(ProxyError error) => error.Kind switch
    {
        _ when error.ShouldRetry is { } told => told,
        ErrorKind.ClientAuth or ErrorKind.ClientAuthMissing or ErrorKind.Permission or ErrorKind.NotFound or ErrorKind.MethodNotAllowed
            or ErrorKind.TooLarge or ErrorKind.UnsupportedMedia or ErrorKind.UpstreamAuth or ErrorKind.Quota => false,
        _ when error.RetryAfter > LongestSensibleWait => false,
        _ => null,
    };
}
