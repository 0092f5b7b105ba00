using Aiproxy.Balancer;
using Aiproxy.Config;

namespace Aiproxy.Server.Commands;

/// <summary><c>check</c>: what a start would say, and what it would serve.</summary>
public static class CheckCommand
{
    public static int Run(ConfigReader reader, string path, TextWriter output)
    {
        ConfigResult result = reader.Read(path);
        foreach (ConfigProblem problem in result.Errors) output.WriteLine(problem);
        foreach (ConfigProblem problem in result.Warnings) output.WriteLine($"{problem} (warning)");
        if (result.Config is not { } config)
        {
            output.WriteLine($"{path}: {result.Errors.Count} problem{(result.Errors.Count == 1 ? "" : "s")}; the configuration is refused");
            return ExitCode.BadConfig;
        }

        output.WriteLine($"{path}: fine. Listens on {config.Listen.Host}:{config.Listen.Port}{(config.Tls is null ? "" : " (TLS)")}, "
            + $"{(config.ClientKeys.Count == 0 ? "no client keys" : $"{config.ClientKeys.Count} client key{(config.ClientKeys.Count == 1 ? "" : "s")}")}");
        foreach (UpstreamConfig upstream in config.Upstreams) output.WriteLine("  " + Describe(upstream));
        foreach ((string model, string next) in config.ModelFallback) output.WriteLine($"  {model} falls back to {next}");
        return ExitCode.Fine;
    }

    private static string Describe(UpstreamConfig upstream)
    {
        string models = upstream.AvailableModels is { } available ? string.Join(", ", available)
            : upstream.ModelMappings.Count > 0 ? string.Join(", ", upstream.ModelMappings.Select(mapping => $"{mapping.Key} -> {mapping.Value}"))
            : "every model";
        string where = upstream.BaseUrls.Count > 0 ? " at " + string.Join(", ", upstream.BaseUrls) : "";
        return $"{upstream.Name} ({upstream.ApiType}{where}, weight {upstream.Weight}, priority {upstream.Priority}{(upstream.Enabled ? "" : ", disabled")}): {models}";
    }
}
