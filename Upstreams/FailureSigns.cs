using System.Text.RegularExpressions;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>What an error answer says beyond its status. Only codes that several providers share; a provider's own belong to its upstream type.</summary>
/// <param name="IsQuota">The account's money or plan is used up.</param>
/// <param name="IsCredential">The credential is not accepted.</param>
/// <param name="IsUnknownModel">The upstream does not have the model, or not for this account.</param>
/// <param name="IsCapacity">The model is short of machines; the credential is not to blame.</param>
public readonly partial record struct FailureSigns(bool IsQuota, bool IsCredential, bool IsUnknownModel, bool IsCapacity)
{
    public static FailureSigns Read(int status, ProxyError error, ReadOnlySpan<byte> body) => status switch
    {
        401 => new(false, true, false, false),
        402 => new(true, false, false, false),
        403 => IsQuotaError(error, body) ? new(true, false, false, false) : new(false, true, false, false),
        404 => new(false, false, true, false),
        400 => new(
            IsQuotaError(error, body),
            // Google answers a wrong API key with 400.
            error.Kind is ErrorKind.UpstreamAuth or ErrorKind.ClientAuth or ErrorKind.ClientAuthMissing || Holds(body, "\"API_KEY_INVALID\""u8),
            error.Kind == ErrorKind.NotFound || error.Code is "model_not_found" || Holds(body, "\"model_not_found\""u8),
            false),
        429 => new(IsQuotaError(error, body), false, false, IsCapacityError(body)),
        _ => default,
    };

    /// <summary>A limit is one of the model that was asked for, not of the whole account.</summary>
    /// <param name="model">The upstream's name.</param>
    public static bool NamesModel(string message, ReadOnlySpan<byte> body, string model)
    {
        // Google's quotas have it in their names.
        if (Holds(body, "PerModel"u8) || Holds(body, "per_model"u8)) return true;
        foreach (Range range in Words().EnumerateSplits(message))
        {
            ReadOnlySpan<char> word = message.AsSpan(range).Trim(".:");
            // A limit of dated models bears the name without the date; a word without digit or dash is a word.
            bool isName = word.Length >= 3 && word.ContainsAny("-0123456789") && !long.TryParse(word, out _);
            if (isName && model.AsSpan().StartsWith(word, StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }

    [GeneratedRegex("[^A-Za-z0-9._:/-]+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    private static bool IsQuotaError(ProxyError error, ReadOnlySpan<byte> body) =>
        error.Kind == ErrorKind.Quota
        || error.Code is "insufficient_quota" or "billing_error" or "billing_hard_limit_reached" or "billing_not_active"
        || Holds(body, "\"insufficient_quota\""u8) || Holds(body, "\"billing_error\""u8)
        || Holds(body, "\"billing_hard_limit_reached\""u8) || Holds(body, "\"billing_not_active\""u8)
        // Anthropic tells an empty account as an invalid request, in words only.
        || error.Message.StartsWith("Your credit balance is too low", StringComparison.OrdinalIgnoreCase);

    private static bool IsCapacityError(ReadOnlySpan<byte> body) =>
        Holds(body, "\"MODEL_CAPACITY_EXHAUSTED\""u8) || Holds(body, "\"MODEL_CAPACITY_EXCEEDED\""u8)
        || Holds(body, "\"INSUFFICIENT_MODEL_CAPACITY\""u8) || Holds(body, "model is at capacity"u8);

    /// <summary>Codes are looked for with their quotes: in an echo of the prompt the quotes are escaped.</summary>
    private static bool Holds(ReadOnlySpan<byte> body, ReadOnlySpan<byte> code) => body.IndexOf(code) >= 0;
}
