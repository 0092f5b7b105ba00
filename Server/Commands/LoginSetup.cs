using Aiproxy.Config;
using Aiproxy.OAuthCache;

namespace Aiproxy.Server.Commands;

/// <summary>What a sign-in will do, from the command's words, a configuration and the environment.</summary>
/// <param name="environment">Value of an environment variable; null: not set.</param>
/// <param name="types">Know each type's default base URL, which nobody wrote and which decides nothing here.</param>
public sealed class LoginSetup(Func<string, string?> environment, UpstreamTypeFacts types)
{
    /// <param name="upstream">null: without a configuration.</param>
    public LoginStep<LoginRequest> Prepare(LoginOptions options, UpstreamConfig? upstream)
    {
        LoginFacts facts = LoginFacts.Of(options.Type)!;
        if (options.Issuer is { } issuer) facts = facts.At(issuer);
        if (upstream?.BaseUrls is [{ } baseUrl, ..] && baseUrl != types.Find(options.Type)?.DefaultBaseUrl)
        {
            if (!IsSafe(baseUrl)) return new LoginProblem($"upstream {upstream.Name}: a sign-in wants a base_url that begins with https://");
            facts = facts.WithApiAt(baseUrl);
        }
        if (upstream?.OAuth?.TokenUrl is { } tokenUrl)
        {
            if (!IsSafe(tokenUrl)) return new LoginProblem($"upstream {upstream.Name}: a sign-in wants an oauth.token_url that begins with https://");
            facts = facts with { TokenUrl = tokenUrl };
        }
        LoginStep<LoginClient> chosen = Client(options, upstream, facts);
        if (chosen.Value is not { } client) return chosen.Problem!;
        LoginStep<string> project = Project(options, upstream, facts);
        if (project.Value is not { } named) return project.Problem!;
        return new LoginRequest
        {
            Facts = facts,
            Way = Way(options, facts),
            ClientId = client.Id ?? "",
            ClientSecret = client.Secret,
            Project = named.Length > 0 ? named : null,
            Region = options.Region ?? (options.StartUrl is null ? null : upstream?.Region),
            StartUrl = options.StartUrl,
            SocialProvider = options.Provider switch { "google" => "Google", "github" => "Github", _ => null },
        };
    }

    // A code typed elsewhere is kiro's recommended way, and the only one that AWS documents.
    private static LoginWay Way(LoginOptions options, LoginFacts facts) =>
        options.IsPaste ? LoginWay.Paste
        : options.IsDevice || (facts.Kiro is not null && !options.IsBrowser && options.Provider is null) ? LoginWay.Device
        : LoginWay.Browser;

    private LoginStep<LoginClient> Client(LoginOptions options, UpstreamConfig? upstream, LoginFacts facts)
    {
        var sources = new List<LoginClient> { new(options.ClientId, options.ClientSecret), new(upstream?.OAuth?.ClientId, upstream?.OAuth?.ClientSecret?.Reveal()) };
        if (facts.Provider.NeedsClientSecret)
        {
            sources.Add(new LoginClient(Variable("AIPROXY_GOOGLE_CLIENT_ID"), Variable("AIPROXY_GOOGLE_CLIENT_SECRET")));
            // The file of an earlier sign-in knows its client.
            foreach (string? path in (string?[])[options.ClientFile, options.Output])
            {
                if (path is null || (path == options.Output && !File.Exists(path))) continue;
                LoginStep<LoginClient> read = LoginClient.FromFile(path);
                if (read.Value is { } found) sources.Insert(path == options.ClientFile ? 1 : sources.Count, found);
                else if (path == options.ClientFile) return read.Problem!;
            }
        }
        LoginClient client = LoginClient.Choose(sources, facts.Provider.ClientId);
        if (facts.Provider.NeedsClientSecret && client.Secret is null)
        {
            return new LoginProblem(
                $"Google wants a client secret, and aiproxy has none of its own: give --client-id and --client-secret, --client-file FILE, AIPROXY_GOOGLE_CLIENT_ID and AIPROXY_GOOGLE_CLIENT_SECRET, "
                + $"or oauth.client_id and oauth.client_secret of an upstream with --config. A client of your own ({options.Type}: type 'Desktop app') comes from console.cloud.google.com");
        }
        return client;
    }

    private LoginStep<string> Project(LoginOptions options, UpstreamConfig? upstream, LoginFacts facts)
    {
        if (facts.Project is null) return "";
        string project = options.Project ?? upstream?.Project ?? Variable("GOOGLE_CLOUD_PROJECT") ?? Variable("GOOGLE_CLOUD_PROJECT_ID") ?? "";
        if (project.Length > 0 && project.All(char.IsAsciiDigit)) return new LoginProblem("the configured Google Cloud project is a project number; its id is needed");
        return project;
    }

    private string? Variable(string name) => environment(name) is { Length: > 0 } value ? value.Trim() : null;

    /// <summary>Tokens go there.</summary>
    private static bool IsSafe(Uri url) => url.Scheme == Uri.UriSchemeHttps || url.IsLoopback;
}
