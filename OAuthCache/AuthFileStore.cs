using System.Globalization;
using System.Security.Cryptography;

namespace Aiproxy.OAuthCache;

/// <summary>The auth file on the disk: read whole, replaced in one step.</summary>
public sealed class AuthFileStore(FileSteps steps, TimeProvider clock)
{
    private const int MostTries = 6;

    private const int MostReplaceTries = 10;

    private const int NameBytes = 8;

    private static readonly TimeSpan PauseToRead = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan PauseToReplace = TimeSpan.FromMilliseconds(100);

    /// <summary>Reads again for a second while the content is empty or breaks off, and while a file that was there is missing: it may be being replaced.</summary>
    public async Task<FileRead> ReadAsync(string type, string path, bool wasThere)
    {
        for (int tries = 1;; tries++)
        {
            FileRead read = Read(type, path);
            if (tries == MostTries || !(read.IsIncomplete || (read.IsMissing && wasThere))) return read;
            await Task.Delay(PauseToRead, clock);
        }
    }

    public FileStamp? Stamp(string path) => steps.Stamp(path);

    /// <summary>Old or new, never between: written beside, flushed, renamed over. Links stay links. Throws what the steps throw; nothing is left behind then.</summary>
    /// <returns>What could not be kept of the file's rights; null: nothing.</returns>
    public async Task<string?> ReplaceAsync(string path, byte[] bytes)
    {
        string target = RealPath.Of(path);
        RemoveLeftovers(target);
        string temporary = $"{target}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NameBytes))}.tmp";
        try
        {
            using (Stream stream = steps.Create(temporary))
            {
                stream.Write(bytes);
                steps.Flush(stream);
            }

            string? warning = steps.KeepRights(target, temporary);
            await ReplaceAsync(temporary, target);
            return warning;
        }
        catch (Exception)
        {
            Remove(temporary);
            throw;
        }
    }

    private FileRead Read(string type, string path)
    {
        FileStamp? stamp = steps.Stamp(path);
        try
        {
            byte[] bytes = steps.Read(path);
            AuthReading reading = AuthFileReader.Read(type, bytes);
            return new FileRead(bytes, reading.File, reading.Problem, stamp) { IsIncomplete = reading.IsIncomplete };
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return new FileRead(null, null, $"is missing; sign in with: aiproxy login {type}", stamp) { IsMissing = true };
        }
        catch (UnauthorizedAccessException)
        {
            return new FileRead(null, null, "may not be read", stamp);
        }
        catch (IOException failure)
        {
            return new FileRead(null, null, "cannot be read: " + failure.Message, stamp);
        }
    }

    private async Task ReplaceAsync(string temporary, string target)
    {
        for (int tries = 1;; tries++)
        {
            try
            {
                steps.Replace(temporary, target);
                return;
            }
            // Windows: somebody has it open just now.
            catch (Exception failure) when (OperatingSystem.IsWindows() && failure is IOException or UnauthorizedAccessException && tries < MostReplaceTries)
            {
                await Task.Delay(PauseToReplace, clock);
            }
        }
    }

    /// <summary>Of a process that died while it wrote. Under the lock nobody else writes, and the names are only ours.</summary>
    private void RemoveLeftovers(string target)
    {
        try
        {
            string name = System.IO.Path.GetFileName(target);
            foreach (string file in steps.List(System.IO.Path.GetDirectoryName(target)!, name + ".*.tmp"))
            {
                string middle = System.IO.Path.GetFileName(file)[(name.Length + 1)..^4];
                if (middle.Length == 2 * NameBytes && ulong.TryParse(middle, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _)) Remove(file);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Tidying is no reason to lose a token.
        }
    }

    private void Remove(string file)
    {
        try
        {
            steps.Delete(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It holds secrets but nobody else may read it; the next write removes it.
        }
    }
}
