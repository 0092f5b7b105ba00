using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Upstreams;

/// <summary>A protocol as one configured upstream speaks it: its quirks, what is known of its models, its name as the issuer of proofs.</summary>
public static class ProtocolTraits
{
    public static IUpstreamProtocol Anthropic(UpstreamConfig config) => new AnthropicProtocol(new AnthropicTraits
    {
        Models = Models(config),
        DefaultMaxTokens = config.DefaultMaxTokens,
        RefusesPrefill = RefusesPrefill(config),
        WebSearch = Has(config, "web_search"),
    });

    public static IUpstreamProtocol OpenAIChat(UpstreamConfig config)
    {
        bool official = IsOfficial(config, ProviderPaths.OpenAI);
        return new OpenAIChatProtocol(new OpenAIChatTraits
        {
            Models = Models(config),
            IsOfficial = official,
            IsStrict = IsAt(config, "mistral.ai"),
            Issuer = config.Name,
            DeveloperRole = Has(config, "developer_role", official),
            StrictAlternation = Has(config, "strict_alternation"),
            ReplayReasoning = Has(config, "replay_reasoning", IsAt(config, "deepseek.com") || IsAt(config, "moonshot.ai") || IsAt(config, "moonshot.cn") || IsAt(config, "kimi.com")),
            RefusesPrefill = RefusesPrefill(config),
            WebSearch = Has(config, "web_search"),
        });
    }

    public static IUpstreamProtocol OpenAIResponses(UpstreamConfig config) => new OpenAIResponsesProtocol(new OpenAIResponsesTraits
    {
        Models = Models(config),
        Issuer = config.Name,
        RefusesPrefill = RefusesPrefill(config),
        WebSearch = Has(config, "web_search"),
    });

    public static IUpstreamProtocol Codex(UpstreamConfig config) => new OpenAIResponsesProtocol(new OpenAIResponsesTraits
    {
        Models = Models(config),
        Issuer = config.Name,
        RefusesPrefill = RefusesPrefill(config),
        WebSearch = Has(config, "web_search", usual: true),
        InstructionsAsDeveloper = true,
        BareParameters = true,
        AlwaysStreams = true,
    });

    public static IUpstreamProtocol Gemini(UpstreamConfig config) => new GeminiProtocol(new GeminiTraits
    {
        Models = Models(config),
        LegacySchema = Has(config, "legacy_schema"),
        SendsIds = config.Quirks.ContainsKey("gemini_send_ids") ? Has(config, "gemini_send_ids") : null,
        RefusesPrefill = RefusesPrefill(config),
        WebSearch = Has(config, "web_search"),
    });

    public static IUpstreamProtocol GeminiCli(UpstreamConfig config) => new GeminiProtocol(CodeAssist(config));

    public static IUpstreamProtocol Antigravity(UpstreamConfig config) => new GeminiProtocol(CodeAssist(config) with
    {
        // Names without a number, of the current generation.
        Models = new ModelTable([.. Rows(config), ("gemini-pro*", ModelTable.BuiltIn("gemini-3-1-pro")), ("gemini-flash*", ModelTable.BuiltIn("gemini-3-flash"))]),
        SendsIds = config.Quirks.ContainsKey("gemini_send_ids") ? Has(config, "gemini_send_ids") : true,
        HasMediaInResults = true,
    });

    // The wire has schema rules of its own, and fetches nothing.
    private static GeminiTraits CodeAssist(UpstreamConfig config) => new()
    {
        Models = Models(config),
        RawSchema = true,
        ResultName = "result",
        FetchesUrls = false,
        SendsIds = config.Quirks.ContainsKey("gemini_send_ids") ? Has(config, "gemini_send_ids") : null,
        RefusesPrefill = RefusesPrefill(config),
        WebSearch = Has(config, "web_search"),
    };

    public static IUpstreamProtocol Kiro(UpstreamConfig config) => new KiroProtocol(new KiroTraits { Models = Models(config), Issuer = config.Name, RefusesPrefill = RefusesPrefill(config) });

    private static ModelTable Models(UpstreamConfig config) => new(Rows(config));

    private static IEnumerable<(string Pattern, Protocols.Model.ModelFacts Facts)> Rows(UpstreamConfig config) => config.Models.Select(entry => (entry.Key, Facts(entry.Key, entry.Value)));

    // What the file does not say of a model stays what the built-in table says.
    private static Protocols.Model.ModelFacts Facts(string name, Config.ModelFacts told)
    {
        Protocols.Model.ModelFacts known = ModelTable.BuiltIn(name.TrimEnd('*'));
        return known with
        {
            ContextWindow = told.ContextWindow ?? known.ContextWindow,
            MaxOutputTokens = told.MaxOutputTokens ?? known.MaxOutputTokens,
            Thinking = told.Thinking switch
            {
                "none" => ThinkingControl.None,
                "budget" => ThinkingControl.Budget,
                "adaptive" => ThinkingControl.Adaptive,
                _ => known.Thinking,
            },
            HasMidSystem = told.MidSystem ?? known.HasMidSystem,
            HasPrefill = told.Prefill ?? known.HasPrefill,
            HasSampling = told.Sampling ?? known.HasSampling,
        };
    }

    private static bool IsOfficial(UpstreamConfig config, Uri provider) => config.BaseUrls.Count > 0 && config.BaseUrls[0].Host == provider.Host;

    private static bool IsAt(UpstreamConfig config, string domain) =>
        config.BaseUrls.Count > 0 && config.BaseUrls[0].Host is var host && (host == domain || host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase));

    private static bool RefusesPrefill(UpstreamConfig config) => config.Quirks.GetValueOrDefault("prefill") == "refuse";

    private static bool Has(UpstreamConfig config, string quirk, bool usual = false) =>
        config.Quirks.TryGetValue(quirk, out string? value) ? value == "true" : usual;
}
