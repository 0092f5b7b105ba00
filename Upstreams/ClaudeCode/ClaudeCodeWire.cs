using System.IO.Pipelines;
using System.Text;
using System.Text.RegularExpressions;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Upstreams.ClaudeCode;

/// <summary>The ordinary Messages wire with a merged beta header and, where the configuration says so, the opening system block.</summary>
/// <remarks>A body of Claude Code itself goes on byte for byte but for the model: its prompt caches depend on that.</remarks>
public sealed partial class ClaudeCodeWire : IUpstreamWire
{
    private static readonly byte[] PrefixBlock = Encoding.UTF8.GetBytes("{\"type\":\"text\",\"text\":\"" + ClaudeCodeFacts.SystemPrefix + "\"}");

    private readonly ClaudeCodeAccount _account = new();

    public IProviderAccount? Account => _account;

    public ValueTask<Preparation> PrepareAsync(UpstreamTarget target, ProviderCall call, CancellationToken cancellationToken) =>
        new(new Preparation(WantsLongContext(target.Model) ? target with { Model = target.Model[..^ClaudeCodeFacts.LongContextSuffix.Length] } : target));

    public IReadOnlyList<ReadOnlyMemory<byte>> Body(WireRequest request, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        List<string> betas = [];
        ReadOnlyMemory<byte> whole = default;
        if (request.Forwards && request.Exchange.Body.Span.IndexOf("\"betas\""u8) >= 0)
        {
            whole = WireBody.Whole(body);
            // Named in the body by SDKs; the wire knows only the header.
            Change taken = Member(whole.Span, "betas", list =>
            {
                AddStrings(list, betas);
                return Change.Removed;
            });
            whole = taken.Over(whole.Span);
        }
        request.BodyBetas = betas;
        if (request.Mend is { DropsProofs: true } && request.Forwards) whole = ThinkingCut.Apply((whole.IsEmpty ? WireBody.Whole(body) : whole).Span);
        if (request.Target.Config.SystemPrefix && !IsOwnTool(request)) whole = WithPrefix((whole.IsEmpty ? WireBody.Whole(body) : whole).Span);
        return whole.IsEmpty ? body : [whole];
    }

    public void SetHeaders(HttpRequestMessage message, WireRequest request)
    {
        if (IsOwnTool(request))
        {
            foreach ((string name, string value) in request.Exchange.ToolHeaders)
            {
                message.Headers.Remove(name);
                message.Headers.TryAddWithoutValidation(name, value);
            }
        }
        var betas = new List<string>();
        if (request.Forwards && message.Headers.TryGetValues("anthropic-beta", out IEnumerable<string>? told))
            foreach (string value in told) AddEach(value, betas);
        if (!request.Forwards) betas.AddRange(ClaudeCodeFacts.TranslatedBetas);
        foreach (string beta in request.BodyBetas) Add(beta, betas);
        if (request.Target.Config.Quirks.TryGetValue("extra_betas", out string? extra)) AddEach(extra, betas);
        if (WantsLongContext(request.Exchange.UpstreamModel ?? "")) Add(ClaudeCodeFacts.LongContextBeta, betas);
        if (request.Exchange.Head.Target.Operation == Operation.CountTokens) Add(ClaudeCodeFacts.TokenCountBeta, betas);
        Add(ClaudeCodeFacts.OAuthBeta, betas);
        if (request.Mend?.Without is { } unwanted) betas.RemoveAll(beta => unwanted.Split(',').Contains(beta));
        message.Headers.Remove("anthropic-beta");
        message.Headers.TryAddWithoutValidation("anthropic-beta", string.Join(',', betas));
    }

    public IFrameReader OpenFrames(PipeReader body, bool isArray, WireRequest request) => new SseReader(body, AnswerDelivery.MaxEventBytes);

    public ReadOnlyMemory<byte> OpenWhole(ReadOnlyMemory<byte> body, WireRequest request) => body;

    public Outcome? Judge(Refusal refusal) => ClaudeCodeJudgement.Of(refusal);

