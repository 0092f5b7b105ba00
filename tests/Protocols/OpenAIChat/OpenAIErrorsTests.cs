using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Tests.Protocols.OpenAIChat;

public sealed class OpenAIErrorsTests
{
    [Theory]
    [InlineData(ErrorKind.InvalidRequest, 400, "invalid_request_error", null)]
    [InlineData(ErrorKind.Unsupported, 400, "invalid_request_error", "unsupported_parameter")]
    [InlineData(ErrorKind.ContextTooLong, 400, "invalid_request_error", "context_length_exceeded")]
    [InlineData(ErrorKind.ContentPolicy, 400, "invalid_request_error", "content_policy_violation")]
    [InlineData(ErrorKind.ClientAuth, 401, "invalid_request_error", "invalid_api_key")]
    [InlineData(ErrorKind.ClientAuthMissing, 401, "invalid_request_error", "invalid_api_key")]
    [InlineData(ErrorKind.Permission, 403, "permission_error", null)]
    [InlineData(ErrorKind.NotFound, 404, "invalid_request_error", null)]
    [InlineData(ErrorKind.MethodNotAllowed, 405, "invalid_request_error", null)]
    [InlineData(ErrorKind.Conflict, 409, "invalid_request_error", null)]
    [InlineData(ErrorKind.TooLarge, 413, "invalid_request_error", null)]
    [InlineData(ErrorKind.UnsupportedMedia, 415, "invalid_request_error", null)]
    [InlineData(ErrorKind.RateLimit, 429, "rate_limit_error", "rate_limit_exceeded")]
    [InlineData(ErrorKind.Quota, 429, "insufficient_quota", "insufficient_quota")]
    [InlineData(ErrorKind.UpstreamAuth, 500, "server_error", "upstream_auth")]
    [InlineData(ErrorKind.ServerError, 500, "server_error", null)]
    [InlineData(ErrorKind.BadGateway, 502, "server_error", null)]
    [InlineData(ErrorKind.Overloaded, 503, "server_error", "overloaded")]
    [InlineData(ErrorKind.Unavailable, 503, "server_error", null)]
    [InlineData(ErrorKind.Timeout, 504, "server_error", "timeout")]
    public void Write_HasStatusTypeCode(ErrorKind kind, int status, string type, string? code)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(status, new OpenAIChatProtocol().WriteError(output, new ProxyError(kind, "m \ud800") { Param = "p" }, "req"));
        JsonElement error = JsonDocument.Parse(output.WrittenMemory).RootElement.GetProperty("error");
        Assert.Equal((type, code, "p"), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
    }

