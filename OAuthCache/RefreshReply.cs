namespace Aiproxy.OAuthCache;

/// <summary>What came of sending a refresh.</summary>
/// <param name="Status">0: no whole answer.</param>
/// <param name="Body">Whole, at most <see cref="RefreshCall.MostBytes"/>.</param>
/// <param name="Wait">What a header asks to wait; null: none does.</param>
/// <param name="AmazonError">Header <c>x-amzn-ErrorType</c>.</param>
/// <param name="Problem">Why there is no answer, in words of our own; null when there is one.</param>
/// <param name="WasSent">The request had left when it failed: the provider may have acted on it.</param>
public sealed record RefreshReply(int Status, byte[] Body, TimeSpan? Wait, string? AmazonError, string? Problem, bool WasSent)
{
    public static RefreshReply Failed(string problem, bool wasSent) => new(0, [], null, null, problem, wasSent);

    /// <summary>Hides the body.</summary>
    public override string ToString() => Problem ?? "status " + Status;
}
