using System.Globalization;

namespace Aiproxy.Upstreams.ClaudeCode;

/// <summary>The <c>anthropic-ratelimit-unified-</c> headers: windows of an account, and of single model families.</summary>
/// <param name="AccountResetsAt">Latest reset among the account's windows that are used up; null: none is, or none says when.</param>
/// <param name="ModelResetsAt">The same of the windows of a model family.</param>
/// <param name="IsRejected">Some window is used up.</param>
/// <param name="IsOfModel">Only a window of a model family is.</param>
public sealed record ClaudeCodeLimits(
    DateTimeOffset? AccountResetsAt, DateTimeOffset? ModelResetsAt, bool IsRejected, bool IsOfModel, IReadOnlyList<QuotaWindow> Windows)
{
    private const string Family = "anthropic-ratelimit-unified-";

    /// <summary>Windows of the whole account; every other one is of a model family.</summary>
    private static readonly string[] OfAccount = ["5h", "7d"];

    public static ClaudeCodeLimits Read(IEnumerable<KeyValuePair<string, string>> headers, DateTimeOffset now)
    {
        var told = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, string value) in headers)
            if (name.StartsWith(Family, StringComparison.OrdinalIgnoreCase)) told.TryAdd(name[Family.Length..], value.Trim());

        DateTimeOffset? account = null, model = null;
        bool isAccount = false, isModel = false;
        var windows = new List<QuotaWindow>();
        foreach (string window in told.Keys.Select(WindowOf).OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal))
        {
            DateTimeOffset? resets = Time(told, window + "-reset", now);
            windows.Add(new QuotaWindow(window, Fraction(told, window + "-utilization") * 100, resets));
            if (!Is(told, window + "-status", "rejected")) continue;
            bool ofAccount = OfAccount.Contains(window, StringComparer.OrdinalIgnoreCase);
            isAccount |= ofAccount;
            isModel |= !ofAccount;
            if (ofAccount) account = Later(account, resets);
            else model = Later(model, resets);
        }
        if (Is(told, "status", "rejected") && !isAccount && !isModel)
        {
            // "seven_day_opus" and the like name a family, "five_hour" and "seven_day" the account.
            bool ofModel = told.GetValueOrDefault("representative-claim") is { } claim && claim.StartsWith("seven_day_", StringComparison.Ordinal);
            (isAccount, isModel) = (!ofModel, ofModel);
            if (ofModel) model = Time(told, "reset", now);
            else account = Time(told, "reset", now);
        }
        if (isAccount) account ??= Time(told, "reset", now);
        return new ClaudeCodeLimits(account, model, isAccount || isModel, isModel && !isAccount, windows);
    }

    // "5h-status" names the window 5h; "overage-status" is what an account may spend beyond them.
    private static string? WindowOf(string name)
    {
        foreach (string end in (ReadOnlySpan<string>)["-status", "-utilization", "-reset"])
            if (name.EndsWith(end, StringComparison.OrdinalIgnoreCase) && name.Length > end.Length && char.IsAsciiDigit(name[0])) return name[..^end.Length].ToLowerInvariant();
        return null;
    }

    private static bool Is(Dictionary<string, string> told, string name, string value) =>
        told.TryGetValue(name, out string? text) && text.Equals(value, StringComparison.OrdinalIgnoreCase);

    private static double? Fraction(Dictionary<string, string> told, string name) =>
        told.TryGetValue(name, out string? text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) ? value : null;

    private static DateTimeOffset? Time(Dictionary<string, string> told, string name, DateTimeOffset now) =>
        told.TryGetValue(name, out string? text) ? RetryHint.Time(text, now) : null;

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => one is null || other > one ? other ?? one : one;
}
