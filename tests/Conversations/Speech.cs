using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;
using Aiproxy.Protocols.OpenAIResponses;

namespace Aiproxy.Tests.Conversations;

/// <summary>How a protocol's texts run together.</summary>
public enum Joins
{
    /// <summary>Each block stays one.</summary>
    Never,

    /// <summary>Neighbours of one kind become one.</summary>
    Neighbours,

    /// <summary>The protocol has one text of each kind, and the order between kinds is lost.</summary>
    Kinds,
}

/// <summary>What a protocol's answers cannot say: the one table of what is lost when an answer is written in it and read again.</summary>
/// <param name="ShowsByDefault">Thinking is told although the client did not ask for it.</param>
/// <param name="SpokenRefusal">A refusal in words is a kind of its own; else it is text.</param>
/// <param name="CustomCalls">A free-form call is a kind of its own; else a function with one <c>input</c>.</param>
/// <param name="Stops">The stop sequence that ended the answer is told.</param>
/// <param name="Ends">Finish reasons that have no word, and the one that stands for them.</param>
/// <param name="Proofs">A proof of that kind on a block of that kind comes back.</param>
/// <param name="CacheWrites">Tokens written to a cache are told apart from others.</param>
/// <param name="Lifetimes">One hour and five minutes of cache are told apart.</param>
/// <param name="Cites">A source can be told.</param>
public sealed record Speech(
    string Name,
    IClientProtocol Client,
    IUpstreamProtocol Upstream,
    Joins Joins,
    bool ShowsByDefault,
    bool SpokenRefusal,
    bool CustomCalls,
    bool Stops,
    bool CacheWrites,
    bool Lifetimes,
    IReadOnlyDictionary<FinishReason, FinishReason> Ends,
    Func<BlockKind, SealKind, bool> Proofs,
    Func<Citation, bool> Cites)
{
    /// <summary>A model of the kind that the protocol serves today; requests depend on it.</summary>
    public required string Model { get; init; }

    /// <summary>White space alone is a text; else it stands in front of the next one.</summary>
    public bool BlankTexts { get; init; } = true;

    /// <summary>The repair that a request needs before the protocol's writer; null: the writer does it.</summary>
    public HistoryRules? Rules { get; init; }

    private static readonly Dictionary<FinishReason, FinishReason> Plain = new()
    {
        [FinishReason.StopSequence] = FinishReason.EndTurn,
        [FinishReason.ContextOverflow] = FinishReason.MaxTokens,
        [FinishReason.Pause] = FinishReason.EndTurn,
    };

    public static IReadOnlyList<Speech> All { get; } = [Anthropic(), Chat(), Responses(), Gemini()];

    public static Speech Of(string name) => All.First(speech => speech.Name == name);

    private static bool IsCall(BlockKind block) => block is BlockKind.ToolCall or BlockKind.CustomToolCall;

    /// <summary>Gemini's signatures on anything but a call prove nothing that another protocol could send back to its place.</summary>
    private static bool OnThinkingOrCall(BlockKind block, SealKind seal) => seal == SealKind.Thought ? IsCall(block) : block == BlockKind.Thinking;

    private static bool IsPage(Citation citation) => citation.Url is not null;

    private static Speech Anthropic()
    {
        var protocol = new AnthropicProtocol(new AnthropicTraits { WebSearch = true });
        return new Speech("anthropic", protocol, protocol, Joins.Never, ShowsByDefault: true, SpokenRefusal: false, CustomCalls: false, Stops: true,
            CacheWrites: true, Lifetimes: true, new Dictionary<FinishReason, FinishReason>(), OnThinkingOrCall, static citation => citation.Protocol == "anthropic")
        { Model = "claude-sonnet-5-5", Rules = HistoryRules.Anthropic, BlankTexts = false };
    }

    private static Speech Chat()
    {
        var protocol = new OpenAIChatProtocol(new OpenAIChatTraits { IsOfficial = true, Issuer = "upstream-1", WebSearch = true });
        return new Speech("openai", protocol, protocol, Joins.Kinds, ShowsByDefault: true, SpokenRefusal: true, CustomCalls: true, Stops: false,
            CacheWrites: true, Lifetimes: false, Plain, (block, seal) => seal == SealKind.Details || (seal == SealKind.Thought && IsCall(block)), IsPage) { Model = "gpt-5.5" };
    }

    private static Speech Responses()
    {
        var protocol = new OpenAIResponsesProtocol(new OpenAIResponsesTraits { Issuer = "upstream-1", WebSearch = true });
        return new Speech("responses", protocol, protocol, Joins.Never, ShowsByDefault: false, SpokenRefusal: true, CustomCalls: true, Stops: false,
            CacheWrites: true, Lifetimes: false, Plain, OnThinkingOrCall, static citation => citation.Protocol == "responses" || IsPage(citation)) { Model = "gpt-5.5" };
    }

    private static Speech Gemini()
    {
        var protocol = new GeminiProtocol(new GeminiTraits { WebSearch = true });
        return new Speech("gemini", protocol, protocol, Joins.Neighbours, ShowsByDefault: false, SpokenRefusal: false, CustomCalls: false, Stops: false,
            CacheWrites: false, Lifetimes: false, Plain, (block, seal) => block is BlockKind.Thinking || seal == SealKind.Thought, IsPage)
        { Model = "gemini-3.8-flash", Rules = HistoryRules.Gemini };
    }
}
