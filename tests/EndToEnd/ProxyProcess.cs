using System.Diagnostics;
using System.Net;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>The published binary, running with a configuration of the test on a loopback port of its own.</summary>
public sealed class ProxyProcess : IAsyncDisposable
{
    /// <summary>In a configuration text stands for the port that the harness chose.</summary>
    public const string PortMark = "@PORT@";

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly TempFolder _folder;
    private bool _exitExpected;

    private ProxyProcess(Process process, TempFolder folder, int port)
    {
        _process = process;
        _folder = folder;
        Port = port;
        Client = NewClient(port);
    }

    public int Port { get; }

    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>No redirects, cookies, decompression or proxy: what the process says is what the test sees.</summary>
    public HttpClient Client { get; }

    public ProcessLog Log { get; } = new();

    public string ConfigPath => _folder.File("config.yaml");

    public TempFolder Folder => _folder;

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    public static HttpClient NewClient(int port) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(10),
    })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{port}"),
        Timeout = TimeSpan.FromSeconds(20),
    };

    /// <summary>Starts and waits until <c>/health</c> answers. A text without <c>listen:</c> gets the line; <see cref="PortMark"/> is replaced.</summary>
    public static async Task<ProxyProcess> StartAsync(string config, IReadOnlyDictionary<string, string>? environment = null, bool waitForHealth = true)
    {
        var binary = AiproxyBinary.Require();
        var folder = new TempFolder();
        var port = FreePort.Next();
        folder.Write("config.yaml", Complete(config, port));
        var start = new ProcessStartInfo(binary)
        {
            ArgumentList = { "-config", folder.File("config.yaml") },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var process = new Process { StartInfo = start };
        var proxy = new ProxyProcess(process, folder, port);
        process.OutputDataReceived += (_, line) => proxy.Log.Add(line.Data);
        process.ErrorDataReceived += (_, line) => proxy.Log.Add(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            if (waitForHealth) await proxy.WaitForHealthAsync();
        }
        catch
        {
            proxy._exitExpected = true;
            await proxy.DisposeAsync();
            throw;
        }
        return proxy;
    }

    public Task<string> WaitForLogAsync(Func<string, bool> predicate, TimeSpan patience, string what, int from = 0) =>
        Log.WaitAsync(predicate, patience, what, from);

    /// <summary>The configuration text as this process would find it on disk.</summary>
    public string Complete(string config) => Complete(config, Port);

    /// <summary>As careful editors write: a new file beside it, then a rename over it.</summary>
    public void RewriteConfig(string config)
    {
        var next = ConfigPath + ".next";
        File.WriteAllText(next, Complete(config));
        File.Move(next, ConfigPath, overwrite: true);
    }

    /// <summary>As <c>cat &gt; file</c> writes: the same inode, cut to nothing, then filled.</summary>
    public void RewriteConfigInPlace(string config) => File.WriteAllText(ConfigPath, Complete(config));

    public void Signal(int signal)
    {
        if (signal != Signals.Hangup) _exitExpected = true;
        Signals.Send(_process.Id, signal);
    }

    /// <summary>The exit code, once the process ended by itself or by a signal.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan patience)
    {
        _exitExpected = true;
        await _process.WaitForExitAsync(CancellationToken.None).InTimeAsync(patience, $"the process did not end\n{Log.Tail()}");
        return _process.ExitCode;
    }

    /// <summary>Fails where the process is gone or does not answer any more.</summary>
    public async Task AssertAliveAsync()
    {
        Assert.False(_process.HasExited, $"the process is gone, exit code {(_process.HasExited ? _process.ExitCode : 0)}\n{Log.Tail()}");
        using var answer = await Client.GetAsync("/health");
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"/health answers {(int)answer.StatusCode}\n{Log.Tail()}");
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        var crashed = !_exitExpected && _process.HasExited;
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        var code = _process.ExitCode;
        _process.Dispose();
        _folder.Dispose();
        TestContext.Current.TestOutputHelper?.WriteLine(Log.Tail(60));
        if (crashed) throw new InvalidOperationException($"the process ended by itself with code {code}\n{Log.Tail()}");
    }

    private static string Complete(string config, int port)
    {
        var listens = config.StartsWith("listen:", StringComparison.Ordinal) || config.Contains("\nlisten:", StringComparison.Ordinal);
        return (listens ? config : $"listen: 127.0.0.1:{PortMark}\n{config}").Replace(PortMark, port.ToString(), StringComparison.Ordinal);
    }

    private async Task WaitForHealthAsync()
    {
        await Eventually.TrueAsync(
            async () =>
            {
                if (_process.HasExited) Assert.Fail($"the process ended at its start with code {_process.ExitCode}\n{Log.Tail()}");
                try
                {
                    using var answer = await Client.GetAsync("/health");
                    return answer.StatusCode == HttpStatusCode.OK;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            StartPatience,
            () => $"/health did not answer 200\n{Log.Tail()}");
    }
}
