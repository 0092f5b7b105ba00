using System.Collections.Concurrent;
using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.OAuthCache;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Google;

/// <summary>Finds the project of a sign-in: configured, in its file, or asked for once and kept in memory. Thread-safe.</summary>
/// <remarks>It only asks. Taking an account in changes it, and is for <c>aiproxy login</c> alone.</remarks>
/// <param name="environment">Reads an environment variable; null: this type reads none.</param>
public sealed class ProjectDiscovery(string type, TimeProvider clock, Func<string, string?>? environment)
{
    private const int MaxBytes = 1024 * 1024;

    // Shared by all who wait, so that no client's leaving ends it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CodeAssistJudgement _judgement = new(type);
    private readonly ConcurrentDictionary<Account, Lazy<Task<ProjectFinding>>> _asked = new();

    private readonly record struct Account(string Upstream, string Id, string Email, string Host);

    /// <param name="host">Where it is asked.</param>
    public async ValueTask<ProjectFinding> FindAsync(UpstreamConfig config, UpstreamCredential? credential, Uri host, ProviderCall call, CancellationToken cancellationToken)
    {
        if (Told(config, credential) is { } told) return told;
        Credential? signIn = credential?.SignIn;
        var account = new Account(config.Name, signIn?.Id ?? "", signIn?.Email ?? "", host.AbsoluteUri);
        Lazy<Task<ProjectFinding>> asked = _asked.GetOrAdd(account, key => new Lazy<Task<ProjectFinding>>(() => AskAsync(key, config, host, call)));
        return await asked.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What is said without asking; null: nothing is.</summary>
    private ProjectFinding? Told(UpstreamConfig config, UpstreamCredential? credential)
    {
        string? project = config.Project ?? FirstOf(credential?.SignIn?.ProjectId) ?? environment?.Invoke("GOOGLE_CLOUD_PROJECT") ?? environment?.Invoke("GOOGLE_CLOUD_PROJECT_ID");
        project = project?.Trim();
        if (string.IsNullOrEmpty(project)) return null;
        return project.All(char.IsAsciiDigit)
            ? new ProjectFinding(null, null, Unusable("the project is given by its number; its id (letters, digits and dashes) is needed"))
            : new ProjectFinding(project);
    }

    // Files of other programs hold several ids at times, or a word for all.
    private static string? FirstOf(string? projects) =>
        projects?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() is { } first && first != "ALL" ? first : null;

    private async Task<ProjectFinding> AskAsync(Account account, UpstreamConfig config, Uri host, ProviderCall call)
    {
        ProjectFinding? finding = null;
        try
        {
            using var patience = new CancellationTokenSource(Patience, clock);
            using HttpRequestMessage message = CodeAssist.Post(host, "loadCodeAssist", Question);
            using HttpResponseMessage response = await call(message, patience.Token).ConfigureAwait(false);
            await response.Content.LoadIntoBufferAsync(MaxBytes, patience.Token).ConfigureAwait(false);
            byte[] body = await response.Content.ReadAsByteArrayAsync(patience.Token).ConfigureAwait(false);
            finding = response.IsSuccessStatusCode ? Judge(CodeAssistAnswer.Read(body)) : Refused((int)response.StatusCode, body, config);
        }
        catch (OperationCanceledException)
        {
            finding = new ProjectFinding(null, null, Judgement.OfTimeout(TimeoutPhase.Headers));
        }
        catch (JsonException)
        {
            finding = new ProjectFinding(null, null, Judgement.Failed(new ProxyError(ErrorKind.BadGateway, "the provider told of the account's project what is no JSON")));
        }
        catch (Exception fault) when (Faults.IsTransport(fault))
        {
            finding = new ProjectFinding(null, null, Judgement.Failed(Faults.Describe(fault, null)));
        }
        finally
        {
            // What failed is asked again.
            if (finding is not { Failure: null }) _asked.TryRemove(account, out _);
        }
        return finding;
    }

    private string Question => type == "antigravity"
        ? """{"metadata":{"ideType":"ANTIGRAVITY"}}"""
        : """{"metadata":{"ideType":"IDE_UNSPECIFIED","platform":"PLATFORM_UNSPECIFIED","pluginType":"GEMINI"}}""";

    private ProjectFinding Judge(CodeAssistAnswer answer)
    {
        bool isTakenIn = answer.HasTier || type == "antigravity";
        if (isTakenIn && answer.Project is { } project) return new ProjectFinding(project, answer.Plan);
        if (answer.ValidationUrl is { } link && !answer.HasTier)
            return new ProjectFinding(null, null, Faulty(new SignInFault("the provider wants the account verified in a browser", link)));
        if (!answer.HasTier || type == "antigravity")
            return new ProjectFinding(null, null, Faulty(new SignInFault($"the account is not set up for this service yet; 'aiproxy login {type}' does it")));
        string reasons = answer.Refusals.Count > 0 ? " (" + string.Join("; ", answer.Refusals) + ")" : "";
        return new ProjectFinding(null, answer.Plan, Unusable("the account has no project of its own" + reasons + ": set project of this upstream to the id of one"));
    }

    private ProjectFinding Refused(int status, byte[] body, UpstreamConfig config)
    {
        // A service perimeter hides what the account is; a project of one's own would be used as it is.
        if (status == 403 && CodeAssistError.Read(body).Reason == "SECURITY_POLICY_VIOLATED")
            return new ProjectFinding(null, null, Unusable("a VPC service perimeter hides the account's project: set project of this upstream to its id"));
        ProxyError error = GeminiErrors.Read(status, body);
        Outcome outcome = Judgement.OfAnswer(
            status, error, [], body, config.ErrorRules, clock, (told, read) => _judgement.Of(told, CodeAssistError.Read(body), read, clock.GetUtcNow()));
        if (status == 401 && outcome.SignInFault is null) outcome = outcome with { IsStaleToken = true };
        return new ProjectFinding(null, null, outcome);
    }

    private static Outcome Faulty(SignInFault fault) => Unusable(fault.Reason) with { SignInFault = fault };

    private static Outcome Unusable(string message) => Judgement.CredentialRefused(new ProxyError(ErrorKind.UpstreamAuth, message));
}