    [Theory]
    [InlineData(400, """{"error":{"message":"bad","type":"invalid_request_error","param":"x","code":"invalid_value"}}""", ErrorKind.InvalidRequest)]
    [InlineData(400, """{"error":{"message":"long","code":"context_length_exceeded"}}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":{"message":"This model's maximum context length is 4096 tokens."}}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"object":"error","message":"the request exceeds the available context size","code":400}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":{"message":"Invalid request: Your request exceeded model token limit: 131072","type":"invalid_request_error"}}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":{"code":"1261","message":"Prompt exceeds max length"}}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":{"message":"<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 98304]","code":"invalid_parameter_error"}}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":{"message":"The decoder prompt (length 9000) is longer than the maximum model length of 8192."}}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":{"message":"prompt token count of 140000 exceeds the limit of 128000","code":"model_max_prompt_tokens_exceeded"}}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":{"code":"Arrearage","message":"Access denied"}}""", ErrorKind.Quota)]
    [InlineData(429, """{"error":{"type":"exceeded_current_quota_error","message":"Your account is suspended"}}""", ErrorKind.Quota)]
    [InlineData(400, """{"error":{"code":"data_inspection_failed","message":"Output data may contain inappropriate content."}}""", ErrorKind.ContentPolicy)]
    [InlineData(400, """{"error":{"message":"no","code":"content_policy_violation"}}""", ErrorKind.ContentPolicy)]
    [InlineData(422, """{"detail":[{"msg":"field required"}]}""", ErrorKind.InvalidRequest)]
    [InlineData(401, """{"error":{"message":"Incorrect API key provided"}}""", ErrorKind.UpstreamAuth)]
    [InlineData(402, "{}", ErrorKind.Quota)]
    [InlineData(403, "", ErrorKind.UpstreamAuth)]
    [InlineData(404, """{"error":{"code":"model_not_found"}}""", ErrorKind.NotFound)]
    [InlineData(408, "", ErrorKind.Timeout)]
    [InlineData(409, "", ErrorKind.Conflict)]
    [InlineData(413, "", ErrorKind.TooLarge)]
    [InlineData(429, """{"error":{"code":"rate_limit_exceeded"}}""", ErrorKind.RateLimit)]
    [InlineData(429, """{"error":{"type":"insufficient_quota"}}""", ErrorKind.Quota)]
    [InlineData(429, """[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]""", ErrorKind.RateLimit)]
    [InlineData(500, "null", ErrorKind.ServerError)]
    [InlineData(502, "<html>", ErrorKind.BadGateway)]
    [InlineData(503, "", ErrorKind.Overloaded)]
    [InlineData(529, "", ErrorKind.Overloaded)]
    [InlineData(504, "[]", ErrorKind.Timeout)]
    [InlineData(418, "\"x\"", ErrorKind.InvalidRequest)]
    [InlineData(403, """{"error":{"code":"rate_limit_exceeded"}}""", ErrorKind.RateLimit)]
    [InlineData(429, """{"error":{"message":"too many tokens in this minute"}}""", ErrorKind.RateLimit)]
    [InlineData(413, """{"error":{"message":"too many input tokens"}}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":"the prompt is longer than the model's context"}""", ErrorKind.ContextTooLong)]
    [InlineData(400, """{"error":{"code":"billing_hard_limit_reached"}}""", ErrorKind.Quota)]
    public void Read_ClassifiesByStatusThenCodeThenMessage(int status, string body, ErrorKind kind)
    {
        ProxyError error = new OpenAIChatProtocol().ReadError(status, Encoding.UTF8.GetBytes(body));
        Assert.Equal((kind, status), (error.Kind, error.UpstreamStatus));
        Assert.NotEmpty(error.Message);
    }

    [Theory]
    [InlineData("This model's maximum context length is 32768 tokens. However, you requested 37000 tokens (5000 in the messages, 32000 in the completion). Please reduce the length of the messages or completion.")]
    [InlineData("This model's maximum context length is 32768 tokens. However, you requested 37000 tokens (5000 in your prompt; 32000 for the completion).")]
    [InlineData("This endpoint's maximum context length is 32768 tokens. However, you requested about 37000 tokens (4000 of text input, 1000 of tool input, 32000 in the output). Please reduce the length of either one.")]
    [InlineData("'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 32768 tokens and your request has 5000 input tokens (32000 > 32768 - 5000).")]
    [InlineData("Requested token count exceeds the model's maximum context length of 32768 tokens. You requested a total of 37000 tokens: 5000 tokens from the input messages and 32000 tokens for the completion.")]
    [InlineData("This model's maximum context length is 32768 tokens. However, you requested 72000 tokens (40000 in the messages, 32000 in the completion).", false)]
    public void PromptThatFitsWithoutItsAnswer_IsToldSo(string message, bool fits = true)
    {
        ProxyError error = new OpenAIChatProtocol().ReadError(400, JsonSerializer.SerializeToUtf8Bytes(new { error = new { message, code = 400 } }));
        Assert.Equal(ErrorKind.ContextTooLong, error.Kind);
        if (fits) Assert.StartsWith("input length and `max_tokens` exceed context limit: 5000 + 32000 > 32768, ", error.Message);
        else Assert.Equal(message, error.Message);
    }

