using Aiproxy.Server;
using Microsoft.AspNetCore.Http;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Aiproxy.Tests.Server;

public sealed class HeaderLogTests
{
    private sealed class Lines : ILogEventSink
    {
        public List<string> Written { get; } = [];

        public void Emit(LogEvent logEvent) => Written.Add(logEvent.RenderMessage());
    }

    private static string Logged(LogEventLevel level, params (string Name, string Value)[] headers)
    {
        var lines = new Lines();
        using Logger log = new LoggerConfiguration().MinimumLevel.Is(level).WriteTo.Sink(lines).CreateLogger();
        var dictionary = new HeaderDictionary();
        foreach ((string name, string value) in headers) dictionary[name] = value;
        HeaderLog.Write(log, "req_1", "request", dictionary);
        return string.Join('\n', lines.Written);
    }

    [Theory]
    [InlineData("Authorization")]
    [InlineData("x-api-key")]
    [InlineData("x-goog-api-key")]
    [InlineData("Cookie")]
    [InlineData("Helicone-Auth")]
    [InlineData("X-Session-Token")]
    public void Secret_IsMasked(string name)
    {
        string line = Logged(LogEventLevel.Debug, (name, "sk-fake-secret"), ("anthropic-version", "2023-06-01"));
        Assert.DoesNotContain("sk-fake-secret", line);
        Assert.Contains(name + ": ***", line);
        Assert.Contains("anthropic-version: 2023-06-01", line);
    }

    [Fact]
    public void LongValue_IsCut() => Assert.DoesNotContain(new string('x', 121), Logged(LogEventLevel.Debug, ("x-codex-turn-metadata", new string('x', 5000))));

    [Fact]
    public void LevelInfo_SaysNothing() => Assert.Empty(Logged(LogEventLevel.Information, ("accept", "application/json")));
}
