using System.Text.Json;
using System.Text.RegularExpressions;

namespace Aiproxy.Tests.Upstreams.Google;

/// <summary>The part of <see cref="CodeAssistRules"/> that looks at the conversation.</summary>
public sealed partial class CodeAssistContentRules(JsonElement contents, bool isAntigravity, string model)
{
    private static readonly string[] PartWords =
    [
        "text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "videoMetadata", "mediaResolution",
        "partMetadata",
    ];

    private readonly List<string> _problems = [];
    private readonly bool _isClaude = isAntigravity && model.Contains("claude", StringComparison.Ordinal);

    private bool IsGemini3 => !_isClaude && (model.StartsWith("gemini-3", StringComparison.Ordinal) || (isAntigravity && model.StartsWith("gemini-", StringComparison.Ordinal) && !model.StartsWith("gemini-2", StringComparison.Ordinal)));

    public IReadOnlyList<string> Check(bool thinks)
    {
        JsonElement[] all = contents.ValueKind == JsonValueKind.Array ? [.. contents.EnumerateArray()] : [];
        if (all.Length == 0) return ["contents is not specified"];
        if (Role(all[0]) != "user") _problems.Add("Please ensure that the conversation begins with a user turn");
        for (int i = 0; i < all.Length; i++)
        {
            string path = $"request.contents[{i}]";
            if (Role(all[i]) is not ("user" or "model")) _problems.Add($"{path}.role: Please use a valid role: user, model.");
            JsonElement[] parts = Parts(all[i]);
            if (parts.Length == 0) _problems.Add($"{path}.parts: must include at least one parts field");
            for (int part = 0; part < parts.Length; part++) CheckPart(parts[part], $"{path}.parts[{part}]", Role(all[i]) == "model");
            if (Role(all[i]) == "model") CheckTurn(parts, i + 1 < all.Length ? Parts(all[i + 1]) : null, path);
        }
        CheckProofs(all, thinks);
        return _problems;
    }

    private void CheckPart(JsonElement part, string path, bool isModel)
    {
        foreach (JsonProperty member in part.EnumerateObject())
            if (!PartWords.Contains(member.Name)) _problems.Add($"Invalid JSON payload received. Unknown name \"{member.Name}\" at '{path}': Cannot find field.");
        bool isSigned = part.TryGetProperty("thoughtSignature", out _), isThought = part.TryGetProperty("thought", out JsonElement thought) && thought.ValueKind == JsonValueKind.True;
        if (part.TryGetProperty("text", out JsonElement text) && text.GetString() == "" && !isSigned) _problems.Add($"{path}: empty text");
        if (isThought && !isSigned) _problems.Add($"{path}: a thought without a signature");
        if (isSigned && !isModel) _problems.Add($"{path}: a signature of the user");
        if (isSigned && _isClaude && !isThought) _problems.Add($"{path}: Invalid `signature` in `thinking` block");
        foreach (string member in (string[])["functionCall", "functionResponse"])
            if (part.TryGetProperty(member, out JsonElement function) && !LegalName().IsMatch(function.GetProperty("name").GetString()!)) _problems.Add($"{path}.{member}.name: Invalid function name");
        if (part.TryGetProperty("functionResponse", out JsonElement response) && response.GetProperty("response").ValueKind != JsonValueKind.Object) _problems.Add($"{path}.functionResponse.response: must be an object");
    }

    private void CheckTurn(JsonElement[] parts, JsonElement[]? next, string path)
    {
        JsonElement[] calls = [.. parts.Where(static part => part.TryGetProperty("functionCall", out _)).Select(static part => part.GetProperty("functionCall"))];
        if (isAntigravity)
        {
            int[] ranks = [.. parts.Select(static part => part.TryGetProperty("thought", out _) ? 0 : part.TryGetProperty("functionCall", out _) ? 2 : 1)];
            if (!ranks.Order().SequenceEqual(ranks)) _problems.Add($"{path}: thoughts, then text, then calls");
        }
        if (calls.Length == 0 || next is null) return;
        JsonElement[] responses = [.. next.Where(static part => part.TryGetProperty("functionResponse", out _)).Select(static part => part.GetProperty("functionResponse"))];
        if (!calls.Select(Name).SequenceEqual(responses.Select(Name)))
            _problems.Add("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.");
        else if (_isClaude && !calls.Select(Id).SequenceEqual(responses.Select(Id)))
            _problems.Add($"{path}: `tool_use` ids were found without `tool_result` blocks");
        if (_isClaude && calls.Any(static call => Id(call).Length == 0)) _problems.Add($"{path}: a call without an id");
    }

    private void CheckProofs(JsonElement[] all, bool thinks)
    {
        int spoken = Array.FindLastIndex(all, static content => Role(content) == "user" && Parts(content).Any(static part => !part.TryGetProperty("functionResponse", out _)));
        foreach (JsonElement content in all.Skip(spoken + 1).Where(static content => Role(content) == "model"))
        {
            JsonElement[] parts = Parts(content), calls = [.. parts.Where(static part => part.TryGetProperty("functionCall", out _))];
            if (calls.Length == 0) continue;
            if (IsGemini3 && !calls[0].TryGetProperty("thoughtSignature", out _)) _problems.Add("Function call is missing a `thought_signature` in functionCall parts");
            if (IsGemini3 && calls.Skip(1).Any(static call => call.TryGetProperty("thoughtSignature", out JsonElement seal) && seal.GetString() == "skip_thought_signature_validator"))
                _problems.Add("the stand-in for a signature belongs on the first call");
            bool isLast = content.Equals(all.Last(static one => Role(one) == "model"));
            if (thinks && _isClaude && isLast && !parts[0].TryGetProperty("thought", out _)) _problems.Add("Expected `thinking` or `redacted_thinking`, but found `tool_use`");
        }
    }

    private static string Role(JsonElement content) => content.TryGetProperty("role", out JsonElement role) ? role.GetString()! : "";

    private static JsonElement[] Parts(JsonElement content) => content.TryGetProperty("parts", out JsonElement parts) ? [.. parts.EnumerateArray()] : [];

    private static string Name(JsonElement function) => function.GetProperty("name").GetString()!;

    private static string Id(JsonElement function) => function.TryGetProperty("id", out JsonElement id) ? id.GetString()! : "";

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$")]
    private static partial Regex LegalName();
}
