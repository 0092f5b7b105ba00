using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Finds the project that requests of an account name, and makes the account known to Code Assist where it is not yet.</summary>
/// <param name="configured">A project of the user's own; null: none.</param>
public sealed class LoginGoogleProject(LoginHttp http, LoginProjectFacts facts, string? configured)
{
    private const string FreeTier = "free-tier";

    public async Task<LoginStep<LoginProject>> FindAsync(string accessToken, CancellationToken cancellationToken)
    {
        LoginReply loaded = await http.PostJsonAsync(
            Url(facts.LoadHost, ":loadCodeAssist"), accessToken, writer => WriteBody(writer, null, configured), cancellationToken).ConfigureAwait(false);
        if (!loaded.IsFine)
        {
            // An organisation's perimeter shuts this call off; its accounts have the standard tier and a project of their own.
            return IsPerimeter(loaded) && configured is not null ? new LoginProject(configured, null) : loaded.Refusal("asking Google for the account's project");
        }
        string? plan = loaded.Text("paidTier", "name") ?? loaded.Text("currentTier", "name") ?? loaded.Text("paidTier", "id") ?? loaded.Text("currentTier", "id");
        if (IdOf(loaded, "cloudaicompanionProject") is { } known && (loaded.At("currentTier") is { ValueKind: JsonValueKind.Object } || !facts.PollsOperation))
            return new LoginProject(known, plan);
        if (loaded.At("currentTier") is { ValueKind: JsonValueKind.Object } && facts.PollsOperation)
            return configured is not null ? new LoginProject(configured, plan) : Ineligible(loaded) ?? NoProject();
        if (Ineligible(loaded, mustValidate: true) is { } stop) return stop;

        (string tier, string? name) = DefaultTier(loaded);
        if (tier.Length == 0) return Ineligible(loaded) ?? NoProject();
        return await OnboardAsync(accessToken, tier, plan ?? name, cancellationToken).ConfigureAwait(false);
    }

    private async Task<LoginStep<LoginProject>> OnboardAsync(string accessToken, string tier, string? plan, CancellationToken cancellationToken)
    {
        // "for free-tier the project must be omitted", or the call fails on a precondition.
        string? named = tier == FreeTier ? null : configured;
        Task<LoginReply> Post(CancellationToken token) =>
            http.PostJsonAsync(Url(facts.OnboardHost, ":onboardUser"), accessToken, writer => WriteBody(writer, tier, named), token);

        LoginReply reply = await Post(cancellationToken).ConfigureAwait(false);
        if (!reply.IsFine) return reply.Refusal("setting the account up at Google");
        if (!IsDone(reply))
        {
            Uri? operation = facts.PollsOperation ? Operation(reply) : null;
            var polling = new LoginPolling(facts.Interval, facts.Interval * facts.MostPolls, "Google did not finish setting the account up; try again in a few minutes");
            LoginStep<LoginReply> polled = await polling.RunAsync(
                token => operation is null ? Post(token) : http.GetAsync(operation, accessToken, token),
                answer => IsDone(answer) ? LoginPoll.Done : answer.IsFine ? LoginPoll.Wait : LoginPoll.Failed(answer.Refusal("setting the account up at Google")),
                http.Clock, cancellationToken).ConfigureAwait(false);
            if (polled.Value is not { } last) return polled.Problem!;
            reply = last;
        }
        return (IdOf(reply, "response", "cloudaicompanionProject") ?? configured) is { } project ? new LoginProject(project, plan) : NoProject();
    }

    private void WriteBody(Utf8JsonWriter writer, string? tier, string? project)
    {
        if (tier is not null) writer.WriteString("tierId", tier);
        if (project is not null) writer.WriteString("cloudaicompanionProject", project);
        writer.WriteStartObject("metadata");
        foreach ((string name, string value) in facts.Metadata) writer.WriteString(name, value);
        if (project is not null && facts.PollsOperation) writer.WriteString("duetProject", project);
        writer.WriteEndObject();
    }

    private (string Id, string? Name) DefaultTier(LoginReply loaded)
    {
        if (loaded.At("allowedTiers") is not { ValueKind: JsonValueKind.Array } tiers) return loaded.At("ineligibleTiers") is { ValueKind: JsonValueKind.Array } ? ("", null) : (facts.UsualTier, null);
        foreach (JsonElement tier in tiers.EnumerateArray())
        {
            if (tier.ValueKind == JsonValueKind.Object && tier.TryGetProperty("isDefault", out JsonElement isDefault) && isDefault.ValueKind == JsonValueKind.True && JwtClaims.Text(tier, "id") is { } id)
                return (id, JwtClaims.Text(tier, "name"));
        }
        return (facts.UsualTier, null);
    }

    /// <summary>Why Google will not have this account; null: it says nothing of the kind.</summary>
    /// <param name="mustValidate">Only what the user can mend in the browser.</param>
    private static LoginProblem? Ineligible(LoginReply loaded, bool mustValidate = false)
    {
        if (loaded.At("ineligibleTiers") is not { ValueKind: JsonValueKind.Array } tiers) return null;
        foreach (JsonElement tier in tiers.EnumerateArray())
        {
            string reason = JwtClaims.Text(tier, "reasonCode") ?? "UNKNOWN";
            if (reason == "VALIDATION_REQUIRED" && JwtClaims.Text(tier, "validationUrl") is { } page)
                return new LoginProblem($"Google wants this account verified first: open {LoginText.Plain(page)} and sign in again afterwards");
            if (!mustValidate) return new LoginProblem($"Google does not serve this account: {LoginText.Line($"{reason}: {JwtClaims.Text(tier, "reasonMessage")}")}");
        }
        return null;
    }

    private static LoginProblem NoProject() => new("this account needs a Google Cloud project of its own: name it with --project (or GOOGLE_CLOUD_PROJECT)");

    private static bool IsPerimeter(LoginReply reply) =>
        reply.Status == 403 && reply.At("error", "details") is { ValueKind: JsonValueKind.Array } details
        && details.EnumerateArray().Any(detail => JwtClaims.Text(detail, "reason") == "SECURITY_POLICY_VIOLATED");

    private static bool IsDone(LoginReply reply) => reply.IsFine && reply.At("done") is { ValueKind: JsonValueKind.True };

    /// <summary>A string, or the <c>id</c> of an object.</summary>
    private static string? IdOf(LoginReply reply, params ReadOnlySpan<string> path) => reply.Text(path) ?? reply.Text([.. path, "id"]);

    /// <summary>null: there is no name that could stand in a path.</summary>
    private Uri? Operation(LoginReply reply) =>
        reply.Text("name") is { } name && !name.Contains("..", StringComparison.Ordinal) && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '-' or '_' or '.')
            ? Url(facts.OnboardHost, "/" + name) : null;

    private static Uri Url(Uri host, string method) => new(host.AbsoluteUri.TrimEnd('/') + "/v1internal" + method);
}

/// <param name="Plan">Name of the tier; null: not told.</param>
public sealed record LoginProject(string Id, string? Plan);
