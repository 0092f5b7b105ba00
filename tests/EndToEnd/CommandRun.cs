using System.Diagnostics;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>The result of a command that ends by itself.</summary>
public sealed record CommandRun(int ExitCode, string Output, string Error)
{
    public string Both => Output + Error;

    /// <summary>Runs the published binary and waits for its end, at most 20 s.</summary>
    public static async Task<CommandRun> RunAsync(IEnumerable<string> arguments, string? folder = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(AiproxyBinary.Require())
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            Assert.Fail($"the command {string.Join(' ', start.ArgumentList)} did not end in 20 s");
        }
        return new CommandRun(process.ExitCode, await output, await error);
    }
}
