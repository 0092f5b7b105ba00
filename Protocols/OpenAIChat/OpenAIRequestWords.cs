using System.Security.Cryptography;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>What both OpenAI request writers decide alike.</summary>
public static class OpenAIRequestWords
{
    /// <exception cref="ProtocolException">The request holds what no foreign target can express.</exception>
    public static void Refuse(ChatRequest request, string target) => RequestRefusal.Check(request, target);

    /// <summary>What the history must be, as far as it depends on the client: only Anthropic's means its last assistant turn to be gone on with.</summary>
    public static string? AfterTrailingAssistant(ChatRequest request, bool isRefused, string target)
    {
        if (request.Protocol != "anthropic" || request.Turns is not [.., { Role: TurnRole.Assistant } last]) return null;
        if (isRefused) throw RequestRefusal.Of(last.Path, target);
        return "Continue your last message exactly behind its last word. Do not repeat any of it.";
    }

    /// <summary>How much the model shall think; null: say nothing. A model that does not reason refuses even "none".</summary>
    public static ReasoningEffort? Effort(ChatRequest request, ModelFacts facts)
    {
        if (request.Reasoning is not { } reasoning || !Reasons(request, facts) || ReasoningScale.EffortOf(reasoning) is not { } effort) return null;
        return facts.Nearest(effort) ?? effort;
    }

    public static bool Reasons(ChatRequest request, ModelFacts facts) =>
        facts.Thinking != ThinkingControl.None && !OpenAIModelNames.IsKnownNotToReason(request.Model);

    /// <summary>Temperature and its kin are taken.</summary>
    public static bool Samples(ChatRequest request, ModelFacts facts) => facts.HasSampling && !OpenAIModelNames.IsOpenAIReasoning(request.Model);

    /// <summary>The limit, not above what the model is known to take; null: none told.</summary>
    public static long? Limit(ChatRequest request, ModelFacts facts) =>
        request.MaxTokens is { } limit ? Math.Min(limit, facts.MaxOutputTokens ?? long.MaxValue) : null;

    /// <summary>At most 64 characters; a longer one as its SHA-256.</summary>
    public static string? EndUser(string? id) => id is { Length: > 64 } ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id))) : id;

    /// <summary>The client's key, else one of the conversation's constant parts: end user, system prompt and tool names.</summary>
    public static string? CacheKey(ChatRequest request)
    {
        if (request.CacheKey is { Length: > 0 } key) return EndUser(key)!;
        // A key of nothing would throw all such conversations together.
        if (request.EndUserId is null && request.System.Count == 0 && request.Tools.Count == 0) return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(request.EndUserId ?? ""));
        foreach (TextPart part in request.System) hash.AppendData(Encoding.UTF8.GetBytes("\0" + part.Text));
        foreach (ToolDefinition tool in request.Tools) hash.AppendData(Encoding.UTF8.GetBytes("\u0001" + tool.Name));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    /// <summary>How long the answer shall be; null: not told, or the model knows one length only.</summary>
    public static string? Verbosity(ChatRequest request) => OpenAIModelNames.IsKnownNotToReason(request.Model) ? null : request.Verbosity;

    /// <summary>Tiers that both sides know; null: none to tell.</summary>
    public static string? Tier(string? tier) => tier is "flex" or "priority" or "default" or "auto" ? tier : null;

    /// <summary>The system prompt as one text, blocks apart by a blank line. JSON answers demand that the word JSON occurs somewhere in the prompt.</summary>
    public static string? SystemText(ChatRequest request)
    {
        List<string> blocks = [.. request.System.Select(static part => part.Text.ToString()).Where(static text => text.Length > 0)];
        if (request.Output is { Schema: null } && !blocks.Exists(HasJson)
            && !request.Turns.Any(static turn => turn.Parts.Any(static part => part is TextPart text && HasJson(text.Text.ToString()))))
            blocks.Add("Answer with one JSON object only.");
        return blocks.Count == 0 ? null : string.Join("\n\n", blocks);
    }

    /// <summary>The texts of an instruction, apart by a blank line.</summary>
    public static string Join(IReadOnlyList<Part> parts) => string.Join("\n\n", parts.OfType<TextPart>().Select(static part => part.Text.ToString()));

    /// <summary>Legal name of a schema: characters and length as for tools.</summary>
    public static string SchemaName(string? name) => string.IsNullOrEmpty(name) ? "response" : ToolNames.For(name, 64);

    /// <summary>Error results carry a mark in words: neither protocol has a flag.</summary>
    public static string ResultText(ToolResultPart result, string text) =>
        result.IsError && !text.StartsWith("Error: ", StringComparison.Ordinal) ? "Error: " + text : text;

    /// <summary>Whether the answer must fit a schema to the letter; null: not told. Anthropic and Gemini always enforce theirs, so their clients cannot ask: a
    /// schema of theirs is strict where it is in the strict subset already, any other would be refused.</summary>
    public static bool? Strict(ChatRequest request, OutputFormat format)
    {
        if (request.Protocol is not ("anthropic" or "gemini")) return format.Strict;
        return format.Schema is { } schema && OpenAIStrictSchema.Fits(schema) ? true : null;
    }

    /// <summary>The tools to send. A server tool that is not mapped is dropped where others are there, and refused where the client relies on it.</summary>
    public static List<ToolDefinition> Tools(ChatRequest request, string target, Func<ToolDefinition, bool> isKnown)
    {
        if (request.ToolChoice is { Foreign: not null } choice && !request.Tools.Any(tool => isKnown(tool) && ServerTools.IsDemanded(tool, choice)))
            throw RequestRefusal.Of(choice.Path, target);
        ToolDefinition? needed = request.Tools.FirstOrDefault(tool => ServerTools.IsIndispensable(tool) && !isKnown(tool));
        if (needed is not null) throw RequestRefusal.Of(needed.Path, target);
        List<ToolDefinition> kept = [.. request.Tools.Where(tool => tool.Kind != ToolKind.Foreign || isKnown(tool))];
        if (kept.Count == 0 && request.Tools.Count > 0) throw RequestRefusal.Of(request.Tools[0].Path, target);
        if (kept.Count == 0 && request.ToolChoice is { Mode: ToolChoiceMode.Any } forced) throw RequestRefusal.Of(forced.Path, target);
        return kept;
    }

    private static bool HasJson(string text) => text.Contains("json", StringComparison.OrdinalIgnoreCase);
}
