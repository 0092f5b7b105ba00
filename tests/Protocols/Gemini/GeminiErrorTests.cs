using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Gemini;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.Anthropic;

namespace Aiproxy.Tests.Protocols.Gemini;

public sealed class GeminiErrorTests
{
    private static readonly GeminiProtocol Protocol = new();

    [Theory]
    [InlineData(ErrorKind.InvalidRequest, 400, "INVALID_ARGUMENT")]
    [InlineData(ErrorKind.ContextTooLong, 400, "INVALID_ARGUMENT")]
    [InlineData(ErrorKind.ClientAuth, 400, "INVALID_ARGUMENT")]
    [InlineData(ErrorKind.ClientAuthMissing, 403, "PERMISSION_DENIED")]
    [InlineData(ErrorKind.NotFound, 404, "NOT_FOUND")]
    [InlineData(ErrorKind.MethodNotAllowed, 405, "INVALID_ARGUMENT")]
    [InlineData(ErrorKind.TooLarge, 400, "INVALID_ARGUMENT")]
    [InlineData(ErrorKind.Quota, 429, "RESOURCE_EXHAUSTED")]
    [InlineData(ErrorKind.UpstreamAuth, 500, "INTERNAL")]
    [InlineData(ErrorKind.BadGateway, 503, "UNAVAILABLE")]
    [InlineData(ErrorKind.Overloaded, 503, "UNAVAILABLE")]
    [InlineData(ErrorKind.Unavailable, 503, "UNAVAILABLE")]
    [InlineData(ErrorKind.Timeout, 504, "DEADLINE_EXCEEDED")]
    public void Kinds_HaveTheirCodeAndStatus(ErrorKind kind, int code, string status)
    {
        int written = 0;
        string json = Wire.Text(output => written = Protocol.WriteError(output, new ProxyError(kind, "m"), "r"));
        JsonElement error = JsonDocument.Parse(json).RootElement.GetProperty("error");
        Assert.Equal((code, code, status), (written, error.GetProperty("code").GetInt32(), error.GetProperty("status").GetString()));
    }

    [Fact]
    public void Details_TellTheReasonAndTheDelay()
    {
        Assert.Contains("""{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}""", Wire.Text(output => Protocol.WriteError(output, new ProxyError(ErrorKind.ClientAuth, "m"), "r")), StringComparison.Ordinal);
        var limited = new ProxyError(ErrorKind.RateLimit, "m") { RetryAfter = TimeSpan.FromSeconds(33.2) };
        Assert.Contains("""{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}""", Wire.Text(output => Protocol.WriteError(output, limited, "r")), StringComparison.Ordinal);
    }

    [Fact]
    public void ContentPolicy_IsPromptFeedback()
    {
        int written = 0;
        string json = Wire.Text(output => written = Protocol.WriteError(output, new ProxyError(ErrorKind.ContentPolicy, "m"), "r"));
        Assert.Equal((200, "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}"), (written, json));
    }

    [Theory]
    [InlineData(400, "{\"error\":{\"code\":400,\"message\":\"API key not valid\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"reason\":\"API_KEY_INVALID\"}]}}", ErrorKind.UpstreamAuth)]
    [InlineData(400, "[{\"error\":{\"code\":400,\"message\":\"The input token count (12000) exceeds the maximum number of tokens allowed (8000).\"}}]", ErrorKind.ContextTooLong)]
    [InlineData(500, "{\"error\":{\"code\":500,\"message\":\"input token count exceeds\"}}", ErrorKind.ContextTooLong)]
    [InlineData(400, "{\"error\":{\"message\":\"Unknown name\",\"status\":\"INVALID_ARGUMENT\"}}", ErrorKind.InvalidRequest)]
    [InlineData(403, "{\"error\":{\"status\":\"PERMISSION_DENIED\"}}", ErrorKind.UpstreamAuth)]
    [InlineData(404, "{}", ErrorKind.NotFound)]
    [InlineData(429, "{\"error\":{\"code\":429,\"details\":[{\"violations\":[{\"quotaId\":\"GenerateRequestsPerDayPerProject\"}]}]}}", ErrorKind.Quota)]
    [InlineData(503, "overloaded", ErrorKind.Overloaded)]
    [InlineData(504, "", ErrorKind.Timeout)]
    public void ReadError_Classifies(int status, string body, ErrorKind kind) => Assert.Equal(kind, Protocol.ReadError(status, Encoding.UTF8.GetBytes(body)).Kind);

