namespace Aiproxy.Tests.EndToEnd;

/// <summary>What Google knows of an account's project.</summary>
public sealed record FakeProviderProject
{
    /// <summary>The account was onboarded before.</summary>
    public bool HasTier { get; init; } = true;

    /// <summary>loadCodeAssist names the project.</summary>
    public bool TellsProject { get; init; } = true;

    /// <summary>As <c>{"id":…}</c> instead of a string.</summary>
    public bool ProjectAsObject { get; init; }

    /// <summary>Id of the default tier.</summary>
    public string Tier { get; init; } = "free-tier";

    /// <summary>Answers of onboarding that are not done yet.</summary>
    public int Polls { get; init; }

    /// <summary>The account must first be verified on this page.</summary>
    public string? ValidationUrl { get; init; }

    /// <summary>Reason with which the account is refused every tier.</summary>
    public string? Ineligible { get; init; }
}
