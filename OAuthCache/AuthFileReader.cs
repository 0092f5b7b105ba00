using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>Finds out which program's auth file something is, and reads it.</summary>
public static class AuthFileReader
{
    /// <param name="type">api_type that the configuration gives the file.</param>
    /// <param name="bytes">The whole file; a byte order mark is passed over.</param>
    public static AuthReading Read(string type, ReadOnlyMemory<byte> bytes)
    {
        ReadOnlyMemory<byte> json = WithoutMark(bytes);
        if (json.Span.Trim(" \t\r\n\0"u8).IsEmpty) return new AuthReading(null, "is empty", IsIncomplete: true);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, JsonSplice.DocumentOptions);
            return Detect(type, document.RootElement);
        }
        catch (JsonException failure)
        {
            string place = failure is { LineNumber: { } line, BytePositionInLine: { } column } ? $" (line {line + 1}, byte {column + 1})" : "";
            return new AuthReading(null, "is not JSON" + place, IsIncomplete: true);
        }
        catch (InvalidOperationException)
        {
            return new AuthReading(null, "holds text that is not Unicode");
        }
        catch (FormatException failure)
        {
            return new AuthReading(null, failure.Message);
        }
    }

    /// <summary>The content as an editor needs it.</summary>
    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> bytes) => bytes.Span.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;

    private static AuthReading Detect(string type, JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Array) return KiroFields.ReadList(type, root);
        if (root.ValueKind != JsonValueKind.Object) return new AuthReading(null, "is not a sign-in: its JSON is neither an object nor a list");
        AuthLayout? layout = Official(type, root) ?? ByTypeMember(root) ?? ByShape(type, root);
        if (layout is not null) return Checked(type, layout, root);
        if (HoldsApiKey(root)) return new AuthReading(null, "holds an OpenAI API key and no sign-in: give the key as token of an upstream with api_type responses");
        return new AuthReading(null, $"holds no sign-in in a known format; sign in with: aiproxy login {type}");
    }

    private static AuthReading Checked(string type, AuthLayout layout, JsonElement root)
    {
        if (layout.Type != type) return new AuthReading(null, $"holds a sign-in for {layout.Type} ({layout.Name}), but its upstream has api_type {type}");
        if (layout == AuthLayout.CodexOfficial && JsonMember.Text(root, "auth_mode") is { } mode && mode.Replace("_", "").Equals("apikey", StringComparison.OrdinalIgnoreCase))
        {
            return new AuthReading(null, "is set to API key mode (auth_mode): give the key as token of an upstream with api_type responses, or run: aiproxy login codex");
        }

        AuthFile file = AuthFields.Read(layout, root, []);
        return file.AccessToken.Length == 0 && file.RefreshToken is null
            ? new AuthReading(null, $"holds no tokens ({layout.Name}); sign in with: aiproxy login {type}")
            : new AuthReading(file, null);
    }

    /// <summary>Official files of codex and claudecode: they may carry an API key or a type beside.</summary>
    private static AuthLayout? Official(string type, JsonElement root)
    {
        if (JsonMember.Object(root, "claudeAiOauth") is not null) return AuthLayout.ClaudeOfficial;
        if (JsonMember.Object(root, "tokens") is not { } tokens) return null;
        bool isNamed = tokens.TryGetProperty("id_token", out _) || tokens.TryGetProperty("account_id", out _) || type == "codex";
        return isNamed && tokens.TryGetProperty("access_token", out _) ? AuthLayout.CodexOfficial : null;
    }

    private static bool HoldsApiKey(JsonElement root) => JsonMember.Text(root, "OPENAI_API_KEY") is not null && JsonMember.Object(root, "tokens") is null;

    private static AuthLayout? ByTypeMember(JsonElement root)
    {
        if (HoldsApiKey(root)) return null;
        bool isNested = JsonMember.Object(root, "token") is not null;
        return JsonMember.Text(root, "type") switch
        {
            "codex" => AuthLayout.CodexFlat,
            "claude" or "claudecode" => AuthLayout.ClaudeFlat,
            "gemini" or "geminicli" => isNested ? AuthLayout.GeminiNested : AuthLayout.GeminiFlat,
            "antigravity" => isNested ? AuthLayout.AntigravityOfficial : AuthLayout.AntigravityFlat,
            "kiro" => KiroFields.FlatLayout(root),
            _ => null,
        };
    }

    private static AuthLayout? ByShape(string type, JsonElement root)
    {
        if (HoldsApiKey(root)) return null;
        if (KiroFields.IsCamelCase(type, root)) return AuthLayout.KiroOfficial;
        if (JsonMember.Object(root, "token") is { } token)
        {
            if (token.TryGetProperty("access_token", out _) && root.TryGetProperty("auth_method", out _)) return AuthLayout.AntigravityOfficial;
            if (token.TryGetProperty("refresh_token", out _) && token.TryGetProperty("token_uri", out _)) return AuthLayout.GeminiNested;
        }

        if (JsonMember.Text(root, "type") == "authorized_user") return AuthLayout.GoogleUser;
        if (!root.TryGetProperty("access_token", out JsonElement access)) return null;
        // Gemini CLI's own file; antigravity's sign-in is of the same make.
        if (root.TryGetProperty("expiry_date", out _)) return type == "antigravity" ? AuthLayout.AntigravityAsGemini : AuthLayout.GeminiOfficial;
        return access.ValueKind == JsonValueKind.String ? AuthLayout.FlatOf(type) : null;
    }
}
