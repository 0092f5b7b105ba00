using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>Takes the events of one answer in order. Calls are synchronous; spans live only for the call.</summary>
/// <remarks>Order: Start, then blocks (several may be open at once, each keyed by a number of the reader's that is never used twice), Usage whenever it is
/// told (running total, the last told value of each field counts), then exactly one of Finish and Fail; nothing after that.</remarks>
public interface IResponseSink
{
    /// <param name="id">The answer's id, raw bytes without quotes; empty: none told.</param>
    /// <param name="model">The model that the upstream names; empty: none told.</param>
    void Start(ReadOnlySpan<byte> id, ReadOnlySpan<byte> model);

    /// <param name="toolId">For calls: id, raw bytes of the JSON string without quotes; empty: the wire has none.</param>
    /// <param name="toolName">For calls: name, likewise; never empty.</param>
    void BlockStart(int block, BlockKind kind, ReadOnlySpan<byte> toolId = default, ReadOnlySpan<byte> toolName = default);

    /// <summary>More text, thinking, refusal, or JSON text of tool arguments.</summary>
    /// <param name="jsonString">A whole JSON string token, quotes included, exactly as it may be written into another JSON text.</param>
    void BlockDelta(int block, ReadOnlySpan<byte> jsonString);

    /// <summary>The proof that belongs to a block. The last one counts.</summary>
    /// <param name="jsonString">As in <see cref="BlockDelta"/>.</param>
    void BlockSeal(int block, SealKind kind, ReadOnlySpan<byte> jsonString);

    /// <summary>A source that a text block rests on. Comes any time after the block's start and before Finish, also behind its end: some upstreams tell all
    /// sources last.</summary>
    void BlockCite(int block, Citation citation);

    /// <summary>A block ended whole. Never called for a block that a failure cut.</summary>
    void BlockEnd(int block);

    void Usage(in TokenUsage total);

    /// <param name="stopSequence">The stop sequence that ended the answer, a JSON string token; empty: none or unknown.</param>
    void Finish(FinishReason reason, ReadOnlySpan<byte> stopSequence = default);

    void Fail(ProxyError error);
}

public enum BlockKind
{
    Text,

    Thinking,

    /// <summary>Deltas are JSON text of the arguments object.</summary>
    ToolCall,

    /// <summary>Deltas are free text.</summary>
    CustomToolCall,

    /// <summary>The model refuses in words.</summary>
    Refusal,

    /// <summary>Content that only the wire it came from can express, such as a server tool. It has no deltas; it is output all the same.</summary>
    Foreign,
}

/// <summary>Why an answer ended, when it ended properly.</summary>
public enum FinishReason { EndTurn, ToolUse, StopSequence, MaxTokens, ContextOverflow, Refusal, Pause }
