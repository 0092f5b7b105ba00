using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Aiproxy.OAuthCache;

/// <summary>The file that a sign-in is kept in: our own layout, flat, mode 0600, replaced in one step.</summary>
public sealed class LoginFile
{
    private const int LongestBytes = 1024 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string? _given;
    private readonly string _store;

    /// <param name="given">A path that the user named; null: a name of ours in the store.</param>
    /// <param name="store">Our own folder for auth files.</param>
    public LoginFile(string? given, string store)
    {
        _given = given is null ? null : Path.GetFullPath(given);
        _store = store;
    }

    /// <summary><c>$XDG_DATA_HOME/aiproxy/auth</c>, else <c>~/.local/share/aiproxy/auth</c>; on Windows below the local application data.</summary>
    /// <param name="environment">Value of an environment variable; null: not set.</param>
    public static string StoreOf(Func<string, string?> environment)
    {
        string data = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify)
            // "All paths set in these environment variables must be absolute."
            : environment("XDG_DATA_HOME") is { Length: > 0 } named && Path.IsPathRooted(named) ? named
            : Path.Combine(environment("HOME") is { Length: > 0 } home ? home : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share");
        return Path.Combine(data, "aiproxy", "auth");
    }

    /// <summary>Makes the folder and looks whether the file can be written, before anybody signs in for nothing. null: all is well.</summary>
    public LoginProblem? Prepare(LoginFacts facts)
    {
        string folder = _given is null ? _store : Path.GetDirectoryName(_given)!;
        try
        {
            if (_given is not null && Directory.Exists(_given)) return new LoginProblem($"{_given} is a folder; name a file");
            MakeFolder(folder);
            string probe = Path.Combine(folder, $".aiproxy.{Guid.NewGuid():N}.tmp");
            using (Create(probe)) { }
            File.Delete(probe);
            if (_given is null || !File.Exists(_given) || Read(_given) is { } known && IsOurs(known, facts)) return null;
            return new LoginProblem($"{_given} is there already and is no file of 'aiproxy login {facts.Provider.Type}'; name another one");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new LoginProblem($"{folder} cannot be written: {e.Message}");
        }
    }

    /// <summary>Writes a sign-in; the same account's tokens are replaced, and what else its file holds is kept. Returns where it lies now.</summary>
    public async Task<LoginStep<LoginWritten>> WriteAsync(LoginGrant grant, TimeProvider clock)
    {
        try
        {
            string path = _given ?? Path.Combine(_store, NameOf(grant, ""));
            bool isElsewhere = false;
            for (int number = 2; File.Exists(path) && (Read(path) is not { } known || !IsSameAccount(known, grant)); number++)
            {
                // Another account: its file stays as it is.
                isElsewhere = _given is not null;
                path = Path.Combine(_store, NameOf(grant, number == 2 && isElsewhere ? "" : $"-{number}"));
            }
            MakeFolder(Path.GetDirectoryName(path)!);
            // The rename would replace a link by the file.
            path = RealPath.Of(path);
            // A running proxy must not write the old tokens back; where nobody lets go in time, the sign-in counts more.
            using FileLock held = File.Exists(path) ? await FileLock.TakeAsync(path, "", FileSteps.System, clock).ConfigureAwait(false) : FileLock.None();
            JsonObject? old = File.Exists(path) ? Read(path) : null;
            Replace(path, old is null ? grant.File : Merged(old, grant.File));
            return new LoginWritten(path, old is not null, isElsewhere);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new LoginProblem($"the sign-in could not be saved: {e.Message}");
        }
    }

    private static string NameOf(LoginGrant grant, string suffix)
    {
        string account = Clean(grant.Email ?? "");
        // Two accounts that tell no e-mail must not share a file.
        if (account.Length == 0) account = Guid.NewGuid().ToString("N")[..8];
        return $"{grant.Facts.FileType}-{(grant.Kind is { } kind ? Clean(kind) + "-" : "")}{account}{suffix}.json";
    }

    private static string Clean(string text) => string.Concat(text.Where(letter => char.IsAsciiLetterOrDigit(letter) || letter is '@' or '.' or '_' or '-')) is var clean && clean.Length <= 120 ? clean : clean[..120];

    private static bool IsOurs(JsonObject file, LoginFacts facts) => TextOf(file, "type") == facts.FileType;

    private static bool IsSameAccount(JsonObject file, LoginGrant grant) =>
        IsOurs(file, grant.Facts) && grant.Email is { } email && string.Equals(TextOf(file, "email"), email, StringComparison.OrdinalIgnoreCase)
        && (grant.Kind is null || TextOf(file, "auth_method") == grant.Kind);

    private static string? TextOf(JsonObject file, string name) => file[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    /// <summary>Members of the old file stay in their place; those that the new one has get its values.</summary>
    private static JsonObject Merged(JsonObject old, JsonObject fresh)
    {
        foreach ((string name, JsonNode? value) in fresh)
        {
            old[name] = value is JsonObject inner && old[name] is JsonObject before ? Merged((JsonObject)before.DeepClone(), inner) : value?.DeepClone();
        }
        return old;
    }

    /// <summary>null: no JSON object, or none that could be edited.</summary>
    private static JsonObject? Read(string path)
    {
        if (new FileInfo(path).Length > LongestBytes) return null;
        try
        {
            // Not as bytes: a byte order mark is tolerated.
            return JsonNode.Parse(File.ReadAllText(path)) is JsonObject file && Touch(file) ? file : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Looks at every member, so that what cannot be read throws now.</summary>
    private static bool Touch(JsonNode? node)
    {
        if (node is JsonObject holder) return holder.All(member => Touch(member.Value));
        if (node is JsonArray list) return list.All(Touch);
        return node?.GetValueKind() != JsonValueKind.String || node.GetValue<string>() is not null;
    }

    private static void Replace(string path, JsonObject content)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (FileStream stream = Create(temporary))
            {
                using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
                    content.WriteTo(writer);
                stream.Write("\n"u8);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        return new FileStream(path, options);
    }

    private void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }
        const UnixFileMode Closed = OwnerOnly | UnixFileMode.UserExecute;
        if (!Directory.Exists(folder)) Directory.CreateDirectory(folder, Closed);
        else if (folder == _store) File.SetUnixFileMode(folder, Closed);
    }
}

/// <param name="IsReplaced">The file was there, with this account.</param>
/// <param name="IsElsewhere">The file that the user named holds another account and was left alone.</param>
public sealed record LoginWritten(string Path, bool IsReplaced, bool IsElsewhere);
