using System.Text.Json;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>What <c>loadCodeAssist</c> tells of an account. Every member may be missing or null.</summary>
/// <param name="Project">The project that the account is bound to; null: none yet.</param>
/// <param name="HasTier">The account was taken in before.</param>
/// <param name="Plan">Name of the paid tier, else of the current one; null: not told.</param>
/// <param name="Refusals">Why tiers are closed to the account, in the provider's words.</param>
/// <param name="ValidationUrl">Where the owner must prove something first; null: nowhere.</param>
public sealed record CodeAssistAnswer(string? Project, bool HasTier, string? Plan, IReadOnlyList<string> Refusals, Uri? ValidationUrl)
{
    /// <exception cref="JsonException">No JSON object.</exception>
    public static CodeAssistAnswer Read(ReadOnlyMemory<byte> body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object) throw new JsonException("the answer is no object");
        JsonElement? current = Object(root, "currentTier"), paid = Object(root, "paidTier");
        Uri? validation = null;
        if (root.TryGetProperty("ineligibleTiers", out JsonElement tiers) && tiers.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement tier in tiers.EnumerateArray())
                if (AccountJson.String(tier, "reasonCode") == "VALIDATION_REQUIRED" && Uri.TryCreate(AccountJson.String(tier, "validationUrl"), UriKind.Absolute, out Uri? url)) validation ??= url;
        }
        return new CodeAssistAnswer(
            ProjectOf(root), current is not null, Name(paid) ?? Name(current),
            [.. AccountJson.Strings(root, "ineligibleTiers", "reasonMessage").Select(ErrorText.Redact).Distinct()], validation);
    }

    // Some accounts are told an object in place of the id.
    private static string? ProjectOf(JsonElement root) =>
        AccountJson.String(root, "cloudaicompanionProject") ?? (Object(root, "cloudaicompanionProject") is { } project ? AccountJson.String(project, "id") : null);

    private static string? Name(JsonElement? tier) => tier is { } told ? AccountJson.String(told, "name") ?? AccountJson.String(told, "id") : null;

    private static JsonElement? Object(JsonElement root, string member) =>
        root.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.Object ? value : null;
}
