namespace Aiproxy.OAuthCache;

/// <summary>What an auth file says. Immutable.</summary>
public sealed record AuthFile
{
    public required AuthLayout Layout { get; init; }

    /// <summary>Steps from the file's root to the sign-in's own object; empty but for lists of sign-ins.</summary>
    public IReadOnlyList<string> Root { get; init; } = [];

    /// <summary>Empty: none yet, a refresh brings the first.</summary>
    public string AccessToken { get; init; } = "";

    /// <summary>null: the token is never refreshed.</summary>
    public string? RefreshToken { get; init; }

    public string? IdToken { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public string? ClientId { get; init; }

    public string? ClientSecret { get; init; }

    public string? Email { get; init; }

    public string? Plan { get; init; }

    public string? AccountId { get; init; }

    public bool IsFedRamp { get; init; }

    public string? ProjectId { get; init; }

    public string? BaseUrl { get; init; }

    public string? UserAgent { get; init; }

    public KiroSource? Kiro { get; init; }

    /// <summary>The file itself says that it is not to be used.</summary>
    public bool IsDisabled { get; init; }

    /// <summary>Sign-ins in the same file that are not used.</summary>
    public int Unused { get; init; }

    /// <summary>null where the file does not tell whose it is.</summary>
    public string? Account => AccountId ?? Email;

    public bool HasTokensOf(AuthFile other) =>
        string.Equals(AccessToken, other.AccessToken, StringComparison.Ordinal) && string.Equals(RefreshToken, other.RefreshToken, StringComparison.Ordinal);

    /// <summary>The same sign-in with the tokens of an other, which may be newer than the file, and what only they tell.</summary>
    public AuthFile WithTokensOf(AuthFile other) => this with
    {
        AccessToken = other.AccessToken,
        RefreshToken = other.RefreshToken,
        IdToken = other.IdToken,
        ExpiresAt = other.ExpiresAt,
        Plan = other.Plan ?? Plan,
        Email = other.Email ?? Email,
        AccountId = other.AccountId ?? AccountId,
        IsFedRamp = other.IsFedRamp,
        ProjectId = ProjectId ?? other.ProjectId,
        Kiro = Kiro is null ? null : Kiro with { ProfileArn = Kiro.ProfileArn ?? other.Kiro?.ProfileArn },
    };

    /// <summary>After a refresh. What the answer left out stays.</summary>
    public AuthFile With(TokenGrant grant)
    {
        AuthFile renewed = this with
        {
            AccessToken = grant.AccessToken ?? AccessToken,
            RefreshToken = grant.RefreshToken ?? RefreshToken,
            IdToken = grant.IdToken ?? IdToken,
            ExpiresAt = grant.AccessToken is null ? ExpiresAt : grant.ExpiresAt,
            Email = Email ?? grant.Email,
            Kiro = Kiro is null ? null : Kiro with { ProfileArn = grant.ProfileArn ?? Kiro.ProfileArn },
        };
        return Layout.Type == "codex" ? CodexClaims.Fill(renewed) : renewed;
    }

    public Credential ToCredential(string id, long generation) => new()
    {
        Id = id,
        Type = Layout.Type,
        AccessToken = AccessToken,
        ExpiresAt = ExpiresAt,
        Generation = generation,
        Email = Email,
        Plan = Plan,
        AccountId = AccountId,
        IsFedRamp = IsFedRamp,
        ProjectId = ProjectId,
        BaseUrl = BaseUrl,
        UserAgent = UserAgent,
        Kiro = Kiro is { } kiro ? new KiroSignIn(kiro.Method, kiro.ProfileArn, kiro.ApiRegion) { MachineId = kiro.MachineId } : null,
    };

    /// <summary>Hides everything but the layout.</summary>
    public override string ToString() => Layout.Name;
}
