using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>What HTTP allows, and what servers and the boxes in front of them send beyond it, over a real connection: an answer or a failure that may be tried elsewhere.</summary>
public sealed class OddAnswerTests : IDisposable
{
    private const string Good = """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}""";

    private const string Events = """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":3,"output_tokens":1}}}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}

        event: message_stop
        data: {"type":"message_stop"}


        """;

    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly Forwarder _forwarder = new(new UpstreamClients(), new UpstreamMessage("aiproxy/test"), new Translation(new ProofCache(TimeProvider.System)));
    private readonly UpstreamTable _types = UpstreamTable.Create(TimeProvider.System);

    public OddAnswerTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>Head and body of an answer, and whether it is one.</summary>
    public static TheoryData<string, bool, bool> Odd()
    {
        var rows = new TheoryData<string, bool, bool>();
        foreach (bool stream in new[] { false, true })
        {
            foreach (string good in new[] { "gzip", "deflate", "untyped", "mistyped", "binary", "trailers", "1.0", "continue", "hints", "blank", "marked", "201" }) rows.Add(good, stream, true);
            foreach (string bad in new[] { "page", "typed page", "empty", "nothing", "204", "array", "null", "number", "text", "br", "zstd", "short", "chunk", "cut chunk", "redirect", "304", "no http" }) rows.Add(bad, stream, false);
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(Odd))]
    public Task ToItsOwnClient_IsAnswerOrFailure(string how, bool stream, bool isAnswer) => Run("anthropic", how, stream, isAnswer);

    [Theory]
    [MemberData(nameof(Odd))]
    public Task ToAnotherClient_IsAnswerOrFailure(string how, bool stream, bool isAnswer) => Run("openai", how, stream, isAnswer);

    private async Task Run(string client, string how, bool stream, bool isAnswer)
    {
        using var test = new TestExchange(client, stream);
        UpstreamConfig config = TestExchange.Upstream("anthropic", $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}", tokens: "sk-fake-1");
        var target = new UpstreamTarget(config, _types.Find("anthropic")!, (IUpstreamProtocol)TestExchange.Protocols["anthropic"], "m", UpstreamCredential.OfKey(config.Tokens[0]), 0);
        Task<Attempt> sending = _forwarder.SendAsync(test.Exchange, target).WaitAsync(TimeSpan.FromSeconds(20));
        using (Socket connection = await _listener.AcceptAsync())
        {
            await ReceiveAsync(connection);
            await connection.SendAsync(Answer(how, stream));
            connection.Shutdown(SocketShutdown.Send);
            Attempt attempt = await sending;
            if (isAnswer)
            {
                Assert.True(attempt.Outcome.Kind == OutcomeKind.Success, attempt.Outcome.Error?.Message);
                Assert.Contains("hi", test.Client.Text);
                // Forwarded as it came, which libraries bear.
                if (stream && how is not ("blank" or "marked")) test.Check(forwarded: client == "anthropic");
                return;
            }
            Assert.Equal((OutcomeKind.Failed, true), (attempt.Outcome.Kind, attempt.Outcome.Counts));
            // Whole answers that break off are never begun; a stream may have been, and then says so.
            if (stream && how is "short" or "cut chunk" or "chunk" && test.Answer.HasBegun) test.Check(forwarded: client == "anthropic");
            else Assert.Equal((0, ""), (test.Client.Starts, test.Client.Text));
        }
    }

