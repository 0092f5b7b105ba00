using System.CommandLine;
using System.CommandLine.Parsing;
using Aiproxy.Config;
using Aiproxy.OAuthCache;

namespace Aiproxy.Server.Commands;

/// <summary>The command <c>login</c> and its options; what does not go together is wrong usage.</summary>
public sealed class LoginArguments
{
    private const double LongestLimitSeconds = 24 * 3600;

    private static readonly string[] Google = ["geminicli", "antigravity"];

    private readonly Argument<string> _type = new("TYPE") { Description = "codex, claudecode, geminicli, antigravity or kiro" };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "The auth file to write; default: one in the data folder", HelpName = "FILE" };
    private readonly Option<bool> _device = new("--device") { Description = "Type a code on any device instead (codex; kiro does so anyway)" };
    private readonly Option<bool> _paste = new("--paste") { Description = "Open no port; paste what the browser ends with" };
    private readonly Option<bool> _browser = new("--browser") { Description = "kiro: through the browser's return instead of a code" };
    private readonly Option<bool> _noBrowser = new("--no-browser") { Description = "Print the page's address, open nothing" };
    private readonly Option<string?> _provider = new("--provider") { Description = "kiro: sign in with google or github", HelpName = "NAME" };
    private readonly Option<string?> _startUrl = new("--start-url") { Description = "kiro: the organisation's start URL; default: AWS builder ID", HelpName = "URL" };
    private readonly Option<string?> _region = new("--region") { Description = "kiro: AWS region of the organisation's sign-in", HelpName = "REGION" };
    private readonly Option<string?> _project = new("--project") { Description = "Google types: a Google Cloud project of your own", HelpName = "ID" };
    private readonly Option<string?> _clientId = new("--client-id") { Description = "The OAuth client to sign in as", HelpName = "ID" };
    private readonly Option<string?> _clientSecret = new("--client-secret") { Description = "Its secret; AIPROXY_GOOGLE_CLIENT_SECRET keeps it out of the process list", HelpName = "SECRET" };
    private readonly Option<string?> _clientFile = new("--client-file") { Description = "Google types: an auth file or client file that carries both", HelpName = "FILE" };
    private readonly Option<string?> _config = new("--config", "-config", "-c") { Description = "Take oauth, base_url, project and proxy from a configuration", HelpName = "FILE" };
    private readonly Option<string?> _upstream = new("--upstream") { Description = "The upstream in it; default: the one of this type", HelpName = "NAME" };
    private readonly Option<string?> _issuer = new("--issuer") { Hidden = true };
    private readonly Option<double?> _limit = new("--timeout") { Hidden = true };

    public LoginArguments(Func<LoginOptions, CancellationToken, Task<int>> run)
    {
        Command = new Command("login", "Sign in to an OAuth upstream, write its auth file, print the YAML lines to paste.") { _type };
        foreach (Option option in (Option[])[
            _output, _device, _paste, _browser, _noBrowser, _provider, _startUrl, _region, _project, _clientId, _clientSecret, _clientFile, _config, _upstream, _issuer, _limit])
            Command.Add(option);
        Command.Validators.Add(Check);
        Command.SetAction((result, cancellationToken) => run(Read(result), cancellationToken));
    }

    public Command Command { get; }

    private void Check(CommandResult result)
    {
        string type = result.GetValue(_type) ?? "";
        if (LoginFacts.Of(type) is not { } facts)
        {
            string[] types = [.. LoginFacts.All.Select(one => one.Provider.Type)];
            result.AddError($"login: no type '{Shown.Model(type)}': expected {Words.Or(types)}");
            return;
        }
        bool isKiro = facts.Kiro is not null;
        bool isSocial = result.GetValue(_provider) is not null;
        bool isDevice = result.GetValue(_device);
        int ways = (isDevice ? 1 : 0) + (result.GetValue(_paste) ? 1 : 0) + (result.GetValue(_browser) ? 1 : 0);
        foreach ((bool isWrong, string message) in ((bool, string)[])[
            (ways > 1, "--device, --paste and --browser exclude each other"),
            (isDevice && !facts.HasDevice, $"{type} has no sign-in with a device code; --paste works without a port too"),
            (isDevice && isSocial, "--provider signs in through a browser; leave --device out"),
            (!isKiro && (isSocial || result.GetValue(_startUrl) is not null || result.GetValue(_region) is not null || result.GetValue(_browser)), "--provider, --start-url, --region and --browser are for kiro"),
            (isSocial && result.GetValue(_provider)!.ToLowerInvariant() is not ("google" or "github"), "--provider: expected google or github"),
            (isSocial && (result.GetValue(_startUrl) is not null || result.GetValue(_region) is not null), "--provider goes without --start-url and --region"),
            (result.GetValue(_startUrl) is { } start && !IsPage(start), "--start-url: expected an address that begins with https://"),
            (result.GetValue(_region) is { } region && !IsRegion(region), "--region: expected a name such as us-east-1"),
            (isKiro && (result.GetValue(_clientId) is not null || result.GetValue(_clientSecret) is not null), "kiro registers a client of its own; leave --client-id and --client-secret out"),
            (!Google.Contains(type) && (result.GetValue(_clientFile) is not null || result.GetValue(_project) is not null), "--client-file and --project are for geminicli and antigravity"),
            (result.GetValue(_project) is { } project && project.All(char.IsAsciiDigit), "--project: expected a project's id; this is a project number"),
            (result.GetValue(_output) is "", "-o: expected a file"),
            (result.GetValue(_upstream) is not null && result.GetValue(_config) is null, "--upstream needs --config"),
            (result.GetValue(_issuer) is { } issuer && !IsSafe(issuer), "--issuer: expected https://, or http:// on this machine"),
            (result.GetValue(_limit) is { } limit && limit is not (> 0 and <= LongestLimitSeconds), "--timeout: expected seconds, more than 0")])
        {
            if (isWrong) result.AddError("login: " + message);
        }
    }

    private LoginOptions Read(ParseResult result) => new()
    {
        Type = result.GetValue(_type)!,
        Output = result.GetValue(_output),
        IsDevice = result.GetValue(_device),
        IsPaste = result.GetValue(_paste),
        IsBrowser = result.GetValue(_browser),
        HasNoBrowser = result.GetValue(_noBrowser),
        Provider = result.GetValue(_provider)?.ToLowerInvariant(),
        StartUrl = result.GetValue(_startUrl),
        Region = result.GetValue(_region),
        Project = result.GetValue(_project),
        ClientId = result.GetValue(_clientId),
        ClientSecret = result.GetValue(_clientSecret),
        ClientFile = result.GetValue(_clientFile),
        Config = result.GetValue(_config),
        Upstream = result.GetValue(_upstream),
        Issuer = result.GetValue(_issuer) is { } issuer ? new Uri(issuer) : null,
        Limit = result.GetValue(_limit) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
    };

    private static bool IsPage(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme == Uri.UriSchemeHttps;

    /// <summary>Tokens go there.</summary>
    private static bool IsSafe(string text) =>
        UrlForms.Web(text, out _) is { } url && (url.Scheme == Uri.UriSchemeHttps || url.IsLoopback);

    // It becomes a part of a host's name.
    private static bool IsRegion(string text) =>
        text.Length is >= 5 and <= 32 && char.IsAsciiDigit(text[^1]) && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-') && text[0] != '-';
}