    [Theory]
    [InlineData("INVALID_ARGUMENT", ErrorKind.InvalidRequest)]
    [InlineData("FAILED_PRECONDITION", ErrorKind.InvalidRequest)]
    [InlineData("UNAUTHENTICATED", ErrorKind.UpstreamAuth)]
    [InlineData("PERMISSION_DENIED", ErrorKind.UpstreamAuth)]
    [InlineData("NOT_FOUND", ErrorKind.NotFound)]
    [InlineData("ABORTED", ErrorKind.Conflict)]
    [InlineData("RESOURCE_EXHAUSTED", ErrorKind.RateLimit)]
    [InlineData("INTERNAL", ErrorKind.ServerError)]
    [InlineData("UNAVAILABLE", ErrorKind.Overloaded)]
    [InlineData("DEADLINE_EXCEEDED", ErrorKind.Timeout)]
    [InlineData("BRAND_NEW", ErrorKind.ServerError)]
    public void ErrorInAStream_IsOfTheKindOfItsStatusWord(string status, ErrorKind kind)
    {
        ProxyError error = GeminiErrors.ReadInBand(Encoding.UTF8.GetBytes($$$"""{"error":{"message":"x","status":"{{{status}}}"}}"""));
        Assert.Equal((kind, status), (error.Kind, error.Code));
        Assert.Equal(status == "BRAND_NEW" ? null : ErrorText.KindOf(error.UpstreamStatus ?? 0) == kind, error.UpstreamStatus is null ? null : (bool?)true);
    }

    [Fact]
    public void CodeOfAnErrorInAStream_StandsForItsStatus_UnlessItIsNone()
    {
        Assert.Equal(ErrorKind.RateLimit, GeminiErrors.ReadInBand("""{"error":{"code":429,"status":"INTERNAL"}}"""u8).Kind);
        Assert.Equal(ErrorKind.Overloaded, GeminiErrors.ReadInBand("""{"error":{"code":14,"status":"UNAVAILABLE"}}"""u8).Kind);
        Assert.Equal("plain", GeminiErrors.ReadInBand("""{"error":"plain"}"""u8).Message);
    }

    [Fact]
    public void RetryInfo_IsRead()
    {
        ProxyError error = Protocol.ReadError(429, "{\"error\":{\"code\":429,\"message\":\"q\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"34.07s\"}]}}"u8);
        Assert.Equal((ErrorKind.RateLimit, TimeSpan.FromSeconds(35)), (error.Kind, error.RetryAfter));
    }

    [Fact]
    public void ReadError_OfAnything_NeverThrows()
    {
        var random = new Random(13);
        byte[] body = "{\"error\":{\"code\":429,\"message\":\"q\",\"details\":[{\"retryDelay\":\"34.07s\",\"violations\":[{}]}]}}"u8.ToArray();
        for (int round = 0; round < 3000; round++) Assert.NotEmpty(Protocol.ReadError(random.Next(100, 700), Wire.Mutate(body, random)).Message);
    }

    [Fact]
    public void Models_KeepThePrefix()
    {
        Assert.Equal(
            """{"models":[{"name":"models/g","version":"001","displayName":"g","inputTokenLimit":1000,"supportedGenerationMethods":["generateContent","streamGenerateContent","countTokens"]}]}""",
            Wire.Text(output => Protocol.WriteModels(output, [new ModelEntry("g", 1000)], false)));
        Assert.Equal("{\"totalTokens\":7}", Wire.Text(output => Protocol.WriteTokenCount(output, 7)));
    }
}
