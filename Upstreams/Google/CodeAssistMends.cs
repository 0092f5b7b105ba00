using System.Text;
using System.Text.RegularExpressions;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Google;

/// <summary>The one thing to try within a visit after a refusal of Code Assist.</summary>
public sealed partial class CodeAssistMends(CodeAssistJudgement judgement, bool isAntigravity)
{
    // "delay < 3 s: wait (delay + ~1 s), same credential, once"
    private static readonly TimeSpan WorthWaiting = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(1);

    /// <summary>null: none.</summary>
    public Mend? Of(Refusal refusal, WireRequest request)
    {
        bool isFirst = request.Mend is null;
        if (refusal.Operation != Protocols.Operation.Generate) return null;
        // The translating lane has its own second try.
        if (refusal.Status == 400) return isFirst && request.Forwards && Signature().IsMatch(refusal.Error.Message) ? new Mend { DropsProofs = true } : null;
        if (isAntigravity && IsEmptyAnswer(refusal)) return isFirst ? new Mend() : null;

        CodeAssistError told = CodeAssistJudgement.Told(refusal);
        if (refusal.Status is 429 or 503 && CodeAssistJudgement.IsCapacity(told)) return Next();
        if (refusal.Status == 404) return Next();
        if (refusal.Status != 429 || told.IsDaily) return null;
        if (told.Reason == "RATE_LIMIT_EXCEEDED" && told.Delay(refusal.Now) is { } delay && judgement.IsShort(delay))
            return delay < WorthWaiting && isFirst ? new Mend { Wait = delay + Margin } : Next();
        // "soft: up to 3 tries 0.5–3 s": here, here again, at the next host.
        if (isAntigravity && !told.HasDetails && told.Delay(refusal.Now) is null) return isFirst ? new Mend { Wait = Margin } : Next();
        return null;
    }

    private Mend? Next() => isAntigravity ? new Mend { NextHost = true } : null;

    // "200 with an empty stream / no candidate: transient, retry once". Such a failure is told in the reader's words, which stand for the body.
    private static bool IsEmptyAnswer(Refusal refusal) =>
        refusal.Error.Kind == ErrorKind.BadGateway && refusal.Body.Span.SequenceEqual(Encoding.UTF8.GetBytes(refusal.Error.Message));

    [GeneratedRegex("thought.?signature|invalid.{0,3}signature", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Signature();
}
