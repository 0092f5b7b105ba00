using System.Text;
using Aiproxy.Config;

namespace Aiproxy.Upstreams;

/// <summary>Finds the configured rule that a failure falls under.</summary>
public static class ErrorRuleMatch
{
    /// <summary>The first rule that fits in every respect it names, or null.</summary>
    /// <param name="status">Status of the HTTP answer.</param>
    /// <param name="toldStatus">Status that an error told inside a 200 stands for; the same as <paramref name="status"/> elsewhere.</param>
    /// <param name="headers">Response headers; a repeated name is a repeated pair.</param>
    public static ErrorRule? First(
        IReadOnlyList<ErrorRule> rules, int status, int toldStatus, IEnumerable<KeyValuePair<string, string>> headers, ReadOnlySpan<byte> body)
    {
        string? text = null;
        foreach (ErrorRule rule in rules)
        {
            if (rule.Statuses.Count > 0 && !rule.Statuses.Contains(status) && !rule.Statuses.Contains(toldStatus)) continue;
            if (rule.Header is { } header && !Carries(headers, header)) continue;
            if (rule.BodyContains is { } wanted && !(text ??= Encoding.UTF8.GetString(body)).Contains(wanted, StringComparison.OrdinalIgnoreCase)) continue;
            return rule;
        }

        return null;
    }

    private static bool Carries(IEnumerable<KeyValuePair<string, string>> headers, string wanted)
    {
        int colon = wanted.IndexOf(':');
        ReadOnlySpan<char> name = (colon < 0 ? wanted : wanted.AsSpan(0, colon)).Trim();
        ReadOnlySpan<char> value = colon < 0 ? [] : wanted.AsSpan(colon + 1).Trim();
        foreach (KeyValuePair<string, string> header in headers)
        {
            if (!name.Equals(header.Key, StringComparison.OrdinalIgnoreCase)) continue;
            if (colon < 0 || value.Equals(header.Value.AsSpan().Trim(), StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }
}
