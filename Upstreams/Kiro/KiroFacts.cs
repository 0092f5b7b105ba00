namespace Aiproxy.Upstreams.Kiro;

/// <summary>What may age of AWS's assistant behind a Kiro sign-in: hosts, regions, header values.</summary>
public static class KiroFacts
{
    public const string UsualRegion = "us-east-1";

    /// <summary>Regions where an organisation's profiles are looked for.</summary>
    public static IReadOnlyList<string> Regions { get; } = [UsualRegion, "eu-central-1"];

    /// <summary>The service's older host knows one region, and wants the call named in a header.</summary>
    public const string OlderHost = "codewhisperer.us-east-1.amazonaws.com";

    public const string GenerateTarget = "AmazonCodeWhispererStreamingService.GenerateAssistantResponse";

    public const string ProfilesTarget = "AmazonCodeWhispererService.ListAvailableProfiles";

    /// <summary>Whose quota is used.</summary>
    public const string Origin = "AI_EDITOR";

    public static Uri HostOf(string region) => new($"https://q.{region}.amazonaws.com");

    /// <summary>The region in <c>arn:aws:codewhisperer:REGION:ACCOUNT:profile/ID</c>; null: no such ARN.</summary>
    public static string? RegionOf(string? profileArn) =>
        profileArn?.Split(':') is ["arn", _, "codewhisperer", { Length: > 0 } region, ..] && IsRegion(region) ? region : null;

    /// <summary>Fit to be part of a host's name.</summary>
    public static bool IsRegion(string region) => region.Length is > 0 and <= 32 && region.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
