using System.Collections.Concurrent;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>What a service shall do with the requests that carry this plan's mark, and what came of it.</summary>
public sealed class Plan(int number, Saying saying)
{
    /// <summary>Stands in the prompt, so that it reaches the service through every translation.</summary>
    public string Mark => $"plan-{number}-mark";

    public Saying Saying { get; } = saying;

    /// <summary>A break or a failure in the middle waits for it.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>This token has just been revoked.</summary>
    public string? RefusedToken { get; set; }

    /// <summary>Told in errors, as providers that echo what they were sent do.</summary>
    public string Words { get; set; } = "fake words of the provider";

    /// <summary>Stands in <see cref="Words"/> for the token that the request carried.</summary>
    public const string SentToken = "@TOKEN@";

    public ConcurrentQueue<RecordedRequest> Requests { get; } = new();

    /// <summary>Rules that requests broke.</summary>
    public ConcurrentQueue<string> Broken { get; } = new();

    public string WordsFor(RecordedRequest request) => Words.Replace(SentToken, new FakeProviderCall(request).Bearer, StringComparison.Ordinal);

    public RecordedRequest Last => Requests.Last();

    public void AssertNothingBroken() => Assert.True(Broken.IsEmpty, $"the service refuses the request: {string.Join("; ", Broken)}\n{(Requests.IsEmpty ? "" : Last.Everything)}");
}
