using System.Text.Json;
using System.Text.Json.Nodes;

namespace Aiproxy.OAuthCache;

/// <summary>What a fresh kiro sign-in still lacks: an organisation's profile, the account's e-mail and plan.</summary>
/// <param name="screen">Asks which profile, where there are several; null: there is never more than the one that came along.</param>
public sealed class LoginKiroAccount(LoginHttp http, LoginScreen? screen)
{
    private const string ProfilesTarget = "AmazonCodeWhispererService.ListAvailableProfiles";
    private const int MostProfiles = 50;

    public async Task<LoginStep<LoginGrant>> DescribeAsync(LoginRequest request, LoginKiroTokens tokens, CancellationToken cancellationToken)
    {
        LoginKiroFacts facts = request.Facts.Kiro!;
        if (tokens.Method == "idc")
        {
            LoginStep<Profile> found = await FindProfileAsync(facts, tokens, cancellationToken).ConfigureAwait(false);
            if (found.Value is not { } profile) return found.Problem!;
            tokens = tokens with { ProfileArn = profile.Arn };
        }
        string apiRegion = RegionOf(tokens.ProfileArn) ?? facts.UsualRegion;
        LoginReply usage = await http.GetAsync(UsageUrl(facts, apiRegion, tokens.ProfileArn), tokens.AccessToken, cancellationToken).ConfigureAwait(false);
        // Only to name the account: the sign-in is good without it.
        string? email = usage.IsFine ? usage.Text("userInfo", "email") : null;
        return new LoginGrant
        {
            Facts = request.Facts,
            Email = email,
            Plan = usage.IsFine ? usage.Text("subscriptionInfo", "subscriptionTitle") : null,
            ExpiresAt = tokens.ExpiresAt,
            Kind = tokens.Method,
            File = FileOf(request, tokens, apiRegion, email),
            Notes = tokens is { Method: "social", ProfileArn: null } ? ["The provider named no profile; requests of this sign-in may be refused. Set profile_arn of the upstream if you know it."] : [],
        };
    }

    private JsonObject FileOf(LoginRequest request, LoginKiroTokens tokens, string apiRegion, string? email)
    {
        var file = new JsonObject
        {
            ["type"] = request.Facts.FileType,
            ["auth_method"] = tokens.Method,
            ["provider"] = tokens.Provider,
            ["access_token"] = tokens.AccessToken,
            ["refresh_token"] = tokens.RefreshToken,
            ["expires_at"] = LoginTime.Text(tokens.ExpiresAt),
        };
        // Absent, not empty: a builder ID must name no profile.
        foreach ((string name, string? value) in ((string, string?)[])[
            ("profile_arn", tokens.ProfileArn), ("client_id", tokens.ClientId), ("client_secret", tokens.ClientSecret), ("region", tokens.Region), ("api_region", apiRegion), ("start_url", tokens.StartUrl)])
        {
            if (value is not null) file[name] = value;
        }
        file["email"] = email ?? "";
        file["last_refresh"] = LoginTime.Text(http.Clock.GetUtcNow());
        return file;
    }

    private async Task<LoginStep<Profile>> FindProfileAsync(LoginKiroFacts facts, LoginKiroTokens tokens, CancellationToken cancellationToken)
    {
        var profiles = new List<Profile>();
        LoginReply? refused = null;
        foreach (string region in facts.ProfileRegions)
        {
            string? next = null;
            do
            {
                LoginReply reply = await http.PostJsonAsync(
                    facts.ApiUrl(region, "/"), tokens.AccessToken,
                    writer =>
                    {
                        writer.WriteNumber("maxResults", 10);
                        if (next is not null) writer.WriteString("nextToken", next);
                    },
                    cancellationToken, "application/x-amz-json-1.0", ("X-Amz-Target", ProfilesTarget)).ConfigureAwait(false);
                if (!reply.IsFine) refused = reply;
                foreach (Profile profile in ProfilesOf(reply).Where(profile => profiles.All(known => known.Arn != profile.Arn))) profiles.Add(profile);
                next = reply.Text("nextToken");
            }
            while (next is not null && profiles.Count < MostProfiles);
        }
        if (profiles.Count == 0)
            return refused?.Refusal("asking for the organisation's profiles") ?? new LoginProblem("this account has no Kiro profile: the organisation's administrator must assign one");
        return profiles.Count == 1 ? profiles[0] : await ChooseAsync(profiles, cancellationToken).ConfigureAwait(false);
    }

    private async Task<LoginStep<Profile>> ChooseAsync(List<Profile> profiles, CancellationToken cancellationToken)
    {
        screen!.Say("This account has several profiles:");
        for (int i = 0; i < profiles.Count; i++) screen.Say($"  {i + 1}  {LoginText.Plain(profiles[i].Name)}  {LoginText.Plain(profiles[i].Arn)}");
        screen.Say($"Which one? (1 to {profiles.Count})");
        while (await screen.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            if (int.TryParse(line.Trim(), out int number) && number >= 1 && number <= profiles.Count) return profiles[number - 1];
            if (line.Trim().Length > 0) screen.Say($"A number from 1 to {profiles.Count}.");
        }
        return new LoginProblem("no profile was chosen: the input ended");
    }

    private static IEnumerable<Profile> ProfilesOf(LoginReply reply)
    {
        if (!reply.IsFine || reply.At("profiles") is not { ValueKind: JsonValueKind.Array } list) yield break;
        foreach (JsonElement profile in list.EnumerateArray())
        {
            if (JwtClaims.Text(profile, "arn") is { } arn) yield return new Profile(arn, JwtClaims.Text(profile, "profileName") ?? "");
        }
    }

    private static Uri UsageUrl(LoginKiroFacts facts, string region, string? profileArn)
    {
        Uri url = LoginQuery.Add(facts.ApiUrl(region, "/getUsageLimits"), ("origin", "AI_EDITOR"), ("resourceType", "AGENTIC_REQUEST"), ("isEmailRequired", "true"));
        return profileArn is null ? url : LoginQuery.Add(url, ("profileArn", profileArn));
    }

    /// <summary><c>arn:aws:codewhisperer:{region}:…</c>; null: it has no region that could stand in a host name.</summary>
    private static string? RegionOf(string? arn) =>
        arn?.Split(':') is [_, _, _, { Length: > 0 } region, ..] && region.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-') ? region : null;

    private sealed record Profile(string Arn, string Name);
}
