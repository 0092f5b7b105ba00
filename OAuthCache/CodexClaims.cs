using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>What the tokens of a ChatGPT sign-in say about its account.</summary>
public static class CodexClaims
{
    private const string Auth = "https://api.openai.com/auth";

    private const string Profile = "https://api.openai.com/profile";

    /// <summary>Fills account, plan and e-mail from the id token, else from the access token. An account that the file names stays.</summary>
    public static AuthFile Fill(AuthFile file)
    {
        using JsonDocument? id = JwtClaims.Read(file.IdToken);
        using JsonDocument? access = JwtClaims.Read(file.AccessToken);
        return file with
        {
            AccountId = file.AccountId ?? Text(id, access, Auth, "chatgpt_account_id"),
            Plan = Text(id, access, Auth, "chatgpt_plan_type") ?? file.Plan,
            Email = Email(id) ?? Email(access) ?? file.Email,
            IsFedRamp = IsFedRamp(id) || IsFedRamp(access),
        };
    }

    private static string? Text(JsonDocument? first, JsonDocument? second, string group, string name) => Text(first, group, name) ?? Text(second, group, name);

    private static string? Text(JsonDocument? claims, string group, string name) =>
        claims is not null && JsonMember.Object(claims.RootElement, group) is { } holder ? JwtClaims.Text(holder, name) : null;

    private static string? Email(JsonDocument? claims) => claims is null ? null : JwtClaims.Text(claims.RootElement, "email") ?? Text(claims, Profile, "email");

    private static bool IsFedRamp(JsonDocument? claims) =>
        claims is not null && JsonMember.Object(claims.RootElement, Auth) is { } holder && JsonMember.IsTrue(holder, "chatgpt_account_is_fedramp");
}
