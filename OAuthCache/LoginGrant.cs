using System.Text.Json.Nodes;

namespace Aiproxy.OAuthCache;

/// <summary>A sign-in that succeeded, ready to be written.</summary>
public sealed record LoginGrant
{
    public required LoginFacts Facts { get; init; }

    /// <summary>null: the provider does not tell.</summary>
    public string? Email { get; init; }

    public string? Plan { get; init; }

    /// <summary>Of the access token.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Middle of the file's name where the type alone would not do, such as the kind of a kiro sign-in.</summary>
    public string? Kind { get; init; }

    /// <summary>The auth file's members.</summary>
    public required JsonObject File { get; init; }

    /// <summary>Lines that the user should read after it.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public override string ToString() => Facts.Provider.Type;
}
