namespace Aiproxy.Upstreams.Google;

/// <summary>The project that requests of a sign-in are booked on.</summary>
/// <param name="Project">null only with a <paramref name="Failure"/>.</param>
/// <param name="Plan">The provider's word for the account's tier; null: not told.</param>
/// <param name="Failure">Why there is none; null: there is one.</param>
public sealed record ProjectFinding(string? Project, string? Plan = null, Outcome? Failure = null);
