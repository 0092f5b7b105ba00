namespace Aiproxy.OAuthCache;

/// <summary>What all sign-ins of a process share.</summary>
/// <param name="Tell">Takes events; must not block. Its exceptions are swallowed.</param>
/// <param name="Jitter">0 to 1, below 1; takes retries and refreshes apart that would come together. Always 0 in tests.</param>
public sealed record SignInTools(TimeProvider Clock, FileSteps Steps, Func<double> Jitter, Action<SignInEvent> Tell)
{
    public RefusedTokens Refused { get; } = new();
}
