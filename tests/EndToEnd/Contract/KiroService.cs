using System.Text.Json;
using Aiproxy.Tests.EventStream;
using Aiproxy.Tests.Protocols.Kiro;
using static Aiproxy.Tests.EndToEnd.JsonLook;

namespace Aiproxy.Tests.EndToEnd.Contract;

/// <summary>Kiro's service for all kinds of sign-in: its own dialect in AWS frames, in streams alone.</summary>
public sealed class KiroService : IModelService
{
    public string ContentType => "application/vnd.amazon.eventstream";

    public long InputTokens => 11;

    public bool IsStream(RecordedRequest request) => true;

    public string? Broken(RecordedRequest request, FakeProviderGrant? grant)
    {
        if (request.Method != "POST" || request.Target != "/kiro/generateAssistantResponse") return $"no such path: {request.Method} {request.Target}";
        if (request.Header("x-api-key") is not null) return "an API key is sent";
        if (request.Header("x-amzn-codewhisperer-optout") != "true") return "x-amzn-codewhisperer-optout";
        if (request.Header("TokenType") is not null) return "TokenType: Access denied";
        if (request.Header("Content-Type")?.StartsWith("application/json", StringComparison.Ordinal) != true) return "Content-Type";
        JsonElement body = JsonDocument.Parse(request.Text).RootElement;
        string? profile = Text(request.Text, "profileArn");
        if (grant?.Method == "builder-id" && profile is not null) return "profileArn: AccessDenied";
        if (grant is { Method: not "builder-id" } && profile != grant.Account.ProfileArn) return $"profileArn: {profile}";
        try
        {
            KiroRules.Check(body);
            return null;
        }
        catch (Xunit.Sdk.XunitException broken)
        {
            return broken.Message;
        }
    }

    public FakeAnswer Refuse(string rule) => Told(400, "Improperly formed request.", null);

    public FakeAnswer Unauthorized(string words) => Told(403, "The bearer token included in the request is invalid.", null);

    public FakeAnswer Error(Saying saying, string words) => saying switch
    {
        Saying.Limited => FakeAnswer.Json(429, $$"""{"message":{{Quote("Too many requests. " + words)}},"reason":null}""", ("x-amzn-ErrorType", "ThrottlingException")),
        Saying.Quota => Told(402, "You have reached the limit. " + words, "MONTHLY_REQUEST_COUNT"),
        Saying.Overloaded => Told(429, "I am experiencing high traffic. " + words, "INSUFFICIENT_MODEL_CAPACITY"),
        Saying.TooLong => Told(400, "Input is too long. " + words, "CONTENT_LENGTH_EXCEEDS_THRESHOLD"),
        Saying.Forbidden => Told(403, "Your account temporarily is suspended. " + words, "TEMPORARILY_SUSPENDED"),
        Saying.UnknownModel => Told(400, "Invalid model. " + words, "INVALID_MODEL_ID"),
        _ => Told(400, "Improperly formed request. " + words, null),
    };

    public ServiceStream Stream(Saying saying, RecordedRequest request) => new(
        [AwsFrameWriter.Event("initial-response", """{"conversationId":"fake"}""")],
        saying switch
        {
            Saying.Tool =>
            [
                AwsFrameWriter.Event("toolUseEvent", """{"toolUseId":"tooluse_1","name":"get_weather"}"""),
                AwsFrameWriter.Event("toolUseEvent", """{"toolUseId":"tooluse_1","name":"get_weather","input":"{\"city\": \"Os"}"""),
                AwsFrameWriter.Event("toolUseEvent", """{"toolUseId":"tooluse_1","name":"get_weather","input":"lo\", \"unit\": \"c\"}"}"""),
                AwsFrameWriter.Event("toolUseEvent", """{"toolUseId":"tooluse_1","name":"get_weather","stop":true}"""),
            ],
            Saying.Thinking =>
            [
                AwsFrameWriter.Event("reasoningContentEvent", """{"text":"I think."}"""),
                AwsFrameWriter.Event("reasoningContentEvent", """{"signature":"c2ln"}"""),
                AwsFrameWriter.Event("assistantResponseEvent", """{"content":"So it is."}"""),
            ],
            _ => [.. new[] { "One", " two", " three", " four" }.Select(word => AwsFrameWriter.Event("assistantResponseEvent", $$"""{"content":"{{word}}","modelId":"claude-sonnet-4.6"}"""))],
        },
        [
            AwsFrameWriter.Event("metadataEvent", """{"tokenUsage":{"uncachedInputTokens":8,"outputTokens":5,"totalTokens":16,"cacheReadInputTokens":3,"cacheWriteInputTokens":0}}"""),
            AwsFrameWriter.Event("meteringEvent", """{"usage":0.05,"unit":"credit","unitPlural":"credits"}"""),
        ]);

    public string? Whole(Saying saying, RecordedRequest request) => null;

    public byte[] ErrorFrame(string words) => AwsFrameWriter.Exception("throttlingException", $$"""{"message":{{Quote(words)}}}""");

    private static FakeAnswer Told(int status, string message, string? reason) =>
        FakeAnswer.Json(status, $$"""{"message":{{Quote(message)}},"reason":{{(reason is null ? "null" : Quote(reason))}}}""", ("x-amzn-RequestId", "fake-request"));
}
