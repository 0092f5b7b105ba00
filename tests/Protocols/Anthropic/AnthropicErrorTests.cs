using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.Anthropic;

public sealed class AnthropicErrorTests
{
    private static readonly AnthropicProtocol Protocol = new();

    [Theory]
    [InlineData(ErrorKind.InvalidRequest, 400, "invalid_request_error")]
    [InlineData(ErrorKind.Unsupported, 400, "invalid_request_error")]
    [InlineData(ErrorKind.ContentPolicy, 400, "invalid_request_error")]
    [InlineData(ErrorKind.ClientAuth, 401, "authentication_error")]
    [InlineData(ErrorKind.Quota, 402, "billing_error")]
    [InlineData(ErrorKind.Permission, 403, "permission_error")]
    [InlineData(ErrorKind.NotFound, 404, "not_found_error")]
    [InlineData(ErrorKind.MethodNotAllowed, 405, "invalid_request_error")]
    [InlineData(ErrorKind.Conflict, 409, "conflict_error")]
    [InlineData(ErrorKind.TooLarge, 413, "request_too_large")]
    [InlineData(ErrorKind.UnsupportedMedia, 415, "invalid_request_error")]
    [InlineData(ErrorKind.RateLimit, 429, "rate_limit_error")]
    [InlineData(ErrorKind.ServerError, 500, "api_error")]
    [InlineData(ErrorKind.UpstreamAuth, 500, "api_error")]
    [InlineData(ErrorKind.BadGateway, 502, "api_error")]
    [InlineData(ErrorKind.Unavailable, 503, "overloaded_error")]
    [InlineData(ErrorKind.Timeout, 504, "timeout_error")]
    [InlineData(ErrorKind.Overloaded, 529, "overloaded_error")]
    public void Kinds_HaveTheirStatusAndType(ErrorKind kind, int status, string type)
    {
        int written = 0;
        string json = Wire.Text(output => written = Protocol.WriteError(output, new ProxyError(kind, "say \"it\""), "req_1"));
        JsonElement root = JsonDocument.Parse(json).RootElement;
        Assert.Equal((status, type), (written, root.GetProperty("error").GetProperty("type").GetString()));
        Assert.Equal(("error", "req_1"), (root.GetProperty("type").GetString(), root.GetProperty("request_id").GetString()));
    }

    [Theory]
    [InlineData("This model's maximum context length is 128000 tokens. However, your messages resulted in 130,500 tokens.", "prompt is too long: 130500 tokens > 128000 maximum")]
    [InlineData("The input token count (1048999) exceeds the maximum number of tokens allowed (1048576).", "prompt is too long: 1048999 tokens > 1048576 maximum")]
    [InlineData("prompt is too long: 210000 tokens > 200000 maximum", "prompt is too long: 210000 tokens > 200000 maximum")]
    [InlineData("too much", "prompt is too long: too much")]
    public void E74_ContextTooLong_IsToldInTheKnownWording(string message, string expected)
    {
        string json = Wire.Text(output => Protocol.WriteError(output, new ProxyError(ErrorKind.ContextTooLong, message), "r"));
        Assert.Equal(expected, JsonDocument.Parse(json).RootElement.GetProperty("error").GetProperty("message").GetString());
    }