    [Theory]
    [InlineData("""{"message":"x","type":"invalid_request_error","code":"invalid_api_key"}""", ErrorKind.UpstreamAuth)]
    [InlineData("""{"message":"x","type":"permission_error"}""", ErrorKind.UpstreamAuth)]
    [InlineData("""{"message":"x","code":"model_not_found"}""", ErrorKind.NotFound)]
    [InlineData("""{"message":"x","code":"too_many_requests"}""", ErrorKind.RateLimit)]
    [InlineData("""{"message":"x","type":"overloaded_error"}""", ErrorKind.Overloaded)]
    [InlineData("""{"message":"x","type":"timeout_error"}""", ErrorKind.Timeout)]
    [InlineData("""{"message":"x","status":"DEADLINE_EXCEEDED"}""", ErrorKind.Timeout)]
    [InlineData("""{"message":"x","code":"unknown_parameter"}""", ErrorKind.InvalidRequest)]
    [InlineData("""{"message":"x","type":"api_error"}""", ErrorKind.ServerError)]
    [InlineData("""{"message":"x","code":429}""", ErrorKind.RateLimit)]
    [InlineData("""{"message":"x","code":200}""", ErrorKind.ServerError)]
    [InlineData("""{"message":"too many tokens"}""", ErrorKind.ContextTooLong)]
    [InlineData("""{"message":"x","type":"brand_new"}""", ErrorKind.ServerError)]
    public void ReadInStream_ClassifiesByCodeThenType(string error, ErrorKind kind) => Assert.Equal(kind, OpenAIErrorReader.ReadInStream(Encoding.UTF8.GetBytes(error)).Kind);

    [Fact]
    public void CodeAndParam_AreKept_UnlessTheyAreNone()
    {
        ProxyError error = OpenAIErrorReader.Read(400, """{"error":{"message":"m","code":"invalid_value","param":"tools[0].name"}}"""u8);
        Assert.Equal(("invalid_value", "tools[0].name"), (error.Code, error.Param));
        error = OpenAIErrorReader.Read(400, Encoding.UTF8.GetBytes($$$"""{"error":{"message":"m","code":"","param":"{{{new string('p', 600)}}}"}}"""));
        Assert.Equal((null, null), (error.Code, error.Param));
        Assert.InRange(OpenAIErrorReader.Read(400, JsonSerializerFree(new string('m', 5000))).Message.Length, 1000, 2000);
    }

    [Theory]
    [InlineData("model", null, "model_not_found")]
    [InlineData(null, 404, "model_not_found")]
    [InlineData(null, null, null)]
    public void NotFound_IsAMissingModel_WhereAModelWasAskedFor(string? param, int? upstreamStatus, string? code) =>
        Assert.Equal((404, "invalid_request_error", code), OpenAIErrors.Words(new ProxyError(ErrorKind.NotFound, "m") { Param = param, UpstreamStatus = upstreamStatus }));

    [Theory]
    [InlineData("slow down.", "slow down. Please try again in 7.5s.")]
    [InlineData("Please try again in 3s", "Please try again in 3s")]
    public void WaitIsToldOnce(string message, string told) =>
        Assert.Equal(told, OpenAIErrors.StreamMessage(new ProxyError(ErrorKind.RateLimit, message) { RetryAfter = TimeSpan.FromSeconds(7.5) }));

    [Theory]
    [InlineData("gpt-5.5", true, true, false)]
    [InlineData("gpt-4o", true, false, true)]
    [InlineData("gpt-3.5-turbo", true, false, true)]
    [InlineData("gpt-", true, false, false)]
    [InlineData("openai/o3", true, true, false)]
    [InlineData("o4-mini", true, true, false)]
    [InlineData("O1-pro", true, true, false)]
    [InlineData("o3x", false, false, false)]
    [InlineData("oh", false, false, false)]
    [InlineData("ox-1", false, false, false)]
    [InlineData("o", false, false, false)]
    [InlineData("k2-thinking", false, false, false)]
    public void ModelName_TellsWhatTheModelTakes(string model, bool isOpenAI, bool isReasoning, bool isKnownNotTo) =>
        Assert.Equal((isOpenAI, isReasoning, isKnownNotTo), (OpenAIModelNames.IsOpenAI(model), OpenAIModelNames.IsOpenAIReasoning(model), OpenAIModelNames.IsKnownNotToReason(model)));

