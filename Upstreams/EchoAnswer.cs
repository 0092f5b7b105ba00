using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>The content of one <c>echo</c> answer as steps for a sink: one word a step.</summary>
public sealed class EchoAnswer(ChatRequest request, EchoScript script)
{
    private const int BytesPerToken = 4;

    public EchoScript Script => script;

    /// <summary>The text of the last user turn; a tool's result when the turn is one; empty when there is none.</summary>
    public static string LastUserText(ChatRequest request)
    {
        Turn? turn = request.Turns.LastOrDefault(turn => turn.Role == TurnRole.User);
        var text = new StringBuilder();
        foreach (Part part in turn?.Parts ?? []) Append(text, part);
        return text.ToString();
    }

    /// <summary>A rough count: four bytes of request a token, at least one.</summary>
    public static long Estimate(long bytes) => Math.Max(1, bytes / BytesPerToken);

    /// <summary>Each step makes one or more calls; run in order, once.</summary>
    public IEnumerable<Action<IResponseSink>> Steps()
    {
        string said = EchoScript.Strip(LastUserText(request));
        ToolDefinition? tool = script.CallsTool && !AnswersATool() ? request.Tools.FirstOrDefault(tool => tool.Kind == ToolKind.Function) : null;
        int block = 0, words = 0;
        yield return sink =>
        {
            sink.Start(default, JsonEncodedText.Encode(request.Model).EncodedUtf8Bytes);
            sink.Usage(new TokenUsage { Input = Estimate(said.Length), CacheRead = 0, CacheWrite = 0 });
        };
        if (script.Thinks)
        {
            int thinking = block++;
            yield return sink => Block(sink, thinking, BlockKind.Thinking, "The user said something. I shall repeat it.");
        }
        int text = block++;
        bool opened = false;
        foreach (string word in Words(said))
        {
            if (script.CutAfter <= words) yield return _ => throw new IOException("echo was asked to break the connection");
            words++;
            bool first = !opened;
            opened = true;
            yield return sink =>
            {
                if (first) sink.BlockStart(text, BlockKind.Text);
                sink.BlockDelta(text, RawJson.Encode(word));
            };
        }
        if (opened) yield return sink => sink.BlockEnd(text);
        if (tool is not null) yield return sink => Call(sink, block, tool, said);
        long output = words + (script.Thinks ? 10 : 0) + (tool is null ? 0 : 10);
        yield return sink =>
        {
            sink.Usage(new TokenUsage { Output = Math.Max(1, output), Reasoning = script.Thinks ? 10 : 0 });
            sink.Finish(tool is null ? FinishReason.EndTurn : FinishReason.ToolUse);
        };
    }

    private IEnumerable<string> Words(string said)
    {
        if (script.Words is { } count)
        {
            for (int i = 0; i < count; i++) yield return i == 0 ? "word" : " word";
            yield break;
        }
        string text = said.Length > 0 ? said : "(nothing was said)";
        for (int at = 0; at < text.Length;)
        {
            int space = text.IndexOf(' ', at + 1);
            int end = space < 0 ? text.Length : space;
            yield return text[at..end];
            at = end;
        }
    }

    private bool AnswersATool() => request.Turns.LastOrDefault(turn => turn.Role == TurnRole.User)?.Parts.Any(part => part is ToolResultPart) == true;

    private static void Block(IResponseSink sink, int block, BlockKind kind, string text)
    {
        sink.BlockStart(block, kind);
        sink.BlockDelta(block, RawJson.Encode(text));
        sink.BlockEnd(block);
    }

    private static void Call(IResponseSink sink, int block, ToolDefinition tool, string said)
    {
        sink.BlockStart(block, BlockKind.ToolCall, toolName: JsonEncodedText.Encode(tool.Name).EncodedUtf8Bytes);
        sink.BlockDelta(block, RawJson.Encode(EchoArguments.For(tool.Schema, said)));
        sink.BlockEnd(block);
    }

    private static void Append(StringBuilder text, Part part)
    {
        switch (part)
        {
            case TextPart said:
                if (text.Length > 0) text.Append(' ');
                text.Append(said.Text.ToString());
                break;
            case ToolResultPart result:
                foreach (Part inner in result.Content) Append(text, inner);
                break;
        }
    }
}
