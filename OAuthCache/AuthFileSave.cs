namespace Aiproxy.OAuthCache;

/// <summary>Brings granted tokens into the file, unless somebody else has put others there meanwhile.</summary>
public sealed class AuthFileSave(TokenState state, AuthFileStore store)
{
    /// <summary>Call under the file's lock.</summary>
    public async Task<SaveResult> SaveAsync(SignInOptions options, TokenGrant grant)
    {
        FileRead read = await store.ReadAsync(options.Type, options.Path, wasThere: true);
        if (read.File is not { } file) return new SaveResult(SaveResultKind.Failed, read, read.Problem);
        // Signed in anew while we were asking: what stands there now is what its owner wants.
        if (state.IsForeign(file)) return new SaveResult(SaveResultKind.Foreign, read, null);
        return await WriteAsync(options, read, AuthFileEdit.Apply(read.Bytes!, file, grant));
    }

    /// <summary>Call under the file's lock. No place for it in the layout: <see cref="SaveResultKind.Failed"/> without a problem.</summary>
    public async Task<SaveResult> SaveProjectAsync(SignInOptions options, string projectId)
    {
        FileRead read = await store.ReadAsync(options.Type, options.Path, wasThere: true);
        if (read.File is not { } file) return new SaveResult(SaveResultKind.Failed, read, read.Problem);
        if (state.IsForeign(file)) return new SaveResult(SaveResultKind.Foreign, read, null);
        return AuthFileEdit.ApplyProject(read.Bytes!, file, projectId) is { } edited
            ? await WriteAsync(options, read, edited)
            : new SaveResult(SaveResultKind.Failed, read, null);
    }

    private async Task<SaveResult> WriteAsync(SignInOptions options, FileRead read, byte[] edited)
    {
        if (edited.AsSpan().SequenceEqual(read.Bytes)) return new SaveResult(SaveResultKind.Saved, read, null);
        try
        {
            string? warning = await store.ReplaceAsync(options.Path, edited);
            var written = new FileRead(edited, AuthFileReader.Read(options.Type, edited).File ?? read.File, null, store.Stamp(options.Path));
            return new SaveResult(SaveResultKind.Saved, written, warning);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new SaveResult(SaveResultKind.Failed, read, failure.Message);
        }
    }
}

/// <param name="Read">The file as it is now.</param>
/// <param name="Problem">Failed: why; saved: what could not be kept of the file's rights.</param>
public sealed record SaveResult(SaveResultKind Kind, FileRead Read, string? Problem);

public enum SaveResultKind
{
    Saved,
    Failed,

    /// <summary>The file holds other tokens than it did; nothing was written.</summary>
    Foreign,
}
