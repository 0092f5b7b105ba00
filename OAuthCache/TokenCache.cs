using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Aiproxy.OAuthCache;

/// <summary>All sign-ins of a process. One per process; configuration reloads come and go.</summary>
/// <param name="tell">Takes events; must be thread-safe and must not block.</param>
public sealed class TokenCache(TimeProvider clock, Action<SignInEvent> tell) : IAsyncDisposable
{
    private static readonly TimeSpan LongestClose = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly List<SignIn> _signIns = [];

    /// <summary>Digest of each sign-in's refresh token.</summary>
    private readonly Dictionary<SignIn, string> _digests = [];

    private SignInTools? _tools;

    /// <summary>0 to 1, below 1; see <see cref="SignInTools"/>.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;

    public FileSteps Steps { get; init; } = FileSteps.System;

    /// <summary>Where the work of refreshes runs: away from the request that found it necessary.</summary>
    public Func<Func<Task>, Task> Run { get; init; } = Task.Run;

    private SignInTools Tools => _tools ??= new SignInTools(clock, Steps, Jitter, tell);

    /// <summary>The sign-in of a file. The same file and type, links resolved, give the same one, with these options from now on. Reads nothing yet.</summary>
    public SignIn Open(SignInOptions options)
    {
        options = options with { Path = Path.GetFullPath(options.Path) };
        if (ProviderFacts.Of(options.Type) is not { } facts) throw new ArgumentException($"{options.Type} does not sign in", nameof(options));
        lock (_gate)
        {
            SignIn? known = Find(options);
            bool warnedBefore = known is { IsWriteBackOff: true };
            if (known is null) _signIns.Add(known = new SignIn(options, Tools, Run, OnTokens));
            else known.Update(options);
            if (!options.WriteBack && !warnedBefore && facts.Rotates)
            {
                known.Warn($"{options.Path} is not written (auth_write_back: false): each refresh makes the token in it worthless, so after a restart the sign-in has to be made again");
            }

            return known;
        }
    }

    /// <summary>After a reload: the others are not refreshed ahead any more, until they are opened again.</summary>
    public void KeepOnly(IReadOnlyCollection<SignIn> inUse)
    {
        lock (_gate)
        {
            foreach (SignIn signIn in _signIns)
            {
                if (!inUse.Contains(signIn)) signIn.Rest();
            }
        }
    }

    /// <summary>Ends when nothing is being read, refreshed or written.</summary>
    public Task WhenQuiet()
    {
        lock (_gate) return Task.WhenAll(_signIns.Select(signIn => signIn.WhenQuiet()));
    }

    /// <summary>Waits for running refreshes and what they write, 30 s at most: cut half-way, they would lose rotating tokens.</summary>
    public async ValueTask DisposeAsync()
    {
        SignIn[] all;
        lock (_gate) all = [.. _signIns];
        try
        {
            await Task.WhenAll(all.Select(signIn => signIn.CloseAsync())).WaitAsync(LongestClose, clock);
        }
        catch (TimeoutException)
        {
            tell(new SignInEvent(SignInEventKind.Warning, LogLevel.Error, "", "a refresh did not end before the stop; its sign-in may be lost"));
        }
    }

    private SignIn? Find(SignInOptions options)
    {
        string real = RealPath.Of(options.Path);
        return _signIns.FirstOrDefault(signIn => signIn.Type == options.Type && signIn.Path == options.Path)
            ?? _signIns.FirstOrDefault(signIn => signIn.Type == options.Type && string.Equals(RealPath.Of(signIn.Path), real, PathComparison));
    }

    private static StringComparison PathComparison => OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Two copies of one sign-in rotate the same token: the second to refresh signs both out.</summary>
    private void OnTokens(SignIn signIn, AuthFile file)
    {
        if (file.RefreshToken is not { } token) return;
        string digest = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        SignIn? twin;
        lock (_gate)
        {
            _digests[signIn] = digest;
            string real = RealPath.Of(signIn.Path);
            twin = _digests.FirstOrDefault(pair => pair.Key != signIn && pair.Value == digest && !string.Equals(RealPath.Of(pair.Key.Path), real, PathComparison)).Key;
        }

        if (twin is not null) signIn.Warn($"{signIn.Path} and {twin.Path} hold the same refresh token: one of them will be signed out; give each a sign-in of its own");
    }
}