    [Fact]
    public void Html_IsQuotedShortly()
    {
        string message = OpenAIErrorReader.Read(502, Encoding.UTF8.GetBytes("<html>\n" + new string('x', 5000))).Message;
        Assert.StartsWith("the upstream answered 502 BadGateway: <html> xxx", message);
        Assert.InRange(message.Length, 100, 250);
    }

    [Theory]
    [InlineData("https://h/v1?key=fake123&x=1 failed", "fake123")]
    [InlineData("key sk-fake-0123456789abcdef is wrong", "0123456789")]
    [InlineData("AIzaFakeFakeFakeFake012 refused", "AIza")]
    public void Secrets_AreTakenOut(string message, string secret)
    {
        string told = OpenAIErrorReader.Read(400, JsonSerializerFree(message)).Message;
        Assert.DoesNotContain(secret, told);
        Assert.Contains("[redacted]", told);
        var output = new ArrayBufferWriter<byte>();
        OpenAIErrors.Write(output, new ProxyError(ErrorKind.ServerError, message));
        Assert.DoesNotContain(secret, Encoding.UTF8.GetString(output.WrittenSpan));
    }

    private static byte[] JsonSerializerFree(string message) => Encoding.UTF8.GetBytes($$$"""{"error":{"message":"{{{message}}}"}}""");

    [Theory]
    [InlineData("Please try again in 6.5s.", 6.5)]
    [InlineData("Try again in 250ms", 0.25)]
    [InlineData("try again in 2m", 120)]
    public void WaitInMessage_IsRead(string message, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), OpenAIErrorReader.Read(429, JsonSerializerFree(message)).RetryAfter);

    [Fact]
    public void ModelsAndTokenCount_HaveTheirShapes()
    {
        var protocol = new OpenAIChatProtocol();
        var output = new ArrayBufferWriter<byte>();
        protocol.WriteModels(output, [new ModelEntry("a/b"), new ModelEntry("c")], single: false);
        Assert.Equal("""{"object":"list","data":[{"id":"a/b","object":"model","created":0,"owned_by":"aiproxy"},{"id":"c","object":"model","created":0,"owned_by":"aiproxy"}]}""", Encoding.UTF8.GetString(output.WrittenSpan));
        output.Clear();
        protocol.WriteModels(output, [new ModelEntry("c")], single: true);
        Assert.Equal("""{"id":"c","object":"model","created":0,"owned_by":"aiproxy"}""", Encoding.UTF8.GetString(output.WrittenSpan));
        output.Clear();
        protocol.WriteTokenCount(output, 12);
        Assert.Equal("""{"object":"response.input_tokens","input_tokens":12}""", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    /// <summary>A code of another dialect would keep a client from the one that it looks for.</summary>
    [Theory]
    [InlineData(ErrorKind.NotFound, "not_found_error", "model_not_found")]
    [InlineData(ErrorKind.NotFound, "NOT_FOUND", "model_not_found")]
    [InlineData(ErrorKind.NotFound, "response_not_found", "response_not_found")]
    [InlineData(ErrorKind.InvalidRequest, "INVALID_ARGUMENT", null)]
    [InlineData(ErrorKind.InvalidRequest, "invalid_request_error", null)]
    [InlineData(ErrorKind.InvalidRequest, "unknown_parameter", "unknown_parameter")]
    [InlineData(ErrorKind.TooLarge, "request_too_large", null)]
    [InlineData(ErrorKind.ServerError, "api_error", null)]
    [InlineData(ErrorKind.ServerError, "server_error", "server_error")]
    [InlineData(ErrorKind.Permission, "PERMISSION_DENIED", null)]
    public void CodeOfAnotherDialect_IsNotTold(ErrorKind kind, string upstream, string? told) =>
        Assert.Equal(told, OpenAIErrors.Words(new ProxyError(kind, "x") { Code = upstream, UpstreamStatus = 400 }).Code);
}
