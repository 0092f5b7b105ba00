using System.Text;

namespace Aiproxy.Tests.StreamInvariants;

/// <summary>What every Gemini stream towards a client obeys: only data lines (or elements of one array), every chunk with a part, whole calls, one finishReason in
/// the last chunk, together with the usage; or a bare error object. No comments, no event lines, no [DONE]: they kill clients.</summary>
public sealed class GeminiStream
{
    private readonly bool _forwarded;
    private string? _responseId;
    private string? _model;
    private int _chunks;
    private StreamEnd? _end;

    private GeminiStream(bool forwarded) => _forwarded = forwarded;

    /// <param name="forwarded">The bytes are an upstream's: its last chunk may have no parts.</param>
    public static StreamEnd CheckSse(ReadOnlySpan<byte> sse, bool forwarded = false)
    {
        var stream = new GeminiStream(forwarded);
        List<SseBlock> blocks = SseBlock.Read(sse, out string rest);
        if (blocks.Count > 0 && blocks[^1].Data is null && rest.Length == 0) throw Node.Broken(blocks[^1].Where, "a comment in a Gemini stream");
        foreach (SseBlock block in blocks)
        {
            if (block.IsComment) throw Node.Broken(block.Where, "a comment in a Gemini stream");
            if (block.Event is not null) throw Node.Broken(block.Where, "an event line in a Gemini stream");
            if (!block.DataLine!.StartsWith("data: ", StringComparison.Ordinal)) throw Node.Broken(block.Where, "no space after 'data:'");
            Node chunk = Node.ParseObject(block.Data!, block.Where);
            chunk.Check(!chunk.Has("error"), "an error behind 'data:' is not seen by older clients, it must be bare");
            stream.Chunk(chunk);
        }
        if (rest.Length > 0) stream.Error(Node.ParseObject(rest, "rest behind the last event"));
        return stream.End();
    }

    public static StreamEnd CheckArray(ReadOnlySpan<byte> json, bool forwarded = false)
    {
        var stream = new GeminiStream(forwarded);
        foreach (Node element in Node.Parse(Encoding.UTF8.GetString(json), "array").Items)
        {
            if (element.Has("error")) stream.Error(element);
            else stream.Chunk(element);
        }
        return stream.End();
    }

    private StreamEnd End() => _end ?? throw Node.Broken("end of the stream", "neither a finishReason nor an error came");

    private void Error(Node data)
    {
        data.Check(_end is null, "something follows the end of the stream");
        Node error = data["error"];
        error.Check(error.Number("code") is >= 400 and <= 599, "code must be from 400 to 599, clients ignore others");
        error.Name("message");
        error.Name("status");
        _end = StreamEnd.Failed;
    }

    private void Chunk(Node chunk)
    {
        chunk.Check(_end is null, "something follows the end of the stream");
        _chunks++;
        Constant(chunk, "responseId", ref _responseId);
        Constant(chunk, "modelVersion", ref _model);
        if (chunk.Optional("candidates") is not Node candidates)
        {
            // A blocked prompt has no candidates and ends the answer.
            chunk["promptFeedback"].Name("blockReason");
            _end = StreamEnd.Finished;
            return;
        }
        chunk.Check(!chunk.Has("promptFeedback"), "promptFeedback and candidates exclude each other");
        chunk.Check(candidates.Items.Count == 1, "exactly one candidate expected");
        Node candidate = candidates.Items[0];
        if (candidate.Has("index")) candidate.CheckNumber("index", 0);
        bool last = candidate.Optional("finishReason") is not null;
        Content(candidate, last);
        if (!last) return;
        candidate.Name("finishReason");
        Usage(chunk["usageMetadata"]);
        chunk.Check(_responseId is not null && _model is not null, "responseId or modelVersion never came");
        _end = StreamEnd.Finished;
    }

    private void Content(Node candidate, bool last)
    {
        if (_forwarded && last && candidate.Optional("content")?.Optional("parts") is null) return;
        Node content = candidate["content"];
        content.CheckText("role", "model");
        IReadOnlyList<Node> parts = content["parts"].Items;
        content.Check(parts.Count > 0, "parts must not be empty");
        foreach (Node part in parts)
        {
            part.Check(part.IsObject && part.Json.EnumerateObject().Any(), "a part must not be empty");
            if (part.Optional("functionCall") is not Node call) continue;
            call.Name("name");
            call.Check(!call.Has("args") || call["args"].IsObject, "args must be an object");
            call.Check(!call.Has("partialArgs") && !call.Has("willContinue"), "a call must come whole");
        }
    }

    private static void Constant(Node chunk, string name, ref string? value)
    {
        if (chunk.Optional(name) is null) return;
        string now = chunk.Name(name);
        chunk.Check(value is null || value == now, $"{name} changed from {value} to {now}");
        value = now;
    }

    /// <summary>Zero counters are left out.</summary>
    private static void Usage(Node usage)
    {
        long sum = new[] { "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount" }.Sum(name => usage.Has(name) ? usage.Number(name) : 0);
        if (sum > 0 || usage.Has("totalTokenCount")) usage.CheckNumber("totalTokenCount", sum);
    }
}