    [Theory]
    [InlineData(400, "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"messages: bad\"}}", ErrorKind.InvalidRequest, "messages: bad")]
    [InlineData(400, "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: 210000 tokens > 200000 maximum\"}}", ErrorKind.ContextTooLong, "prompt is too long: 210000 tokens > 200000 maximum")]
    [InlineData(401, "{\"error\":{\"type\":\"authentication_error\",\"message\":\"invalid x-api-key\"}}", ErrorKind.UpstreamAuth, "invalid x-api-key")]
    [InlineData(402, "{\"error\":{\"type\":\"billing_error\",\"message\":\"pay\"}}", ErrorKind.Quota, "pay")]
    [InlineData(400, "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.\"}}", ErrorKind.Quota,
        "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.")]
    [InlineData(403, "", ErrorKind.UpstreamAuth, "the upstream answered 403 Forbidden")]
    [InlineData(429, "{\"error\":{\"type\":\"rate_limit_error\",\"message\":\"x\",\"details\":{\"error_code\":\"enforced_spend_limit_reached\"}}}", ErrorKind.Quota, "x")]
    [InlineData(500, "{\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}", ErrorKind.Overloaded, "Overloaded")]
    [InlineData(529, "{}", ErrorKind.Overloaded, "the upstream answered 529: {}")]
    [InlineData(502, "<html>\n<b>Bad gateway</b></html>", ErrorKind.BadGateway, "the upstream answered 502 BadGateway: <html> <b>Bad gateway</b></html>")]
    [InlineData(404, "[{\"error\":{\"type\":\"not_found_error\",\"message\":\"model: x\"}}]", ErrorKind.NotFound, "model: x")]
    [InlineData(429, "{\"error\":{\"type\":\"rate_limit_error\",\"message\":\"prompt is too long for the tokens of this minute\"}}", ErrorKind.RateLimit, "prompt is too long for the tokens of this minute")]
    [InlineData(400, "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"x\",\"details\":{\"error_code\":\"enforced_spend_limit_reached\"}}}", ErrorKind.InvalidRequest, "x")]
    [InlineData(415, "{\"error\":{\"message\":\"x\"}}", ErrorKind.UnsupportedMedia, "x")]
    [InlineData(500, "{\"error\":\"plain text\"}", ErrorKind.ServerError, "plain text")]
    [InlineData(422, "{\"detail\":[]}", ErrorKind.InvalidRequest, "the upstream answered 422 UnprocessableEntity: {\"detail\":[]}")]
    public void ReadError_ClassifiesStatusTypeAndText(int status, string body, ErrorKind kind, string message)
    {
        ProxyError error = Protocol.ReadError(status, Encoding.UTF8.GetBytes(body));
        Assert.Equal((kind, message, status), (error.Kind, error.Message, error.UpstreamStatus));
    }

    [Theory]
    [InlineData("bad key sk-ant-api03-fakefakefake")]
    [InlineData("POST https://host/v1?key=AIzaFAKEFAKEFAKE&x=1 failed")]
    [InlineData("api_key=fakefakefake")]
    [InlineData("Authorization: Bearer fake.fake-fake_fake")]
    [InlineData("key AIzaFAKEFAKEFAKEFAKE is not valid")]
    [InlineData("token eyJfakefakefake.fakefake.fake")]
    public void Messages_HoldNoKeys(string message)
    {
        foreach (string body in (string[])[message, "{\"error\":{\"type\":\"api_error\",\"message\":\"" + message + "\"}}"])
        {
            string told = Protocol.ReadError(500, Encoding.UTF8.GetBytes(body)).Message;
            Assert.DoesNotContain("fake", told, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("[redacted]", told, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ReadError_OfAnything_NeverThrows()
    {
        var random = new Random(9);
        byte[] body = "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m 😀\",\"details\":{\"error_code\":\"x\"}}}"u8.ToArray();
        for (int round = 0; round < 3000; round++) Assert.NotEmpty(Protocol.ReadError(random.Next(100, 700), Wire.Mutate(body, random)).Message);
    }

    [Fact]
    public void Models_ListAndSingle()
    {
        ModelEntry[] models = [new("claude-x", 200000, 64000), new("gpt-y")];
        Assert.Equal(
            """{"data":[{"type":"model","id":"claude-x","display_name":"claude-x","created_at":"1970-01-01T00:00:00Z","max_input_tokens":200000,"max_tokens":64000},{"type":"model","id":"gpt-y","display_name":"gpt-y","created_at":"1970-01-01T00:00:00Z","max_input_tokens":null,"max_tokens":null}],"has_more":false,"first_id":"claude-x","last_id":"gpt-y"}""",
            Wire.Text(output => Protocol.WriteModels(output, models, false)));
        Assert.StartsWith("{\"type\":\"model\",\"id\":\"claude-x\"", Wire.Text(output => Protocol.WriteModels(output, models, true)), StringComparison.Ordinal);
        Assert.Contains("\"first_id\":null", Wire.Text(output => Protocol.WriteModels(output, [], false)), StringComparison.Ordinal);
    }

    [Fact]
    public void TokenCount_IsItsOwnObject() => Assert.Equal("{\"input_tokens\":12}", Wire.Text(output => Protocol.WriteTokenCount(output, 12)));

    [Theory]
    [InlineData("thread", "thread_unsupported_request")]
    [InlineData("container", null)]
    public void RefusedThread_IsToldByItsCode(string param, string? expected)
    {
        string json = Wire.Text(output => Protocol.WriteError(output, new ProxyError(ErrorKind.Unsupported, "no") { Param = param }, "r"));
        string? code = JsonDocument.Parse(json).RootElement.GetProperty("error").TryGetProperty("details", out JsonElement details) ? details.GetProperty("error_code").GetString() : null;
        Assert.Equal(expected, code);
        if (code is not null) Assert.Equal("""["thread"]""", details.GetProperty("unsupported").GetRawText());
    }
}