    private static byte[] Answer(string how, bool stream)
    {
        string type = "Content-Type: " + (stream ? "text/event-stream" : "application/json") + "\r\n";
        byte[] body = Encoding.UTF8.GetBytes(stream ? Events.ReplaceLineEndings("\n") : Good);
        return how switch
        {
            "gzip" => Sized(type + "Content-Encoding: gzip\r\n", Packed(body, static to => new GZipStream(to, CompressionLevel.Fastest))),
            "deflate" => Sized(type + "Content-Encoding: deflate\r\n", Packed(body, static to => new ZLibStream(to, CompressionLevel.Fastest))),
            "untyped" => Sized("", body),
            "mistyped" => Sized("Content-Type: text/plain; charset=nonsense\r\n", body),
            "binary" => Sized("Content-Type: application/octet-stream\r\n", body),
            "trailers" => [.. Head(type + "Transfer-Encoding: chunked\r\nTrailer: x-sum\r\n"), .. Chunks(body), .. "0\r\nx-sum: 7\r\nset-cookie: a=b\r\n\r\n"u8],
            "1.0" => [.. Encoding.ASCII.GetBytes("HTTP/1.0 200 OK\r\n" + type + "\r\n"), .. body],
            "continue" => [.. "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"u8, .. Sized(type, body)],
            "hints" => [.. "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"u8, .. Sized(type, body)],
            "blank" => Sized(type, [.. "\r\n \n\n"u8, .. body]),
            "marked" => Sized(type, [.. "\uFEFF"u8, .. body]),
            "201" => [.. Encoding.ASCII.GetBytes($"HTTP/1.1 201 Created\r\n{type}Content-Length: {body.Length}\r\n\r\n"), .. body],
            "page" => Sized(type, "<!DOCTYPE html><html><body>Sign in</body></html>"u8),
            "typed page" => Sized("Content-Type: text/html\r\n", "Sign in"u8),
            "empty" => Sized(type, ""u8),
            "nothing" => Head(type),
            "204" => "HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray(),
            "array" => Sized(type, "[]"u8),
            "null" => Sized(type, "null"u8),
            "number" => Sized(type, "0"u8),
            "text" => Sized(type, "\"hi\""u8),
            // Nobody asked for these.
            "br" => Sized(type + "Content-Encoding: br\r\n", Packed(body, static to => new BrotliStream(to, CompressionLevel.Fastest))),
            "zstd" => Sized(type + "Content-Encoding: zstd\r\n", [0x28, 0xB5, 0x2F, 0xFD, 0x04, 0x00, 0x11, 0x00, 0x00, 0x68, 0x69]),
            "short" => [.. Head(type + $"Content-Length: {body.Length + 100}\r\n"), .. body.AsSpan(0, body.Length - 40)],
            "chunk" => [.. Head(type + "Transfer-Encoding: chunked\r\n"), .. Chunks(body.AsSpan(0, body.Length - 40)), .. "zz\r\n"u8],
            "cut chunk" => [.. Head(type + "Transfer-Encoding: chunked\r\n"), .. Chunks(body.AsSpan(0, body.Length - 40))],
            "redirect" => "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"u8.ToArray(),
            "304" => "HTTP/1.1 304 Not Modified\r\n\r\n"u8.ToArray(),
            _ => "+OK ready\r\n"u8.ToArray(),
        };
    }

    private static byte[] Head(string headers) => Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n" + headers + "\r\n");

    private static byte[] Sized(string headers, ReadOnlySpan<byte> body) => [.. Head(headers + $"Content-Length: {body.Length}\r\n"), .. body];

    private static byte[] Chunks(ReadOnlySpan<byte> body)
    {
        var chunks = new List<byte>();
        for (int at = 0; at < body.Length; at += 50)
        {
            ReadOnlySpan<byte> piece = body[at..Math.Min(body.Length, at + 50)];
            chunks.AddRange(Encoding.ASCII.GetBytes($"{piece.Length:x};a=b\r\n"));
            chunks.AddRange(piece);
            chunks.AddRange("\r\n"u8);
        }
        return [.. chunks];
    }

    private static byte[] Packed(byte[] body, Func<Stream, Stream> packer)
    {
        var packed = new MemoryStream();
        using (System.IO.Stream stream = packer(packed)) stream.Write(body);
        return packed.ToArray();
    }

    private static async Task ReceiveAsync(Socket connection)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[8192];
        while (!IsWhole(text.ToString()))
        {
            int count = await connection.ReceiveAsync(buffer);
            if (count == 0) break;
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
    }

    private static bool IsWhole(string text)
    {
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return false;
        string length = text.Split("\r\n").First(static line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))[15..];
        return text.Length - end - 4 >= int.Parse(length);
    }
}
