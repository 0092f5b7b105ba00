using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Aiproxy.Config;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Gemini;

namespace Aiproxy.Upstreams.Google;

/// <summary>Google Code Assist as Gemini CLI asks it: Gemini's dialect in an envelope, booked on a project.</summary>
public sealed class GeminiCliWire : IUpstreamWire
{
    private readonly ProjectDiscovery _discovery;
    private readonly CodeAssistJudgement _judgement = new("geminicli");
    private readonly CodeAssistMends _mends;

    /// <param name="environment">Reads an environment variable.</param>
    public GeminiCliWire(TimeProvider clock, Func<string, string?> environment)
    {
        _discovery = new ProjectDiscovery("geminicli", clock, environment);
        _mends = new CodeAssistMends(_judgement, isAntigravity: false);
        Account = new GeminiCliAccount((config, credential, call, cancellationToken) =>
            _discovery.FindAsync(config, credential, HostOf(config), call, cancellationToken));
    }

    public IProviderAccount? Account { get; }

    public async ValueTask<Preparation> PrepareAsync(UpstreamTarget target, ProviderCall call, CancellationToken cancellationToken)
    {
        if (target.Credential is null) return new Preparation(target);
        ProjectFinding found = await _discovery.FindAsync(target.Config, target.Credential, HostOf(target.Config), call, cancellationToken).ConfigureAwait(false);
        return new Preparation(target with { Credential = target.Credential with { Project = found.Project } }, found.Failure);
    }

    public IReadOnlyList<ReadOnlyMemory<byte>> Body(WireRequest request, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        string name = GeminiPath.Model(request.Target.Model);
        var model = new GoogleModel(name, IsAntigravity: false);
        bool counts = request.Exchange.Head.Target.Operation == Operation.CountTokens;
        return SentBody.Of(request, body, model, null, counts ? (writer, rewrite) => WriteCount(writer, rewrite, name) : (writer, rewrite) => WriteCall(writer, rewrite, request, name));
    }

    public void SetHeaders(HttpRequestMessage message, WireRequest request) => CodeAssist.SetHeaders(message, request, GoogleFacts.GeminiCliAgent);

    public IFrameReader OpenFrames(PipeReader body, bool isArray, WireRequest request) => new GoogleEnvelope(
        isArray ? new JsonArrayReader(body, AnswerDelivery.MaxEventBytes) : new SseReader(body, AnswerDelivery.MaxEventBytes), Opening(request));

    public ReadOnlyMemory<byte> OpenWhole(ReadOnlyMemory<byte> body, WireRequest request) =>
        request.Exchange.Head.Target.Operation == Operation.CountTokens ? CountAnswer.Complete(body) : Opening(request).Whole(body);

    public Outcome? Judge(Refusal refusal) => _judgement.Of(refusal);

    public Mend? MendOf(Refusal refusal, WireRequest request) => _mends.Of(refusal, request);

    private static EnvelopeOpening Opening(WireRequest request) => new(request.ClientNames, request.ArgumentCuts, null);

    private static void WriteCall(Utf8JsonWriter writer, RequestRewrite rewrite, WireRequest request, string model)
    {
        writer.WriteString("model"u8, model);
        if (request.Target.Credential?.Project is { Length: > 0 } project) writer.WriteString("project"u8, project);
        writer.WriteString("user_prompt_id"u8, request.Exchange.RequestId);
        writer.WriteStartObject("request"u8);
        rewrite.WriteMembers(writer);
        writer.WriteString("session_id"u8, rewrite.SessionId ?? Conversation(rewrite.History.FirstUserText));
        writer.WriteEndObject();
    }

    /// <summary>"no project, no top-level model, no generationConfig, safetySettings, tools"</summary>
    private static void WriteCount(Utf8JsonWriter writer, RequestRewrite rewrite, string model)
    {
        writer.WriteStartObject("request"u8);
        writer.WriteString("model"u8, "models/" + model);
        rewrite.WriteCounted(writer, contentsAlone: true);
        writer.WriteEndObject();
    }

    // The same for all turns of a conversation; tells nothing of it.
    private static string Conversation(string firstText) => new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(firstText)).AsSpan(0, 16)).ToString();

    private static Uri HostOf(UpstreamConfig config) => config.BaseUrls.Count > 0 ? config.BaseUrls[0] : GoogleFacts.Production;
}
