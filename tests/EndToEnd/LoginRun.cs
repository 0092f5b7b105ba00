using System.Diagnostics;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>The published binary in the middle of a <c>login</c>, with a home folder of its own.</summary>
public sealed class LoginRun : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly ProcessLog _output = new();
    private readonly ProcessLog _error = new();

    private LoginRun(Process process) => _process = process;

    public int ProcessId => _process.Id;

    public string Output => string.Join('\n', _output.Lines) + "\n";

    public string Error => string.Join('\n', _error.Lines);

    public string Both => Output + Error;

    /// <param name="home">Gets the data folder.</param>
    public static LoginRun Start(TempFolder home, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(AiproxyBinary.Require())
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = home.Path,
        };
        start.ArgumentList.Add("login");
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var name in new[] { "DISPLAY", "WAYLAND_DISPLAY", "XDG_DATA_HOME", "AIPROXY_GOOGLE_CLIENT_ID", "AIPROXY_GOOGLE_CLIENT_SECRET", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT_ID" })
            start.Environment.Remove(name);
        start.Environment["HOME"] = home.Path;
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = new Process { StartInfo = start };
        var run = new LoginRun(process);
        process.OutputDataReceived += (_, line) => run._output.Add(line.Data);
        process.ErrorDataReceived += (_, line) => run._error.Add(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return run;
    }

    /// <summary>The address to open, once it is on the screen.</summary>
    public Task<string> PageAsync() => _output.WaitAsync(line => line.StartsWith("http", StringComparison.Ordinal), Patience, $"an address\n{Both}");

    public Task<string> LineAsync(string words) => _output.WaitAsync(line => line.Contains(words, StringComparison.Ordinal), Patience, words);

    public void Type(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    public void EndInput() => _process.StandardInput.Close();

    /// <summary>The exit code, when it ended by itself.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().InTimeAsync(Patience, $"the sign-in did not end\n{Both}");
        return _process.ExitCode;
    }

    public async Task<LoginRun> AssertEndAsync(int code)
    {
        var ended = await EndAsync();
        Assert.True(ended == code, $"exit code {ended} instead of {code}\n{Both}");
        Assert.DoesNotContain("   at ", Both);
        return this;
    }

    /// <summary>The one line on standard error; fails where there are more or none.</summary>
    public string TheError() => Assert.Single(_error.Lines, line => line.Length > 0);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }
}
