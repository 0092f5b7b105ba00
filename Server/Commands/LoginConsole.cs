using System.ComponentModel;
using System.Diagnostics;
using Aiproxy.OAuthCache;

namespace Aiproxy.Server.Commands;

/// <summary>The terminal and the browser of whoever signs in.</summary>
/// <param name="opens">false: no page is opened, whatever there is.</param>
public sealed class LoginConsole(TextWriter output, TextReader input, bool opens)
{
    private Task<string?>? _reading;

    public LoginScreen Screen => new(output.WriteLine, Open, ReadLineAsync);

    /// <summary>A terminal's read cannot be called off: one that nobody waits for any more serves the next question.</summary>
    private async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        string? line = await (_reading ??= StartReading()).WaitAsync(cancellationToken).ConfigureAwait(false);
        _reading = null;
        return line;
    }

    /// <summary>On a thread of its own, which ends with the process.</summary>
    private Task<string?> StartReading()
    {
        var line = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                line.TrySetResult(input.ReadLine());
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                line.TrySetResult(null);
            }
        })
        { IsBackground = true, Name = "login input" };
        thread.Start();
        return line.Task;
    }

    private void Open(Uri page)
    {
        if (!opens || Opener(page.AbsoluteUri) is not { } start) return;
        try
        {
            Process.Start(start)?.Dispose();
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException)
        {
            // The address stands on the screen.
        }
    }

    /// <summary>null: nothing that shows pages, such as on a server.</summary>
    private static ProcessStartInfo? Opener(string page)
    {
        if (OperatingSystem.IsWindows()) return new ProcessStartInfo(page) { UseShellExecute = true };
        bool isMac = OperatingSystem.IsMacOS();
        if (!isMac && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DISPLAY")) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("WAYLAND_DISPLAY"))) return null;
        // Through a shell for its redirections: browsers chat on the terminal, and would eat what is typed.
        return new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", "exec \"$0\" \"$1\" </dev/null >/dev/null 2>&1", isMac ? "open" : "xdg-open", page } };
    }
}
