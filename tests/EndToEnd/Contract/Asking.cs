using static Aiproxy.Tests.EndToEnd.JsonLook;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>What a question brings along.</summary>
public enum Feature
{
    Text,
    Tool,
    Thinking,
    Image,

    /// <summary>A call of a tool, its result, and a question behind it.</summary>
    History,
}

/// <summary>The same question in the words of each client protocol.</summary>
public static class Asking
{
    public const string Picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    public const string Result = "cold and clear";

    private const string Properties = """{"type":"object","properties":{"city":{"type":"string","description":"where"},"unit":{"type":"string","enum":["c","f"]}},"required":["city"]}""";

    public static string Body(string client, string model, string prompt, bool stream, Feature feature) => client switch
    {
        "anthropic" => Anthropic(Quote(model), Quote(prompt), stream, feature),
        "openai" => Chat(Quote(model), Quote(prompt), stream, feature),
        "responses" => Responses(Quote(model), Quote(prompt), stream, feature),
        _ => Gemini(Quote(prompt), feature),
    };

    private static bool HasTools(Feature feature) => feature is Feature.Tool or Feature.History;

    private static string Anthropic(string model, string prompt, bool stream, Feature feature)
    {
        string messages = feature switch
        {
            Feature.Image => $$$"""{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{Picture}}}"}},{"type":"text","text":{{{prompt}}}}]}""",
            Feature.History => $$$"""{"role":"user","content":{{{prompt}}}},{"role":"assistant","content":[{"type":"text","text":"Let me see."},{"type":"tool_use","id":"toolu_01","name":"get_weather","input":{"city":"Oslo"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01","content":"{{{Result}}}"},{"type":"text","text":"So?"}]}""",
            _ => $$"""{"role":"user","content":{{prompt}}}""",
        };
        string tools = HasTools(feature) ? $$""","tools":[{"name":"get_weather","description":"Tells the weather","input_schema":{{Properties}}}]""" : "";
        string thinking = feature == Feature.Thinking ? ""","thinking":{"type":"enabled","budget_tokens":2048}""" : "";
        return $$"""{"model":{{model}},"max_tokens":8192,"system":"Be short.","messages":[{{messages}}]{{tools}}{{thinking}}{{(stream ? ",\"stream\":true" : "")}}}""";
    }

    private static string Chat(string model, string prompt, bool stream, Feature feature)
    {
        string messages = feature switch
        {
            Feature.Image => $$$"""{"role":"user","content":[{"type":"text","text":{{{prompt}}}},{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{Picture}}}"}}]}""",
            Feature.History => $$$"""{"role":"user","content":{{{prompt}}}},{"role":"assistant","content":"Let me see.","tool_calls":[{"id":"call_01","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},{"role":"tool","tool_call_id":"call_01","content":"{{{Result}}}"},{"role":"user","content":"So?"}""",
            _ => $$"""{"role":"user","content":{{prompt}}}""",
        };
        string tools = HasTools(feature) ? $$$""","tools":[{"type":"function","function":{"name":"get_weather","description":"Tells the weather","parameters":{{{Properties}}}}}]""" : "";
        string thinking = feature == Feature.Thinking ? ""","reasoning_effort":"medium" """ : "";
        return $$"""{"model":{{model}},"messages":[{"role":"system","content":"Be short."},{{messages}}]{{tools}}{{thinking}}{{(stream ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "")}}}""";
    }

    private static string Responses(string model, string prompt, bool stream, Feature feature)
    {
        string input = feature switch
        {
            Feature.Image => $$"""{"role":"user","content":[{"type":"input_text","text":{{prompt}}},{"type":"input_image","image_url":"data:image/png;base64,{{Picture}}"}]}""",
            Feature.History => $$"""{"role":"user","content":{{prompt}}},{"type":"function_call","call_id":"call_01","name":"get_weather","arguments":"{\"city\":\"Oslo\"}"},{"type":"function_call_output","call_id":"call_01","output":"{{Result}}"},{"role":"user","content":"So?"}""",
            _ => $$"""{"role":"user","content":{{prompt}}}""",
        };
        string tools = HasTools(feature) ? $$""","tools":[{"type":"function","name":"get_weather","description":"Tells the weather","parameters":{{Properties}},"strict":false}]""" : "";
        string thinking = feature == Feature.Thinking ? ""","reasoning":{"effort":"medium","summary":"auto"}""" : "";
        return $$"""{"model":{{model}},"instructions":"Be short.","store":false,"input":[{{input}}]{{tools}}{{thinking}}{{(stream ? ",\"stream\":true" : "")}}}""";
    }

    private static string Gemini(string prompt, Feature feature)
    {
        string contents = feature switch
        {
            Feature.Image => $$$"""{"role":"user","parts":[{"text":{{{prompt}}}},{"inlineData":{"mimeType":"image/png","data":"{{{Picture}}}"}}]}""",
            Feature.History => $$$$"""{"role":"user","parts":[{"text":{{{{prompt}}}}}]},{"role":"model","parts":[{"text":"Let me see."},{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"get_weather","response":{"result":"{{{{Result}}}}"}}},{"text":"So?"}]}""",
            _ => $$"""{"role":"user","parts":[{"text":{{prompt}}}]}""",
        };
        string tools = HasTools(feature) ? $$""","tools":[{"functionDeclarations":[{"name":"get_weather","description":"Tells the weather","parameters":{{Properties}}}]}]""" : "";
        string thinking = feature == Feature.Thinking ? ""","generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":2048}}""" : "";
        return $$$"""{"systemInstruction":{"parts":[{"text":"Be short."}]},"contents":[{{{contents}}}]{{{tools}}}{{{thinking}}}}""";
    }
}
