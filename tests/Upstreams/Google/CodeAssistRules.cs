using System.Text.Json;
using System.Text.RegularExpressions;

namespace Aiproxy.Tests.Upstreams.Google;

/// <summary>What Google Code Assist refuses with 400, as strictly as it is known to: for tests of what is sent, and for a service that plays its part.</summary>
public static partial class CodeAssistRules
{
    private static readonly string[] ConfigWords =
    [
        "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "responseLogprobs", "logprobs", "presencePenalty", "frequencyPenalty", "seed", "responseMimeType",
        "responseSchema", "responseJsonSchema", "routingConfig", "modelSelectionConfig", "responseModalities", "mediaResolution", "speechConfig", "audioTimestamp", "thinkingConfig",
    ];

    private static readonly string[] CliEnvelope = ["model", "project", "user_prompt_id", "request", "enabled_credit_types"];
    private static readonly string[] CliRequest =
        ["contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "labels", "cachedContent", "generationConfig", "session_id"];
    private static readonly string[] AntigravityEnvelope = ["project", "model", "userAgent", "requestType", "requestId", "request", "enabledCreditTypes"];
    private static readonly string[] AntigravityRequest = ["contents", "systemInstruction", "tools", "toolConfig", "labels", "cachedContent", "generationConfig", "sessionId"];

    /// <summary>Every reason to refuse; empty: taken.</summary>
    /// <param name="type">api_type.</param>
    /// <param name="method">What follows <c>/v1internal:</c>, without its query.</param>
    public static IReadOnlyList<string> Check(string type, string method, string body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        bool isAntigravity = type == "antigravity";
        var problems = new List<string>();
        JsonElement root = document.RootElement;
        if (!root.TryGetProperty("request", out JsonElement request)) return ["request: missing"];
        if (method == "countTokens")
        {
            CheckCount(root, request, isAntigravity, problems);
            return problems;
        }
        Unknown(root, isAntigravity ? AntigravityEnvelope : CliEnvelope, "", problems);
        Unknown(request, isAntigravity ? AntigravityRequest : CliRequest, "request", problems);
        string model = Text(root, "model");
        if (model.Length == 0 || model.StartsWith("models/", StringComparison.Ordinal)) problems.Add("model: a bare id is needed");
        if (isAntigravity) CheckEnvelope(root, request, model, problems);
        if (request.TryGetProperty("systemInstruction", out JsonElement system) && (system.ValueKind != JsonValueKind.Object || !system.TryGetProperty("parts", out _)))
            problems.Add("request.systemInstruction: an object with parts is needed");
        CheckTools(request, isAntigravity, model, problems);
        bool thinks = CheckConfig(request, isAntigravity, model, problems);
        problems.AddRange(new CodeAssistContentRules(request.GetProperty("contents"), isAntigravity, model).Check(thinks));
        return problems;
    }

    /// <summary>A request without a project is refused with 403.</summary>
    public static bool HasProject(string body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        string project = Text(document.RootElement, "project");
        return project.Length > 0 && !project.All(char.IsAsciiDigit);
    }

    private static void CheckEnvelope(JsonElement root, JsonElement request, string model, List<string> problems)
    {
        if (Text(root, "userAgent") != "antigravity") problems.Add("userAgent: not known");
        string kind = Text(root, "requestType"), id = Text(root, "requestId");
        bool isLegal = kind switch
        {
            "agent" => AgentId().IsMatch(id) && !model.Contains("image", StringComparison.Ordinal),
            "image_gen" => ImageId().IsMatch(id) && model.Contains("image", StringComparison.Ordinal),
            "web_search" => !root.TryGetProperty("requestId", out _),
            _ => false,
        };
        if (!isLegal) problems.Add($"requestType {kind} with requestId {id}");
        if (!SessionId().IsMatch(Text(request, "sessionId"))) problems.Add("request.sessionId: not of the form");
    }

    private static void CheckCount(JsonElement root, JsonElement request, bool isAntigravity, List<string> problems)
    {
        Unknown(root, ["request"], "", problems);
        Unknown(request, isAntigravity ? ["contents", "systemInstruction", "tools"] : ["model", "contents"], "request", problems);
        if (!isAntigravity && !Text(request, "model").StartsWith("models/", StringComparison.Ordinal)) problems.Add("request.model: models/ is missing");
        if (request.GetRawText().Contains("\"thought\":", StringComparison.Ordinal)) problems.Add("request.contents: thoughts are not counted");
    }

    private static void CheckTools(JsonElement request, bool isAntigravity, string model, List<string> problems)
    {
        bool isClaude = model.Contains("claude", StringComparison.Ordinal), hasFunctions = false, hasHosted = false;
        bool isValidated = isAntigravity && (isClaude || (model.StartsWith("gemini-3", StringComparison.Ordinal) && model.Contains("pro", StringComparison.Ordinal)));
        var names = new HashSet<string>();
        if (request.TryGetProperty("tools", out JsonElement tools))
        {
            foreach (JsonElement tool in tools.EnumerateArray())
            {
                hasHosted |= tool.TryGetProperty("googleSearch", out _) || tool.TryGetProperty("urlContext", out _);
                if (!tool.TryGetProperty("functionDeclarations", out JsonElement functions)) continue;
                if (hasFunctions) problems.Add("request.tools: one list of functions is taken");
                hasFunctions = true;
                foreach (JsonElement function in functions.EnumerateArray()) CheckFunction(function, names, isValidated, problems);
            }
        }
        if (hasFunctions && hasHosted && (isAntigravity || !model.StartsWith("gemini-3", StringComparison.Ordinal))) problems.Add("Tool use with function calling is unsupported");
        string mode = request.TryGetProperty("toolConfig", out JsonElement config) && config.TryGetProperty("functionCallingConfig", out JsonElement calling) ? Text(calling, "mode") : "";
        if (isAntigravity && isClaude && hasFunctions && mode is not ("VALIDATED" or "NONE")) problems.Add("request.toolConfig: Claude is served in VALIDATED alone");
    }

    private static void CheckFunction(JsonElement function, HashSet<string> names, bool isValidated, List<string> problems)
    {
        Unknown(function, ["name", "description", "parameters", "response", "behavior"], "request.tools.functionDeclarations", problems);
        string name = Text(function, "name");
        if (!FunctionName().IsMatch(name)) problems.Add($"Invalid function name '{name}'");
        if (!names.Add(name)) problems.Add($"Duplicate function declaration found: {name}");
        if (function.TryGetProperty("parameters", out JsonElement schema)) problems.AddRange(CodeAssistSchemaRules.Check(schema, name, isTool: true, isValidated));
        else if (isValidated) problems.Add($"{name}: input_schema: Field required");
    }

    private static bool CheckConfig(JsonElement request, bool isAntigravity, string model, List<string> problems)
    {
        if (!request.TryGetProperty("generationConfig", out JsonElement config)) return false;
        Unknown(config, ConfigWords, "request.generationConfig", problems);
        foreach (string name in (string[])["responseSchema", "responseJsonSchema"])
            if (config.TryGetProperty(name, out JsonElement schema)) problems.AddRange(CodeAssistSchemaRules.Check(schema, name, isTool: false, isValidated: false));
        bool isClaude = isAntigravity && model.Contains("claude", StringComparison.Ordinal);
        long? max = config.TryGetProperty("maxOutputTokens", out JsonElement told) ? told.GetInt64() : null;
        if (isAntigravity && !isClaude && max is not null) problems.Add("maxOutputTokens: not taken here");
        if (isClaude && max > 64_000) problems.Add("max_tokens: 64000 is the maximum");
        if (!config.TryGetProperty("thinkingConfig", out JsonElement thinking)) return false;
        bool hasBudget = thinking.TryGetProperty("thinkingBudget", out JsonElement budget), hasLevel = thinking.TryGetProperty("thinkingLevel", out JsonElement level);
        if (hasBudget && hasLevel) problems.Add("You can only set only one of thinking budget and thinking level.");
        if (hasLevel && level.GetString() is not ("minimal" or "low" or "medium" or "high")) problems.Add("thinkingLevel: not known");
        if (isClaude)
        {
            if (!model.EndsWith("-thinking", StringComparison.Ordinal)) problems.Add("thinking: not supported by this model");
            if (!hasBudget || budget.GetInt64() < 1024 || budget.GetInt64() >= (max ?? 64_000)) problems.Add("`max_tokens` must be greater than `thinking.budget_tokens`");
            if (config.TryGetProperty("temperature", out _) || config.TryGetProperty("topP", out _)) problems.Add("`temperature` may only be set to 1 when thinking is enabled");
        }
        return true;
    }

    private static void Unknown(JsonElement item, string[] known, string path, List<string> problems)
    {
        foreach (JsonProperty member in item.EnumerateObject())
            if (!known.Contains(member.Name)) problems.Add($"Invalid JSON payload received. Unknown name \"{member.Name}\" at '{path}': Cannot find field.");
    }

    private static string Text(JsonElement item, string member) => item.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    [GeneratedRegex("^agent-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    private static partial Regex AgentId();

    [GeneratedRegex("^image_gen/[0-9]+/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/12$")]
    private static partial Regex ImageId();

    [GeneratedRegex("^-[0-9]{1,19}$")]
    private static partial Regex SessionId();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$")]
    private static partial Regex FunctionName();
}
