namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>The generating side of one upstream type, as strict as its page says the provider is.</summary>
public interface IModelService
{
    /// <summary>Of streams.</summary>
    string ContentType { get; }

    /// <summary>Tokens of the prompt that it tells, cached ones included.</summary>
    long InputTokens { get; }

    bool IsStream(RecordedRequest request);

    /// <summary>The rule that the request breaks; null: none. Whether its token works is not asked here.</summary>
    /// <param name="grant">Whose token the request carries; null: a key.</param>
    string? Broken(RecordedRequest request, FakeProviderGrant? grant);

    /// <summary>How it refuses a request that breaks a rule.</summary>
    FakeAnswer Refuse(string rule);

    FakeAnswer Unauthorized(string words);

    /// <summary>How it tells what is no answer, with this text in it.</summary>
    FakeAnswer Error(Saying saying, string words);

    /// <param name="saying"><see cref="Saying.Text"/>, <see cref="Saying.Tool"/> or <see cref="Saying.Thinking"/>.</param>
    ServiceStream Stream(Saying saying, RecordedRequest request);

    /// <summary>null: it only streams.</summary>
    string? Whole(Saying saying, RecordedRequest request);

    /// <summary>A failure told inside a stream.</summary>
    byte[] ErrorFrame(string words);
}
