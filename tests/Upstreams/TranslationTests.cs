using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Aiproxy.Config;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Upstreams;
using Serilog;

namespace Aiproxy.Tests.Upstreams;

/// <summary>Requests on their way to an upstream of another protocol: what cannot be said, and what is wrong anywhere.</summary>
public sealed class TranslationTests
{
    private static string Body(TestExchange test, string target)
    {
        var protocol = (IUpstreamProtocol)TestExchange.Protocols[target];
        var at = new UpstreamTarget(TestExchange.Upstream(target), new ScriptedType(target, protocol, null), protocol, "up-model", null, 0);
        return Encoding.UTF8.GetString(new Translation(new ProofCache(TimeProvider.System)).Body(test.Exchange, at, dropsProofs: false).Span);
    }

    private static ProxyError Refused(string client, string body, string target)
    {
        using var test = new TestExchange(client, stream: false, body: body);
        return Assert.Throws<ProtocolException>(() => Body(test, target)).Error;
    }

    [Theory]
    [InlineData("anthropic", """{"model":"m","max_tokens":0,"messages":[{"role":"user","content":"x"}]}""", "openai", "max_tokens", "Anthropic Messages is translated to OpenAI Chat Completions")]
    [InlineData("anthropic", """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"container":"c"}""", "gemini", "container", "Anthropic Messages is translated to Gemini generateContent")]
    [InlineData("openai", """{"model":"m","messages":[{"role":"user","content":"x"}],"n":2}""", "anthropic", "n", "OpenAI Chat Completions is translated to Anthropic Messages")]
    [InlineData("responses", """{"model":"m","input":"x","background":true}""", "openai", "background", "OpenAI Responses is translated to OpenAI Chat Completions")]
    [InlineData("gemini", """{"contents":[{"parts":[{"text":"x"}]}],"cachedContent":"cachedContents/1"}""", "responses", "cachedContent", "Gemini generateContent is translated to OpenAI Responses")]
    [InlineData("gemini", """{"contents":[{"parts":[{"text":"x"},{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}]}]}""", "anthropic", "contents[0].parts[1]", "Gemini generateContent is translated to Anthropic Messages")]
    public void Unsayable_NamesPathAndBothProtocols(string client, string body, string target, string path, string words)
    {
        ProxyError error = Refused(client, body, target);
        Assert.Equal((ErrorKind.Unsupported, path, $"`{path}` is not supported when {words}"), (error.Kind, error.Param, error.Message));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    [InlineData("gemini")]
    public void PreviousResponseThatNobodyKeeps_IsToldAsClientsKnowIt(string target)
    {
        ProxyError error = Refused("responses", """{"model":"m","input":"x","previous_response_id":"resp_1"}""", target);
        Assert.Equal((ErrorKind.InvalidRequest, "previous_response_id", "previous_response_not_found"), (error.Kind, error.Param, error.Code));
        Assert.StartsWith("Previous response not found", error.Message);
    }

    public static TheoryData<string, string, string> ImpossibleLimits()
    {
        var rows = new TheoryData<string, string, string>();
        foreach (int limit in (int[])[0, -1])
        {
            rows.Add("openai", $$"""{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":{{limit}}}""", "max_tokens");
            rows.Add("openai", $$"""{"model":"m","messages":[{"role":"user","content":"x"}],"max_completion_tokens":{{limit}}}""", "max_completion_tokens");
            rows.Add("openai", $$"""{"model":"m","messages":[{"role":"user","content":"x"}],"n":{{limit}}}""", "n");
            rows.Add("responses", $$"""{"model":"m","input":"x","max_output_tokens":{{limit}}}""", "max_output_tokens");
            rows.Add("gemini", $$$"""{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":{{{limit}}}}}""", "generationConfig.maxOutputTokens");
        }
        rows.Add("anthropic", """{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":-1}""", "max_tokens");
        return rows;
    }

    [Theory]
    [MemberData(nameof(ImpossibleLimits))]
    public void ImpossibleLimit_IsTheRequestsFault_WhateverTheUpstream(string client, string body, string path)
    {
        foreach (string target in (string[])["anthropic", "openai", "responses", "gemini"])
        {
            if (target == client) continue;
            ProxyError error = Refused(client, body, target);
            Assert.Equal((ErrorKind.InvalidRequest, path), (error.Kind, error.Param));
            Assert.StartsWith(path + ": expected ", error.Message);
        }
    }

    [Fact]
    public void LimitAboveTheModels_IsClamped_ForEveryTarget()
    {
        foreach (string target in (string[])["anthropic", "openai", "responses", "gemini"])
        {
            using var test = new TestExchange(target == "openai" ? "responses" : "openai", body: target == "openai"
                ? """{"model":"m","input":"x","max_output_tokens":5000}""" : """{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":5000}""");
            UpstreamConfig config = TestExchange.Upstream(target) with { Models = new Dictionary<string, Aiproxy.Config.ModelFacts> { ["up-*"] = new() { MaxOutputTokens = 777 } } };
            IUpstreamType type = UpstreamTable.Create(TimeProvider.System).Find(target)!;
            var at = new UpstreamTarget(config, type, type.ProtocolFor(test.Exchange.Protocol, config)!, "up-model", null, 0);
            string sent = Encoding.UTF8.GetString(new Translation(new ProofCache(TimeProvider.System)).Body(test.Exchange, at, dropsProofs: false).Span);
            Assert.Contains(":777", sent);
            Assert.DoesNotContain("5000", sent);
        }
    }

    [Fact]
    public void SmallestLimits_AreTaken()
    {
        using var chat = new TestExchange("openai", body: """{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1,"n":1}""");
        Assert.Contains("\"max_tokens\":1,", Body(chat, "anthropic"));
        Assert.Contains("\"max_output_tokens\":16", Body(chat, "responses"));
    }

    [Theory]
    [InlineData("openai", """{"model":"m","messages":[{"role":"user","content":"x"}],"verbosity":"low"}""", "responses", "\"text\":{\"verbosity\":\"low\"}")]
    [InlineData("responses", """{"model":"m","input":"x","text":{"verbosity":"high","format":{"type":"json_object"}}}""", "gemini", "application/json")]
    public void Verbosity_GoesWhereItHasAWord(string client, string body, string target, string expected)
    {
        using var test = new TestExchange(client, stream: false, body: body);
        string sent = Body(test, target);
        Assert.Contains(expected, sent);
        Assert.DoesNotContain("\"high\"", sent);
    }

    public static TheoryData<string, string> BrokenTexts()
    {
        // Where a text can stand that is broken; "~" is the place.
        (string Client, string Body)[] bodies =
        [
            ("anthropic", """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x~"}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}]}"""),
            ("anthropic", """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{"a~":{"type":"string","description":"~"}}}}]}"""),
            ("anthropic", """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"x~":1}"""),
            ("anthropic", """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t~","name":"f","input":{"a~":"~"}}]}]}"""),
            ("openai", """{"model":"m","messages":[{"role":"user","content":"x~"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a~":{"enum":["~"]}}}}}]}"""),
            ("openai", """{"model":"m","messages":[{"role":"user","content":"x","y~":"~"}],"x~":1}"""),
            ("openai", """{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"~":{}}}}}}"""),
            ("responses", """{"model":"m","input":[{"role":"user","content":"x~"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{"a~":{}}}}]}"""),
            ("responses", """{"model":"m","input":"x","x~":1,"metadata":{"~":"~"}}"""),
            ("responses", """{"model":"m","input":[{"type":"web_search_call","id":"ws~","action":{"sources":[{"url~":"~"}]}},{"role":"user","content":"x"}]}"""),
            ("gemini", """{"contents":[{"parts":[{"text":"x~"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a~":{"type":"STRING"}}}}]}]}"""),
            ("gemini", """{"contents":[{"parts":[{"text":"x"}]}],"x~":1}"""),
            ("gemini", """{"contents":[{"role":"model","parts":[{"codeExecutionResult":{"ou~come":"~","output":"4"}}]},{"parts":[{"text":"x"}]}]}"""),
        ];
        var rows = new TheoryData<string, string>();
        foreach ((string client, string body) in bodies) rows.Add(client, body);
        return rows;
    }

    /// <summary>Half a surrogate pair and bytes that are no UTF-8: the target is sent JSON, or the client is told that its request is wrong.</summary>
    [Theory]
    [MemberData(nameof(BrokenTexts))]
    public void BrokenText_IsSentWholeOrRefused(string client, string body)
    {
        ILogger log = new LoggerConfiguration().MinimumLevel.Debug().CreateLogger();
        foreach (byte[] broken in (byte[][])[[0xC3], [0xFF, 0xFE], [0xED, 0xA0, 0x80], "\\ud800"u8.ToArray(), "\\udc00\\ud800"u8.ToArray()])
        {
            byte[] raw = [.. Encoding.UTF8.GetBytes(body).SelectMany(one => one == (byte)'~' ? broken : [one])];
            foreach (string target in (string[])["anthropic", "openai", "responses", "gemini"])
            {
                if (target == client) continue;
                using var test = new TestExchange(client, rawBody: raw);
                var protocol = (IUpstreamProtocol)TestExchange.Protocols[target];
                var at = new UpstreamTarget(TestExchange.Upstream(target), new ScriptedType(target, protocol, null), protocol, "up-model", null, 0);
                try
                {
                    ReadOnlyMemory<byte> sent = new Translation(new ProofCache(TimeProvider.System), new DropLog(log)).Body(test.Exchange, at, dropsProofs: false);
                    Assert.True(TokenEstimator.Estimate(test.Exchange.ReadRequest()) > 0);
                    Assert.True(Utf8.IsValid(sent.Span));
                    using JsonDocument document = JsonDocument.Parse(sent);
                    Assert.DoesNotContain("\\ud800", document.RootElement.GetRawText().Replace("\\\\", "", StringComparison.Ordinal), StringComparison.Ordinal);
                }
                catch (ProtocolException refused)
                {
                    Assert.Equal(ErrorKind.InvalidRequest, refused.Error.Kind);
                }
            }
        }
    }
}
