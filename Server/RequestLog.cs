using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;
using Serilog;

namespace Aiproxy.Server;

/// <summary>The one line that a request leaves behind. Names, numbers and times only: no prompt, answer, token or key.</summary>
public static class RequestLog
{
    /// <summary>Status of a request whose client went away, as nginx counts it.</summary>
    public const int ClientGoneStatus = 499;

    /// <param name="exchange">null: the request was answered before it was read.</param>
    public static void Write(ILogger log, TimeProvider clock, RequestFacts facts, Exchange? exchange)
    {
        string route = exchange is null ? "-" : $"{exchange.Head.Model} -> {exchange.UpstreamName ?? "-"}/{exchange.UpstreamModel ?? "-"}";
        TokenUsage usage = exchange?.Usage ?? default;
        long first = exchange is { FirstOutput: > 0 } ? (long)clock.GetElapsedTime(facts.Started, exchange.FirstOutput).TotalMilliseconds : -1;
        long total = (long)clock.GetElapsedTime(facts.Started).TotalMilliseconds;
        log.Information(
            "request {Id:l} key={Key:l} {Protocol:l} {Method:l} {Path:l} {Route:l} status={Status} attempts={Attempts} first_ms={First} total_ms={Total} "
            + "tokens={In}/{Out}/{Cached} bytes={BytesIn}/{BytesOut}{Note:l}",
            facts.Id, facts.KeyName, facts.Protocol, facts.Method, facts.Path, route, facts.Status, exchange?.Attempts ?? 0,
            first < 0 ? "-" : first, total, usage.TotalInput, usage.Output ?? 0, usage.CacheRead ?? 0,
            exchange?.Body.Length ?? 0, exchange?.Answer.BytesWritten ?? 0, Note(exchange, facts));
    }

    // The kind, never the message: an upstream's message may quote the prompt.
    private static string Note(Exchange? exchange, RequestFacts facts)
    {
        ProxyError? error = exchange?.Failure ?? facts.Error;
        return (exchange is { IsUsageEstimated: true } ? " tokens_estimated" : "") + (error is null ? "" : $" error={error.Kind}");
    }
}

/// <summary>What is known of a request from its head and its end.</summary>
public sealed record RequestFacts
{
    public required string Id { get; init; }

    public required string Method { get; init; }

    /// <summary>Without query.</summary>
    public required string Path { get; init; }

    /// <summary>Timestamp of the clock.</summary>
    public required long Started { get; init; }

    public string KeyName { get; set; } = "-";

    public string Protocol { get; set; } = "-";

    public int Status { get; set; }

    /// <summary>The error that the client was told; null: none.</summary>
    public ProxyError? Error { get; set; }
}
