using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams.Google;

/// <summary>Google Code Assist as Antigravity asks it: several hosts, several families of models, all in Gemini's dialect.</summary>
public sealed class AntigravityWire : IUpstreamWire
{
    private readonly TimeProvider _clock;
    private readonly ProjectDiscovery _discovery;
    private readonly ClaudeSignatures _signatures;
    private readonly CodeAssistJudgement _judgement = new("antigravity");
    private readonly CodeAssistMends _mends;

    public AntigravityWire(TimeProvider clock)
    {
        _clock = clock;
        _discovery = new ProjectDiscovery("antigravity", clock, null);
        _signatures = new ClaudeSignatures(clock);
        _mends = new CodeAssistMends(_judgement, isAntigravity: true);
        Account = new AntigravityAccount((config, credential, call, cancellationToken) =>
            FindAsync(config, credential, call, cancellationToken));
    }

    public IProviderAccount? Account { get; }

    /// <summary>In the order of trying: as configured, else as the auth file says, else the provider's.</summary>
    public static IReadOnlyList<Uri> Hosts(UpstreamConfig config, UpstreamCredential? credential) =>
        config.BaseUrls.Count > 0 ? config.BaseUrls
        : OfFile(credential) is { } own ? [own]
        : GoogleFacts.AntigravityHosts;

    public async ValueTask<Preparation> PrepareAsync(UpstreamTarget target, ProviderCall call, CancellationToken cancellationToken)
    {
        target = target with
        {
            Hosts = Hosts(target.Config, target.Credential),
            MustStream = new GoogleModel(target.Model, IsAntigravity: true).AnswersInStreams,
        };
        if (target.Credential is null) return new Preparation(target);
        if (target.Config.BaseUrls.Count == 0 && target.Credential.SignIn?.BaseUrl is { Length: > 0 } && OfFile(target.Credential) is null)
            return new Preparation(target, Judgement.CredentialRefused(new ProxyError(ErrorKind.UpstreamAuth, "the base_url of the sign-in file is no https URL; tokens are sent to no other")));
        ProjectFinding found = await FindAsync(target.Config, target.Credential, call, cancellationToken).ConfigureAwait(false);
        return new Preparation(target with { Credential = target.Credential with { Project = found.Project } }, found.Failure);
    }

    public IReadOnlyList<ReadOnlyMemory<byte>> Body(WireRequest request, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        var model = new GoogleModel(request.Target.Model, IsAntigravity: true);
        bool counts = request.Exchange.Head.Target.Operation == Operation.CountTokens;
        return SentBody.Of(request, body, model, _signatures, counts ? WriteCount : (writer, rewrite) => WriteCall(writer, rewrite, request, model));
    }

    public void SetHeaders(HttpRequestMessage message, WireRequest request) => CodeAssist.SetHeaders(message, request, GoogleFacts.AntigravityAgent);

    public IFrameReader OpenFrames(PipeReader body, bool isArray, WireRequest request) => new GoogleEnvelope(
        isArray ? new JsonArrayReader(body, AnswerDelivery.MaxEventBytes) : new SseReader(body, AnswerDelivery.MaxEventBytes), Opening(request));

    public ReadOnlyMemory<byte> OpenWhole(ReadOnlyMemory<byte> body, WireRequest request) =>
        request.Exchange.Head.Target.Operation == Operation.CountTokens ? CountAnswer.Complete(body) : Opening(request).Whole(body);

    public Outcome? Judge(Refusal refusal) => _judgement.Of(refusal);

    public Mend? MendOf(Refusal refusal, WireRequest request) => _mends.Of(refusal, request);

    // Claude's signatures go through translations only: a client of this dialect is given what came, and gives it back.
    private EnvelopeOpening Opening(WireRequest request) => new(
        request.ClientNames, request.ArgumentCuts, !request.Forwards && new GoogleModel(request.Target.Model, IsAntigravity: true).IsClaude ? _signatures : null);

    private void WriteCall(Utf8JsonWriter writer, RequestRewrite rewrite, WireRequest request, GoogleModel model)
    {
        string kind = model.IsImage ? "image_gen" : rewrite.IsSearchOnly ? "web_search" : "agent";
        if (request.Target.Credential?.Project is { Length: > 0 } project) writer.WriteString("project"u8, project);
        writer.WriteString("model"u8, model.Name);
        // A member of the envelope, not the header: the provider takes no other word.
        writer.WriteString("userAgent"u8, "antigravity"u8);
        writer.WriteString("requestType"u8, kind);
        if (kind == "agent") writer.WriteString("requestId"u8, "agent-" + Guid.NewGuid());
        else if (kind == "image_gen") writer.WriteString("requestId"u8, string.Create(CultureInfo.InvariantCulture, $"image_gen/{_clock.GetUtcNow().ToUnixTimeMilliseconds()}/{Guid.NewGuid()}/12"));
        writer.WriteStartObject("request"u8);
        rewrite.WriteMembers(writer);
        writer.WriteString("sessionId"u8, Session(rewrite.History.FirstUserText));
        writer.WriteEndObject();
    }

    /// <summary>"envelope without project, model; no safetySettings"</summary>
    private static void WriteCount(Utf8JsonWriter writer, RequestRewrite rewrite)
    {
        writer.WriteStartObject("request"u8);
        rewrite.WriteCounted(writer, contentsAlone: false);
        writer.WriteEndObject();
    }

    /// <summary>"a minus sign and a positive int64 as text": the first 8 bytes of the SHA-256 of the first user text, sign bit cleared.</summary>
    private static string Session(string firstText)
    {
        long number = BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(firstText))) & long.MaxValue;
        return "-" + number.ToString(CultureInfo.InvariantCulture);
    }

    // Projects are told by the production host alone; what replaces the list replaces that, too.
    private ValueTask<ProjectFinding> FindAsync(UpstreamConfig config, UpstreamCredential credential, ProviderCall call, CancellationToken cancellationToken)
    {
        IReadOnlyList<Uri> hosts = Hosts(config, credential);
        return _discovery.FindAsync(config, credential, ReferenceEquals(hosts, GoogleFacts.AntigravityHosts) ? GoogleFacts.Production : hosts[0], call, cancellationToken);
    }

    private static Uri? OfFile(UpstreamCredential? credential) =>
        Uri.TryCreate(credential?.SignIn?.BaseUrl, UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)) ? url : null;
}
