using System.Buffers;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>What clients speak. Stateless; one object for the life of the process.</summary>
public interface IClientProtocol
{
    /// <summary><c>anthropic</c>, <c>openai</c>, <c>responses</c> or <c>gemini</c>: the api_type whose upstreams speak the same.</summary>
    string Name { get; }

    /// <summary>Which call a path is, or null. <paramref name="path"/> is decoded, has no query, and a doubled or missing version prefix is already put right.</summary>
    RequestTarget? Match(string path);

    /// <summary>Model and stream, without building a model of the rest. Checks the whole body as JSON (256 levels at most).</summary>
    /// <exception cref="ProtocolException">No JSON (with line and column), not an object, model missing or not a string.</exception>
    RequestHead ReadHead(RequestTarget target, string query, ReadOnlySpan<byte> body);

    /// <summary>The whole request in neutral words.</summary>
    /// <exception cref="ProtocolException">A member has a type that the protocol does not allow; with its JSON path.</exception>
    ChatRequest ReadRequest(JsonElement body, RequestHead head);

    IResponseWriter CreateWriter(IBufferWriter<byte> output, WriterOptions options);

    /// <summary>For an upstream of this protocol that streams to a client that wants one answer.</summary>
    IAnswerFold CreateFold();

    /// <summary>Writes the error envelope; returns the HTTP status that goes with it.</summary>
    int WriteError(IBufferWriter<byte> output, ProxyError error, string requestId);

    /// <summary>The model list, or one entry of it.</summary>
    void WriteModels(IBufferWriter<byte> output, IReadOnlyList<ModelEntry> models, bool single);

    /// <summary>A local answer to the protocol's token-count call.</summary>
    void WriteTokenCount(IBufferWriter<byte> output, long tokens);
}

/// <summary>A call of a client.</summary>
/// <param name="PathModel">Gemini names the model in the path, decoded, without <c>models/</c>; null elsewhere.</param>
/// <param name="PathStreams">Gemini's verb says whether to stream; null elsewhere.</param>
public sealed record RequestTarget(Operation Operation, string? PathModel = null, bool? PathStreams = null);

public enum Operation { Generate, CountTokens, Compact, Retrieve }

/// <summary>What routing needs of a request.</summary>
public sealed record RequestHead
{
    public required RequestTarget Target { get; init; }

    /// <summary>The client's model name, decoded.</summary>
    public required string Model { get; init; }

    public required bool Stream { get; init; }

    /// <summary>Where the body names the model at its top level (all duplicates): byte ranges of the JSON string tokens, quotes included, ascending.</summary>
    public IReadOnlyList<Range> ModelTokens { get; init; } = [];

    /// <summary>The body has <c>input</c> and no <c>messages</c>: some editors post a Responses body to the Chat path.</summary>
    public bool HasInputOnly { get; init; }

    /// <summary>Gemini streams without <c>alt=sse</c>: a JSON array.</summary>
    public bool JsonArray { get; init; }
}

/// <summary>What a writer must know of the request.</summary>
public sealed record WriterOptions
{
    public required bool Stream { get; init; }

    /// <summary>The client's model name, which the answer repeats.</summary>
    public required string Model { get; init; }

    public bool JsonArray { get; init; }

    /// <summary>Responses: the answer is kept for later turns that refer to it.</summary>
    public bool IsKept { get; init; }

    /// <summary>Responses: the earlier answer that the request referred to; null: none.</summary>
    public string? PreviousResponseId { get; init; }

    /// <summary>Chat streams: emit the usage chunk.</summary>
    public bool IncludeUsage { get; init; } = true;

    /// <summary>Prompt tokens as <see cref="TokenEstimator"/> guesses them, for protocols that tell them before the upstream does; 0: nobody guessed.</summary>
    public long EstimatedInput { get; init; }

    /// <summary>Seconds since 1970, for protocols whose answers carry a time.</summary>
    public required long Created { get; init; }

    /// <summary>For protocols whose answers tell when they ended; null: they end when they were created.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>Makes ids unique: 24 characters of <c>[A-Za-z0-9]</c>, new for each answer.</summary>
    public required string IdSeed { get; init; }

    /// <summary>The translated request, for what an answer echoes; null where the request was not read.</summary>
    public ChatRequest? Request { get; init; }
}

/// <summary>One model of a list.</summary>
public sealed record ModelEntry(string Id, int? ContextWindow = null, int? MaxOutputTokens = null);
