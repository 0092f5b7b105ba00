using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text.RegularExpressions;
using Aiproxy.EventStream;
using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Codex;

/// <summary>The Responses wire of Codex: a stricter body, an account header, and a stream that leaves the output out of its last event.</summary>
public sealed partial class CodexWire : IUpstreamWire
{
    // The provider names one at a time; a handful is all that a release brings.
    private const int MostRemembered = 64;

    private static readonly TimeSpan ShortWait = TimeSpan.FromSeconds(3);

    private readonly CodexAccount _account = new();

    /// <summary>Parameters that were refused here before, since the process began.</summary>
    private readonly ConcurrentDictionary<string, bool> _refused = new(StringComparer.Ordinal);

    public IProviderAccount? Account => _account;

    public ValueTask<Preparation> PrepareAsync(UpstreamTarget target, ProviderCall call, CancellationToken cancellationToken) => new(new Preparation(target));

    public IReadOnlyList<ReadOnlyMemory<byte>> Body(WireRequest request, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        if (request.Mend?.Without is { } without && _refused.Count < MostRemembered) _refused.TryAdd(without, true);
        // The call that shortens a history has fewer members, and Codex itself writes it.
        if (request.Exchange.Head.Target.Operation != Operation.Generate) return body;

        var edit = new CodexBody(request.Mend is { DropsProofs: true } && request.Forwards, name => _refused.ContainsKey(name) || name == request.Mend?.Without, Session(request));
        byte[] edited = edit.Apply(WireBody.Whole(body).Span);
        request.ClientNames = edit.ClientNames;
        return [edited];
    }

    public void SetHeaders(HttpRequestMessage message, WireRequest request)
    {
        bool isOwn = request.Forwards && request.Exchange.ToolHeaders.Any(static header =>
            header.Key.Equals("user-agent", StringComparison.OrdinalIgnoreCase) && header.Value.StartsWith("codex", StringComparison.OrdinalIgnoreCase));
        if (isOwn) Set(message, "User-Agent", request.Exchange.ToolHeaders.First(static header => header.Key.Equals("user-agent", StringComparison.OrdinalIgnoreCase)).Value);
        if (request.Target.Config.Quirks.TryGetValue("originator", out string? originator)) Set(message, "originator", originator);
        else if (!isOwn || !message.Headers.Contains("originator")) Set(message, "originator", CodexFacts.Originator);
        if (request.Exchange.Head.Target.Operation == Operation.Generate) Set(message, "Accept", "text/event-stream");
    }

    public IFrameReader OpenFrames(PipeReader body, bool isArray, WireRequest request) =>
        new CodexFrames(new SseReader(body, AnswerDelivery.MaxEventBytes), request.ClientNames);

    public ReadOnlyMemory<byte> OpenWhole(ReadOnlyMemory<byte> body, WireRequest request) => body;

    public Outcome? Judge(Refusal refusal) => CodexJudgement.Of(refusal);

    public Mend? MendOf(Refusal refusal, WireRequest request)
    {
        string message = refusal.Error.Message;
        // "{"detail":"Unsupported parameter: <name>"}: delete it, retry once on the same credential"
        if (refusal.Status == 400 && Unsupported().Match(message) is { Success: true } match) return new Mend { Without = match.Groups[1].Value };
        if (refusal.Status == 400 && request.Forwards && (refusal.Error.Code == "invalid_encrypted_content" || message.Contains("encrypted content", StringComparison.OrdinalIgnoreCase)))
            return new Mend { DropsProofs = true };
        bool isShort = refusal.Status == 429 && CodexJudgement.IsPerMinute(refusal) && refusal.Error.RetryAfter is { } wait && wait <= ShortWait;
        return isShort ? new Mend { Wait = refusal.Error.RetryAfter!.Value } : null;
    }

    // "set from the session id when the client gave none"
    private static string? Session(WireRequest request)
    {
        foreach ((string name, string value) in request.Exchange.Headers)
            if (name.ToLowerInvariant() is "session-id" or "session_id" or "x-claude-code-session-id" && value.Length is > 0 and <= CodexFacts.MostNameChars) return value;
        return null;
    }

    private static void Set(HttpRequestMessage message, string name, string value)
    {
        message.Headers.Remove(name);
        message.Headers.TryAddWithoutValidation(name, value);
    }

    [GeneratedRegex(@"^Unsupported parameter: '?([A-Za-z0-9_]{1,64})'?", RegexOptions.CultureInvariant)]
    private static partial Regex Unsupported();
}
