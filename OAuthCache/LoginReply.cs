using System.Text.Json;

namespace Aiproxy.OAuthCache;

/// <summary>A provider's answer to one call of a sign-in.</summary>
public sealed class LoginReply
{
    /// <summary>Whom we asked.</summary>
    public required string Host { get; init; }

    /// <summary>HTTP; 0: no whole answer came.</summary>
    public required int Status { get; init; }

    /// <summary>Of <see cref="Status"/> 0: why, in a few words.</summary>
    public string? Fault { get; init; }

    /// <summary>Undefined where the body is no JSON object.</summary>
    public JsonElement Body { get; init; }

    /// <summary>2xx with a JSON object.</summary>
    public bool IsFine => Status is >= 200 and < 300 && Body.ValueKind == JsonValueKind.Object;

    /// <summary>Worth another try: no answer, 429 or 5xx.</summary>
    public bool IsPassing => Status is 0 or 429 or >= 500;

    /// <summary>The string at a path of members; null where there is none, or an empty one.</summary>
    public string? Text(params ReadOnlySpan<string> path) => path.Length > 0 && At(path[..^1]) is { } holder ? JwtClaims.Text(holder, path[^1]) : null;

    /// <summary>A whole number, written as one or as a string.</summary>
    public long? Number(string name) => JsonMember.Number(Body, name) is { } number && Math.Abs(number) < 1e15 ? (long)number : null;

    public JsonElement? At(params ReadOnlySpan<string> path)
    {
        JsonElement element = Body;
        foreach (string name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element)) return null;
        }
        return element.ValueKind == JsonValueKind.Undefined ? null : element;
    }

    /// <summary>The provider's own word for what went wrong, such as <c>invalid_grant</c>.</summary>
    public string? Error => Text("error") ?? Text("error", "code") ?? Text("error", "status") ?? Text("error", "type") ?? Text("code") ?? Text("reason") ?? Text("__type");

    /// <summary>What to tell the user of an answer that is of no use.</summary>
    /// <param name="what">What was asked for.</param>
    public LoginProblem Refusal(string what)
    {
        if (Status == 0) return new LoginProblem($"{what} failed: {Host}: {Fault}");
        if (IsFine && Error is null) return new LoginProblem($"{what} failed: {Host} answered {Status} without what was asked for");
        string told = string.Join(": ", ((string?[])[Error, Text("error_description") ?? Text("error", "message") ?? Text("message") ?? Text("detail")]).OfType<string>());
        string words = told.Length > 0 ? LoginText.Line(told) : Body.ValueKind == JsonValueKind.Object ? "without a reason" : "with something that is not JSON";
        return new LoginProblem($"{what} failed: {Host} answered {Status} {words}");
    }

    public override string ToString() => $"{Host} {Status}";
}
