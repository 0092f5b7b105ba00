using System.Text;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Protocols.OpenAIChat;

/// <summary>Writes down what a reader pushes, and fails the test where the order of calls is broken.</summary>
internal sealed class OpenAIRecorder : IResponseSink
{
    private readonly HashSet<int> _open = [], _used = [];
    private bool _isStarted, _isEnded;

    public List<string> Calls { get; } = [];

    public Dictionary<int, string> Texts { get; } = [];

    public TokenUsage Total { get; private set; }

    public ProxyError? Error { get; private set; }

    public FinishReason? Reason { get; private set; }

    /// <summary>Calls in one line, deltas joined.</summary>
    public string Log => string.Join(" | ", Calls);

    public void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model)
    {
        Assert.False(_isStarted || _isEnded);
        _isStarted = true;
        Calls.Add($"start {Encoding.UTF8.GetString(id)} {Encoding.UTF8.GetString(model)}");
    }

    public void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default)
    {
        Assert.True(_isStarted && !_isEnded);
        Assert.True(_used.Add(block) && _open.Add(block), "block number used twice");
        if (kind is BlockKind.ToolCall or BlockKind.CustomToolCall) Assert.False(toolName.IsEmpty);
        Calls.Add(toolName.IsEmpty ? $"{block} {kind}" : $"{block} {kind} {Encoding.UTF8.GetString(toolId)} {Encoding.UTF8.GetString(toolName)}");
        Texts[block] = "";
    }

    public void BlockDelta(int block, ReadOnlySpan<byte> jsonString)
    {
        Assert.False(_isEnded);
        Assert.Contains(block, _open);
        Assert.True(jsonString.Length >= 2 && jsonString[0] == '"' && jsonString[^1] == '"');
        string text = RawJson.Decode(jsonString);
        Texts[block] += text;
        if (Calls[^1].StartsWith($"{block} +", StringComparison.Ordinal)) Calls[^1] += text;
        else Calls.Add($"{block} +{text}");
    }

    public void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString)
    {
        Assert.Contains(block, _open);
        Calls.Add($"{block} seal {kind} {RawJson.Decode(jsonString)}");
    }

    public void BlockCite(int block, Citation citation)
    {
        Assert.False(_isEnded);
        Assert.Contains(block, _used);
        Calls.Add($"{block} cite {citation.Url} {citation.Title} {citation.Start}-{citation.End}");
    }

    public void BlockEnd(int block)
    {
        Assert.False(_isEnded);
        Assert.True(_open.Remove(block));
        Calls.Add($"{block} end");
    }

    public void Usage(in TokenUsage total)
    {
        Assert.False(_isEnded);
        Total = total.Over(Total);
    }

    public void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default)
    {
        Assert.True(_isStarted && !_isEnded);
        Assert.Empty(_open);
        _isEnded = true;
        Reason = reason;
        Calls.Add(stopSequence.IsEmpty ? $"finish {reason}" : $"finish {reason} {RawJson.Decode(stopSequence)}");
    }

    public void Fail(ProxyError error)
    {
        Assert.False(_isEnded);
        _isEnded = true;
        Error = error;
        Calls.Add($"fail {error.Kind}");
    }
}

/// <summary>Feeds transcripts to readers.</summary>
internal static class OpenAITranscript
{
    public static string Load(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "fixtures", name));

    /// <summary>The events of an SSE text: name and data.</summary>
    public static List<(string Event, string Data)> Split(string text)
    {
        var events = new List<(string, string)>();
        foreach (string block in text.Replace("\r\n", "\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string name = "";
            var data = new List<string>();
            foreach (string line in block.Split('\n'))
            {
                if (line.StartsWith("event:", StringComparison.Ordinal)) name = line[6..].Trim();
                else if (line.StartsWith("data:", StringComparison.Ordinal)) data.Add(line[5..].TrimStart(' '));
            }
            if (data.Count > 0) events.Add((name, string.Join('\n', data)));
        }
        return events;
    }

    public static void Feed(IResponseReader reader, string name, string data) =>
        reader.Read(new Frame { Event = Encoding.UTF8.GetBytes(name), Data = Encoding.UTF8.GetBytes(data) });

    /// <summary>A whole stream, then its end.</summary>
    public static void Feed(IResponseReader reader, string text)
    {
        foreach ((string name, string data) in Split(text)) Feed(reader, name, data);
        reader.Complete();
    }

    public static WriterOptions Options(bool stream, ChatRequest? request = null, bool includeUsage = true) => new()
    {
        Stream = stream,
        Model = "my-model",
        Created = 1795000000,
        IdSeed = "Seed0123456789abcdefABCD",
        Request = request,
        IncludeUsage = includeUsage,
    };
}