    public Mend? MendOf(Refusal refusal, WireRequest request)
    {
        if (refusal.Status is not (400 or 429)) return null;
        string message = refusal.Error.Message;
        if (message.Contains("anthropic-beta", StringComparison.Ordinal) && UnexpectedBetas(message) is { Length: > 0 } unexpected) return new Mend { Without = unexpected };
        if (message.Contains("Extra usage is required for long context", StringComparison.OrdinalIgnoreCase) && WantsLongContext(request.Exchange.UpstreamModel ?? ""))
            return new Mend { Without = ClaudeCodeFacts.LongContextBeta };
        // The translating lane has its own second try.
        return request.Forwards && refusal.Status == 400 && InvalidSignature().IsMatch(message) ? new Mend { DropsProofs = true } : null;
    }

    // By the name in its User-Agent, which is what the provider goes by, too.
    private static bool IsOwnTool(WireRequest request) =>
        request.Forwards && request.Exchange.ToolHeaders.Any(static header =>
            header.Key.Equals("user-agent", StringComparison.OrdinalIgnoreCase) && header.Value.StartsWith("claude-cli/", StringComparison.Ordinal));

    private static bool WantsLongContext(string model) => model.EndsWith(ClaudeCodeFacts.LongContextSuffix, StringComparison.Ordinal);

    /// <summary>"absent: array with that block; a string: [prefix, {text}]; an array not starting with it: insert at 0"</summary>
    private static byte[] WithPrefix(ReadOnlySpan<byte> body)
    {
        bool isThere = false;
        Change change = Member(body, "system", system =>
        {
            isThere = true;
            return system[0] switch
            {
                (byte)'"' when system.Length == 2 => Change.To([(byte)'[', .. PrefixBlock, (byte)']']),
                (byte)'"' => Change.To([(byte)'[', .. PrefixBlock, .. ",{\"type\":\"text\",\"text\":"u8, .. system, .. "}]"u8]),
                (byte)'[' => BeginsWithPrefix(system) ? default : Change.To([(byte)'[', .. PrefixBlock, .. IsEmptyArray(system) ? ""u8 : ","u8, .. system[1..]]),
                _ => Change.To([(byte)'[', .. PrefixBlock, (byte)']']),
            };
        });
        return isThere ? change.Over(body) : With(body, "system", (byte[])[(byte)'[', .. PrefixBlock, (byte)']']);
    }

    private static bool IsEmptyArray(ReadOnlySpan<byte> array) => array[1..].TrimStart(" \t\r\n"u8)[0] == (byte)']';

    private static bool BeginsWithPrefix(ReadOnlySpan<byte> system)
    {
        var blocks = new JsonScan(system);
        if (!blocks.Next() || blocks.Kind != System.Text.Json.JsonTokenType.StartObject) return false;
        var members = new JsonScan(blocks.Value);
        while (members.Next())
            if (members.Is("text"u8) && members.IsString && RawJson.Decode(members.Value) == ClaudeCodeFacts.SystemPrefix) return true;
        return false;
    }

    private static void AddStrings(ReadOnlySpan<byte> list, List<string> betas)
    {
        var items = new JsonScan(list);
        while (items.Next())
            if (items.IsString) AddEach(RawJson.Decode(items.Value), betas);
    }

    private static void AddEach(string list, List<string> betas)
    {
        foreach (string beta in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)) Add(beta, betas);
    }

    private static void Add(string beta, List<string> betas)
    {
        // What a header cannot carry came out of a body.
        if (!betas.Contains(beta) && !beta.AsSpan().ContainsAnyExceptInRange('!', '~')) betas.Add(beta);
    }

    private static string UnexpectedBetas(string message) => string.Join(',', Quoted().Matches(message).Select(static match => match.Groups[1].Value).Where(static name => name != "anthropic-beta"));

    [GeneratedRegex("`([^`]+)`", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    [GeneratedRegex("invalid.{0,3}signature.{0,3} in .{0,3}thinking", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex InvalidSignature();
}
