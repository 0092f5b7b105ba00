using System.Text.Json;

namespace Aiproxy.Tests.Protocols.Anthropic;

/// <summary>Checks a Messages stream by the protocol's grammar: dense indices, one open block at a time, one end.</summary>
public static class AnthropicGrammar
{
    public static void Check(string sse)
    {
        Assert.EndsWith("\n\n", sse, StringComparison.Ordinal);
        int next = 0, open = -1, deltas = 0;
        bool started = false, ended = false;
        string kind = "";
        foreach ((string name, string data) in Wire.Events(sse))
        {
            Assert.False(ended, "something after the end");
            using JsonDocument document = JsonDocument.Parse(data);
            JsonElement root = document.RootElement;
            Assert.Equal(name, root.GetProperty("type").GetString());
            if (name == "ping") continue;
            Assert.Equal(name == "message_start", !started);
            switch (name)
            {
                case "message_start":
                    started = true;
                    Assert.Equal(0, root.GetProperty("message").GetProperty("content").GetArrayLength());
                    Assert.Equal(0, root.GetProperty("message").GetProperty("usage").GetProperty("input_tokens").GetInt64());
                    break;
                case "content_block_start":
                    Assert.Equal(-1, open);
                    open = root.GetProperty("index").GetInt32();
                    Assert.Equal(next++, open);
                    kind = root.GetProperty("content_block").GetProperty("type").GetString()!;
                    break;
                case "content_block_delta":
                    Assert.Equal(open, root.GetProperty("index").GetInt32());
                    string delta = root.GetProperty("delta").GetProperty("type").GetString()!;
                    Assert.Contains($"{kind}:{delta}", (string[])["text:text_delta", "thinking:thinking_delta", "thinking:signature_delta", "tool_use:input_json_delta"]);
                    break;
                case "content_block_stop":
                    Assert.Equal(open, root.GetProperty("index").GetInt32());
                    open = -1;
                    break;
                case "message_delta":
                    Assert.Equal(-1, open);
                    Assert.Equal(0, deltas++);
                    Assert.Equal(JsonValueKind.Number, root.GetProperty("usage").GetProperty("output_tokens").ValueKind);
                    Assert.Equal(JsonValueKind.String, root.GetProperty("delta").GetProperty("stop_reason").ValueKind);
                    break;
                case "message_stop":
                    Assert.Equal(1, deltas);
                    ended = true;
                    break;
                case "error":
                    Assert.Equal(0, deltas);
                    ended = true;
                    break;
                default:
                    Assert.Fail($"unknown event {name}");
                    break;
            }
        }
        Assert.True(ended, "no end");
    }
}
