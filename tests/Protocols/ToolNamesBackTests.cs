using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using Aiproxy.Tests.Protocols.OpenAIChat;

namespace Aiproxy.Tests.Protocols;

public sealed class ToolNamesBackTests
{
    private static string Back(string upstreamName)
    {
        var sink = new OpenAIRecorder();
        var back = new ToolNamesBack(sink, new ChatRequest
        {
            Model = "m",
            Turns = [],
            Tools = [new ToolDefinition(ToolKind.Function, "files.read"), new ToolDefinition(ToolKind.Function, "g") { Namespace = "ns" }, new ToolDefinition(ToolKind.Function, new string('x', 90))],
        });
        back.Start(default, default);
        back.BlockStart(0, BlockKind.ToolCall, "id"u8, Encoding.UTF8.GetBytes(upstreamName));
        return sink.Calls[^1]["0 ToolCall id ".Length..];
    }

    [Fact]
    public void Alias_BecomesTheClientsName()
    {
        Assert.Equal("files.read", Back(ToolNames.For("files.read", 64)));
        Assert.Equal(new string('x', 90), Back(ToolNames.For(new string('x', 90), 64)));
        Assert.Equal("ns__g", Back("ns__g"));
    }

    [Fact]
    public void E53_InventedName_GoesThrough() => Assert.Equal("multi_tool_use.parallel", Back("multi_tool_use.parallel"));
}
