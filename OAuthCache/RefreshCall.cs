using System.Globalization;

namespace Aiproxy.OAuthCache;

/// <summary>Sends a refresh. Never throws; no caller can cancel it, because a refresh that is cut half-way loses a rotating token.</summary>
public sealed class RefreshCall(TimeProvider clock)
{
    public const int MostBytes = 1024 * 1024;

    private static readonly TimeSpan MostToConnect = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan MostInAll = TimeSpan.FromSeconds(30);

    private static readonly string[] DateFormats = ["ddd, dd MMM yyyy HH:mm:ss 'GMT'", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy"];

    public async Task<RefreshReply> SendAsync(HttpMessageInvoker client, RefreshRequest request)
    {
        using var limit = new CancellationTokenSource(MostToConnect, clock);
        // The body leaves when the connection stands; from there on the answer may take the rest.
        using var content = new WatchedContent(request.Body, request.ContentType, () => limit.CancelAfter(MostInAll));
        using var message = new HttpRequestMessage(HttpMethod.Post, request.Url) { Content = content };
        message.Headers.Accept.ParseAdd("application/json");
        message.Headers.UserAgent.ParseAdd("aiproxy");
        // An hour may lie between two refreshes: a kept connection would be found dead after the token was sent.
        message.Headers.ConnectionClose = true;
        try
        {
            using HttpResponseMessage response = await client.SendAsync(message, limit.Token);
            byte[]? body = await ReadAsync(response.Content, limit.Token);
            if (body is null) return RefreshReply.Failed("the token endpoint's answer is too large", wasSent: true);
            return new RefreshReply((int)response.StatusCode, body, Wait(response), Header(response, "x-amzn-ErrorType"), null, WasSent: true);
        }
        catch (OperationCanceledException)
        {
            return RefreshReply.Failed("the token endpoint did not answer in time", content.WasSent);
        }
        catch (HttpRequestException failure)
        {
            return RefreshReply.Failed($"the token endpoint cannot be reached ({failure.HttpRequestError})", content.WasSent);
        }
        catch (Exception failure)
        {
            // Whatever a handler throws, the waiting requests must get an answer. Its text may hold anything and is not told.
            return RefreshReply.Failed($"the connection to the token endpoint broke ({failure.GetType().Name})", content.WasSent);
        }
    }

    /// <summary>null: larger than the limit.</summary>
    private static async Task<byte[]?> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using Stream stream = await content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        byte[] block = new byte[16 * 1024];
        for (int count; (count = await stream.ReadAsync(block, cancellationToken)) > 0;)
        {
            if (body.Length + count > MostBytes) return null;
            body.Write(block, 0, count);
        }

        return body.ToArray();
    }

    private TimeSpan? Wait(HttpResponseMessage response)
    {
        if (Number(Header(response, "retry-after-ms")) is { } milliseconds) return TimeSpan.FromMilliseconds(milliseconds);
        string? text = Header(response, "retry-after")?.Trim();
        if (Number(text) is { } seconds) return TimeSpan.FromSeconds(seconds);
        return DateTimeOffset.TryParseExact(text, DateFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite, out DateTimeOffset time)
            ? time - clock.GetUtcNow()
            : null;
    }

    /// <summary>At most a year: what is larger is clamped anyway.</summary>
    private static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out double number)
        && double.IsFinite(number) ? Math.Min(number, 3.2e10) : null;

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out System.Net.Http.Headers.HeaderStringValues values) ? values.FirstOrDefault() : null;
}
