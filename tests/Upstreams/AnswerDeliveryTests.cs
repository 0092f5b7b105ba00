using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.StreamInvariants;
using Aiproxy.Upstreams;

namespace Aiproxy.Tests.Upstreams;

/// <summary>Streamed answers from the first byte to the last, for every pair of protocols and every way. Pieces arrive as a test sends them.</summary>
public sealed class AnswerDeliveryTests
{
    private static readonly string[] All = ["anthropic", "openai", "responses", "gemini"];

    public static TheoryData<string, string, bool> Pairs()
    {
        var pairs = new TheoryData<string, string, bool>();
        foreach (string upstream in All)
            foreach (string client in All)
            {
                pairs.Add(upstream, client, false);
                if (client == "gemini") pairs.Add(upstream, client, true);
            }
        return pairs;
    }

    private static void Pass(TestExchange test, double seconds) => test.Clock.Advance(TimeSpan.FromSeconds(seconds));

    // The first events up to and with the first output, and the rest.
    private static (string[] Handshake, string[] Output) Split(string upstream)
    {
        string[] events = Delivery.Events(upstream + ".sse");
        int output = Array.FindIndex(events, text => text.Contains("content_block_start") || text.Contains("reasoning_content") || text.Contains("output_item.added") || text.Contains("\"parts\""));
        return (events[..output], events[output..]);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Stream_EventByEvent_ArrivesWhole_AndIsHeldUntilOutput(string upstream, string client, bool array)
    {
        using var test = new TestExchange(client, array: array);
        using var delivery = new Delivery(test, upstream);
        (string[] handshake, string[] rest) = Split(upstream);

        foreach (string text in handshake) delivery.Send(text);
        Assert.Equal(0, test.Client.Starts);
        delivery.Send(rest[0]);
        Assert.True(test.Answer.HasBegun);
        foreach (string text in rest[1..]) delivery.Send(text);
        Assert.Null(await delivery.End());

        Assert.Equal(200, test.Client.Status);
        Assert.Equal("up-1", test.Client.Headers["x-request-id"]);
        bool forwarded = upstream == client;
        Assert.Equal(StreamEnd.Finished, test.Check(forwarded));
        if (forwarded && !array) Assert.Equal(Delivery.Fixture(upstream + ".sse"), test.Client.Text);
        Assert.Contains("Let me check ", test.Client.Text);
        Assert.True(test.Exchange.Usage.TotalInput > 0 && test.Exchange.FirstOutput > 0);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Stream_ByteByByte_IsTheSame(string upstream, string client, bool array)
    {
        using var test = new TestExchange(client, array: array);
        using var delivery = new Delivery(test, upstream);
        foreach (byte one in Encoding.UTF8.GetBytes(Delivery.Fixture(upstream + ".sse"))) delivery.Send([one]);
        Assert.Null(await delivery.End());

        using var whole = new TestExchange(client, array: array);
        using var other = new Delivery(whole, upstream);
        other.Send(Delivery.Fixture(upstream + ".sse"));
        Assert.Null(await other.End());
        Assert.Equal(whole.Client.Text, test.Client.Text);
        Assert.Equal(StreamEnd.Finished, test.Check(upstream == client));
        // Only the end of the stream tells that a Gemini answer is whole.
        Assert.InRange(whole.Client.Flushes.Count, 1, upstream == "gemini" ? 2 : 1);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task CutAfterOutput_IsTold(string upstream, string client, bool array)
    {
        foreach (Exception? fault in (Exception?[])[null, new IOException("reset")])
        {
            using var test = new TestExchange(client, array: array);
            using var delivery = new Delivery(test, upstream);
            (string[] handshake, string[] rest) = Split(upstream);
            foreach (string text in handshake.Append(rest[0]).Append(rest[1])) delivery.Send(text);
            delivery.Send(rest[2][..20]);
            ProxyError? failure = await delivery.End(fault);

            Assert.Equal(ErrorKind.BadGateway, failure?.Kind);
            Assert.Same(failure, test.Exchange.Failure);
            Assert.Equal(StreamEnd.Failed, test.Check(upstream == client));
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task CutBeforeOutput_NothingWasSent(string upstream, string client, bool array)
    {
        using var test = new TestExchange(client, array: array);
        using var delivery = new Delivery(test, upstream);
        foreach (string text in Split(upstream).Handshake) delivery.Send(text);
        Assert.NotNull(await delivery.End());
        Assert.False(test.Answer.HasBegun);
        Assert.Equal(0, test.Client.Starts);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task SilenceInside_IsFilledAtEventBorders_ThenTold(string upstream, string client, bool array)
    {
        using var test = new TestExchange(client, array: array);
        using var delivery = new Delivery(test, upstream, idleSeconds: 100);
        (string[] handshake, string[] rest) = Split(upstream);
        foreach (string text in handshake.Append(rest[0])) delivery.Send(text);
        delivery.Send(rest[1][..15]);
        int before = test.Client.Flushes.Count;
        Pass(test, 50);
        Assert.Equal(before + 3, test.Client.Flushes.Count);
        delivery.Send(rest[1][15..]);
        Pass(test, 102);

        Assert.Equal(ErrorKind.Timeout, (await delivery.Done())?.Kind);
        Assert.Equal(StreamEnd.Failed, test.Check(upstream == client));
        string end = test.Client.Text;
        Pass(test, 1000);
        Assert.Equal(end, test.Client.Text);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Collected_IsOneWholeAnswer(string upstream, string client, bool array)
    {
        if (array) return;
        using var test = new TestExchange(client, stream: false);
        using var delivery = new Delivery(test, upstream);
        foreach (string text in Delivery.Events(upstream + ".sse"))
        {
            Assert.Equal(0, test.Client.Starts);
            delivery.Send(text);
            Pass(test, 400);
        }
        Assert.Null(await delivery.End());
        Assert.Equal(Encoding.UTF8.GetByteCount(test.Client.Text), test.Client.Length);
        Assert.Contains("Let me check ", test.Client.Text);
        Assert.StartsWith("application/json", test.Client.ContentType);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task EarlyCommitted_AnswerGoesOnBehindTheFillers(string upstream, string client, bool array)
    {
        using var test = new TestExchange(client, array: array);
        using var delivery = new Delivery(test, upstream);
        foreach (string text in Split(upstream).Handshake) delivery.Send(text);
        Pass(test, 110);
        Assert.True(test.Answer.IsEarly);
        foreach (string text in Split(upstream).Output) delivery.Send(text);
        Assert.Null(await delivery.End());
        Assert.Equal(1, test.Client.Starts);
        Assert.Equal(StreamEnd.Finished, test.Check(upstream == client));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task ErrorInTheReadOfTheFirstOutput_StillFailsOver(string upstream, string client, bool array)
    {
        using var test = new TestExchange(client, array: array);
        using var delivery = new Delivery(test, upstream);
        (string[] handshake, string[] rest) = Split(upstream);
        delivery.Send(string.Concat(handshake) + rest[0] + ErrorEvent(upstream));
        Assert.NotNull(await delivery.Done());
        Assert.Equal(0, test.Client.Starts);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task ErrorToldAfterOutput_LeavesAlone(string upstream, string client, bool array)
    {
        using var test = new TestExchange(client, array: array);
        using var delivery = new Delivery(test, upstream);
        (string[] handshake, string[] rest) = Split(upstream);
        foreach (string text in handshake.Append(rest[0])) delivery.Send(text);
        // More output and the failure in one read.
        delivery.Send(rest[1] + ErrorEvent(upstream));
        Assert.NotNull(await delivery.Done());
        Assert.Equal(StreamEnd.Failed, test.Check(upstream == client));
        Assert.DoesNotContain("\"delta\"", test.Client.Flushes[^1]);
        Assert.DoesNotContain("\"parts\"", test.Client.Flushes[^1]);
        Assert.Contains("busy now", test.Client.Flushes[^1]);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task ClientLeaves_UpstreamIsCancelledAtOnce(string upstream, string client, bool array)
    {
        foreach (int sent in (int[])[0, 1, 3])
        {
            using var test = new TestExchange(client, array: array);
            using var delivery = new Delivery(test, upstream);
            foreach (string text in Delivery.Events(upstream + ".sse")[..sent]) delivery.Send(text);
            bool begun = test.Answer.HasBegun;
            test.Client.Leave();
            if (begun) Assert.Null(await delivery.Done());
            else await Assert.ThrowsAnyAsync<OperationCanceledException>(delivery.Done);
            Assert.True(delivery.Clock.Token.IsCancellationRequested);
            Assert.Equal(begun, delivery.ClientLeft);
        }
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public async Task MessageStart_TellsTheEstimate_MessageDeltaTheTrueNumbers(string upstream)
    {
        using var test = new TestExchange("anthropic");
        using var delivery = new Delivery(test, upstream);
        delivery.Send(Delivery.Fixture(upstream + ".sse"));
        Assert.Null(await delivery.End());
        System.Text.Json.Nodes.JsonNode[] events = [.. test.Client.Text.Split('\n').Where(line => line.StartsWith("data:")).Select(line => System.Text.Json.Nodes.JsonNode.Parse(line[5..])!)];
        long estimate = TokenEstimator.Estimate(test.Exchange.ReadRequest());
        Assert.True(estimate > 0);
        Assert.Equal((estimate, 0L), ((long)events[0]["message"]!["usage"]!["input_tokens"]!, (long)events[0]["message"]!["usage"]!["output_tokens"]!));
        System.Text.Json.Nodes.JsonNode last = events.Single(told => (string?)told["type"] == "message_delta")["usage"]!;
        Assert.Equal((41L, 1200L, 58L), ((long)last["input_tokens"]!, (long)last["cache_read_input_tokens"]!, (long)last["output_tokens"]!));
    }

    [Fact]
    public async Task UpstreamThatTellsNoUsage_LeavesTheEstimate()
    {
        using var test = new TestExchange("anthropic");
        using var delivery = new Delivery(test, "openai");
        delivery.Send("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
        Assert.Null(await delivery.End());
        long estimate = TokenEstimator.Estimate(test.Exchange.ReadRequest());
        Assert.Equal(3, test.Client.Text.Split($"\"input_tokens\":{estimate},").Length);
    }

    [Fact]
    public async Task NoOutputInTime_IsATimeoutBeforeTheBeginning_HandshakesDoNotHelp()
    {
        using var test = new TestExchange(earlySeconds: 0);
        using var delivery = new Delivery(test, "anthropic");
        delivery.Send(Delivery.Events("anthropic.sse")[0]);
        for (int i = 0; i < 11; i++)
        {
            Pass(test, 10);
            delivery.Send("event: ping\ndata: {\"type\":\"ping\"}\n\n");
        }
        Pass(test, 11);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(delivery.Done);
        Assert.Equal(ClockPhase.FirstToken, delivery.Clock.Expired);
    }

    [Fact]
    public async Task FastUpstreamSlowClient_MemoryStaysBounded()
    {
        using var test = new TestExchange("openai");
        using var delivery = new Delivery(test, "openai");
        string[] events = Delivery.Events("openai.sse");
        string word = events[2];
        delivery.Send(events[0] + events[1]);
        test.Client.IsStuck = true;
        delivery.Send(word);
        for (int i = 0; i < 2000; i++) delivery.Send(word);
        Assert.InRange(test.Client.MostPending, 1, 256 * 1024);
        test.Client.Read();
        for (int i = 0; test.Client.Text.Length < 2000 * word.Length; i++)
        {
            Assert.True(i < 1_000_000, "the rest never came");
            await Task.Yield();
        }
        Assert.InRange(test.Client.MostPending, 1, 256 * 1024);
        delivery.Dispose();
    }

    [Fact]
    public async Task FirstBytes_LeaveInFewPieces()
    {
        using var test = new TestExchange("openai");
        using var delivery = new Delivery(test, "openai");
        string text = Delivery.Fixture("openai.sse");
        delivery.Send(text);
        Assert.Null(await delivery.End());
        Assert.InRange(test.Client.Pieces, 1, text.Length / 1024 + Delivery.Events("openai.sse").Length + 1);
    }

    [Fact]
    public async Task HeldTooMuch_IsCommitted()
    {
        using var test = new TestExchange("openai");
        using var delivery = new Delivery(test, "openai");
        delivery.Send(": " + new string('x', 4 * 1024 * 1024 + 10) + "\n\n");
        Assert.True(test.Answer.HasBegun);
        delivery.Send(Delivery.Fixture("openai.sse"));
        Assert.Null(await delivery.End());
        Assert.Equal(StreamEnd.Finished, test.Check(true));
    }

    [Theory]
    [InlineData(": comment\n\n")]
    [InlineData("data: [DONE]\n\n")]
    [InlineData("inside")]
    public async Task GeminiClient_GetsNoCommentAndNoForeignEnd(string stray)
    {
        string[] events = Delivery.Events("gemini.sse");
        foreach (bool array in (bool[])[false, true])
        {
            using var test = new TestExchange("gemini", array: array);
            using var delivery = new Delivery(test, "gemini");
            if (stray == "inside") events[1] = ": comment\n" + events[1];
            delivery.Send(events[0] + (stray == "inside" ? "" : stray));
            foreach (string text in events[1..]) delivery.Send(text);
            if (stray.Contains("DONE")) delivery.Send(stray);
            Assert.Null(await delivery.End());
            Assert.Equal(StreamEnd.Finished, test.Check(true));
        }
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public async Task ForwardedByteByByte_AnyLineEnd_BytesStayTheSame(string protocol)
    {
        foreach (string newline in (string[])["\n", "\r\n", "\r"])
        {
            string text = Delivery.Fixture(protocol + ".sse").Replace("\n", newline);
            using var test = new TestExchange(protocol);
            using var delivery = new Delivery(test, protocol);
            foreach (byte one in Encoding.UTF8.GetBytes(text)) delivery.Send([one]);
            Assert.Null(await delivery.End());
            // The answer is over with its last event: whether half a line end is behind it, nobody waits for.
            Assert.Equal(text.TrimEnd('\r', '\n'), test.Client.Text.TrimEnd('\r', '\n'));
            Assert.Equal(StreamEnd.Finished, test.Check(true));
        }
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("responses")]
    [InlineData("gemini")]
    public async Task LastBlankLineMissing_ClientGetsIt(string protocol)
    {
        foreach (string end in (string[])["", "\n"])
        {
            using var test = new TestExchange(protocol);
            using var delivery = new Delivery(test, protocol);
            delivery.Send(Delivery.Fixture(protocol + ".sse").TrimEnd('\n') + end);
            Assert.Null(await delivery.End());
            Assert.Equal(StreamEnd.Finished, test.Check(true));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GeminiArrayUpstream_BothFramingsToTheClient(bool array)
    {
        string json = Delivery.Fixture("gemini.json");
        foreach (int cut in (int[])[json.Length, json.Length - 2, json.Length / 2])
        {
            using var test = new TestExchange("gemini", array: array);
            using var delivery = new Delivery(test, "gemini", "application/json");
            foreach (char one in json[..(cut / 2)]) delivery.Send(one.ToString());
            Pass(test, 40);
            foreach (char one in json[(cut / 2)..cut]) delivery.Send(one.ToString());
            ProxyError? failure = await delivery.End();
            bool whole = cut >= json.Length - 2;
            Assert.Equal(whole, failure is null);
            Assert.Equal(whole ? StreamEnd.Finished : StreamEnd.Failed, test.Check(true));
        }
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("")]
    [InlineData("application/json")]
    public async Task EventsUnderAnotherType_AreSeen(string type)
    {
        foreach (bool stream in (bool[])[true, false])
        {
            using var test = new TestExchange("anthropic", stream: stream);
            using var delivery = new Delivery(test, "anthropic", type);
            delivery.Send("\uFEFF\r\n" + Delivery.Fixture("anthropic.sse"));
            Assert.Null(await delivery.End());
            Assert.Contains("Let me check ", test.Client.Text);
        }
    }

    [Fact]
    public async Task JsonErrorUnderTheTypeOfEvents_IsRead()
    {
        using var test = new TestExchange("anthropic");
        using var delivery = new Delivery(test, "anthropic");
        delivery.Send("""{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""");
        Assert.Equal(ErrorKind.Overloaded, (await delivery.End())?.Kind);
        Assert.Equal(0, test.Client.Starts);
    }

    [Theory]
    [InlineData("<html>welcome</html>", "text/html")]
    [InlineData("  <!doctype html>", "application/json")]
    [InlineData("", "text/event-stream")]
    [InlineData("", "application/json")]
    [InlineData("null", "application/json")]
    public async Task NoAnswerAtAll_FailsOver(string body, string type)
    {
        foreach (bool stream in (bool[])[true, false])
        {
            using var test = new TestExchange("openai", stream: stream);
            using var delivery = new Delivery(test, "openai", type);
            delivery.Send(body);
            Assert.NotNull(await delivery.End());
            Assert.Equal(0, test.Client.Starts);
        }
    }

    [Fact]
    public async Task BlanksForMinutes_AreNeitherKeptNorSilence()
    {
        using var test = new TestExchange("anthropic", stream: false);
        using var delivery = new Delivery(test, "anthropic", "application/json", idleSeconds: 60);
        for (int i = 0; i < 20; i++)
        {
            delivery.Send("\n  ");
            Pass(test, 50);
        }
        delivery.Send("""{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}""");
        Assert.Null(await delivery.End());
        Assert.StartsWith("{", test.Client.Text);
        Assert.Equal("application/json", test.Client.ContentType);
    }

    [Theory]
    [InlineData(201, "application/json", "application/json")]
    [InlineData(200, "text/plain", "application/json")]
    [InlineData(200, "application/json; charset=utf-8", "application/json; charset=utf-8")]
    public async Task TokenCount_IsRelayedAs200Json(int status, string type, string sent)
    {
        using var test = new TestExchange("anthropic", stream: false, operation: Operation.CountTokens);
        using var delivery = new Delivery(test, "anthropic", type, status: status);
        delivery.Send("{\"input_tokens\":7}");
        Assert.Null(await delivery.End());
        Assert.Equal((200, sent, "{\"input_tokens\":7}"), (test.Client.Status, test.Client.ContentType, test.Client.Text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    public async Task TokenCount_ThatIsNone_FailsOver(string body)
    {
        using var test = new TestExchange("anthropic", stream: false, operation: Operation.CountTokens);
        using var delivery = new Delivery(test, "anthropic", "text/html", status: body.Length == 0 ? 204 : 200);
        delivery.Send(body);
        Assert.Equal(ErrorKind.BadGateway, (await delivery.End())?.Kind);
        Assert.Equal(0, test.Client.Starts);
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("gemini")]
    public async Task CollectedCallIsBroken_FailsOverInsteadOfA200(string client)
    {
        using var test = new TestExchange(client, stream: false);
        using var delivery = new Delivery(test, "openai");
        delivery.Send("""data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]}}]}""" + "\n\n");
        delivery.Send("""data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}""" + "\n\ndata: [DONE]\n\n");
        await Assert.ThrowsAsync<ProtocolException>(() => delivery.End());
        Assert.Equal(0, test.Client.Starts);
    }

    [Fact]
    public async Task ChatClientDidNotAskForUsage_TranslatedStreamHasNone()
    {
        using var test = new TestExchange("openai", usage: false);
        using var delivery = new Delivery(test, "anthropic");
        delivery.Send(Delivery.Fixture("anthropic.sse"));
        Assert.Null(await delivery.End());
        Assert.DoesNotContain("\"usage\"", test.Client.Text);
        Assert.Equal(StreamEnd.Finished, test.Check());
    }

    [Fact]
    public async Task WhatComesBehindTheEnd_StaysHere()
    {
        using var test = new TestExchange("anthropic");
        using var delivery = new Delivery(test, "anthropic");
        delivery.Send(Delivery.Fixture("anthropic.sse") + "event: ping\ndata: {\"type\":\"ping\"}\n\n");
        Assert.Null(await delivery.Done());
        Assert.Equal(Delivery.Fixture("anthropic.sse"), test.Client.Text);
    }

    private static string ErrorEvent(string protocol) => protocol switch
    {
        "anthropic" => "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy now\"}}\n\n",
        "openai" => "data: {\"error\":{\"message\":\"busy now\",\"type\":\"server_error\",\"code\":null}}\n\n",
        "responses" => "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":99,\"response\":{\"id\":\"resp_Demo\",\"object\":\"response\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"busy now\"},\"output\":[]}}\n\n",
        _ => "data: {\"error\":{\"code\":503,\"message\":\"busy now\",\"status\":\"UNAVAILABLE\"}}\n\n",
    };
}
