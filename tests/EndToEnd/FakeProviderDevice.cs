namespace Aiproxy.Tests.EndToEnd;

/// <summary>What the user in front of the other screen does with a device code.</summary>
public sealed record FakeProviderDevice
{
    /// <summary>Polls that are told to wait before the outcome.</summary>
    public int Pending { get; init; } = 1;

    /// <summary>After those: polls that are told to slow down. kiro only.</summary>
    public int SlowDowns { get; init; }

    /// <summary><c>approve</c>, <c>deny</c>, <c>expire</c> or <c>never</c>.</summary>
    public string Outcome { get; init; } = "approve";

    /// <summary>Seconds between polls, as told.</summary>
    public int Interval { get; init; } = 1;

    /// <summary>Seconds, as told. kiro only.</summary>
    public int ExpiresIn { get; init; } = 600;

    /// <summary>codex: the account does not allow device sign-in.</summary>
    public bool IsOff { get; init; }
}
