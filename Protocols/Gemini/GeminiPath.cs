namespace Aiproxy.Protocols.Gemini;

/// <summary>Which call a path is: <c>/{version}/models/{model}:{verb}</c>, or <c>tunedModels</c> in place of <c>models</c>.</summary>
public static class GeminiPath
{
    public static RequestTarget? Match(string path)
    {
        if (Resource(path) is not { } resource) return null;
        // A model name may hold slashes and colons; the verb is what follows the last colon.
        int colon = resource.LastIndexOf(':');
        (string name, string verb) = colon >= 0 ? (resource[..colon], resource[(colon + 1)..])
            : resource.EndsWith("/countTokens", StringComparison.Ordinal) ? (resource[..^"/countTokens".Length], "countTokens") : ("", "");
        string model = Model(name);
        if (model.Length == 0) return null;
        return verb switch
        {
            "generateContent" => new RequestTarget(Operation.Generate, model, false),
            "streamGenerateContent" => new RequestTarget(Operation.Generate, model, true),
            "countTokens" => new RequestTarget(Operation.CountTokens, model, false),
            _ => null,
        };
    }

    /// <summary>A model's name without the folder <c>models/</c>, which some clients put twice; tuned models keep theirs.</summary>
    public static string Model(string name)
    {
        while (name.StartsWith("models/", StringComparison.Ordinal)) name = name["models/".Length..];
        return name == "tunedModels/" ? "" : name;
    }

    /// <summary><c>alt=sse</c>, also spelled <c>$alt</c>, is in the query; the last one counts.</summary>
    public static bool WantsEvents(string query)
    {
        bool wants = false;
        foreach (string pair in query.TrimStart('?').Split('&'))
        {
            string decoded = Uri.UnescapeDataString(pair);
            if (decoded.StartsWith("alt=", StringComparison.Ordinal) || decoded.StartsWith("$alt=", StringComparison.Ordinal))
            {
                wants = decoded.EndsWith("=sse", StringComparison.OrdinalIgnoreCase);
            }
        }
        return wants;
    }

    private static string? Resource(string path)
    {
        foreach (string version in (ReadOnlySpan<string>)["/v1beta/", "/v1/", "/v1alpha/"])
        {
            if (!path.StartsWith(version, StringComparison.Ordinal)) continue;
            string resource = path[version.Length..];
            return resource.StartsWith("models/", StringComparison.Ordinal) || resource.StartsWith("tunedModels/", StringComparison.Ordinal) ? resource : null;
        }
        return path.StartsWith("/tunedModels/", StringComparison.Ordinal) ? path[1..] : null;
    }
}
