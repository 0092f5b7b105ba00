using System.Text;

namespace Aiproxy.Tests.EndToEnd;

/// <summary>What a fake upstream does with one request: a script over the raw connection.</summary>
public sealed class FakeAnswer(Func<AnswerStream, Task> script)
{
    public Task PlayAsync(AnswerStream stream) => script(stream);

    public static FakeAnswer Script(Func<AnswerStream, Task> script) => new(script);

    /// <summary>A whole answer with a length.</summary>
    public static FakeAnswer Whole(int status, string contentType, byte[] body, params (string Name, string Value)[] headers) => new(async answer =>
    {
        await answer.HeadAsync(status, [("Content-Type", contentType), .. headers, ("Content-Length", body.Length.ToString())]);
        await answer.RawAsync(body);
    });

    public static FakeAnswer Json(string body, params (string Name, string Value)[] headers) => Json(200, body, headers);

    public static FakeAnswer Json(int status, string body, params (string Name, string Value)[] headers) =>
        Whole(status, "application/json", Encoding.UTF8.GetBytes(body), headers);

    /// <summary>An event stream in chunks, one a text, then its proper end.</summary>
    public static FakeAnswer Sse(params string[] pieces) => Sse([], pieces);

    public static FakeAnswer Sse((string Name, string Value)[] headers, params string[] pieces) => new(async answer =>
    {
        await answer.StreamHeadAsync(headers);
        foreach (var piece in pieces) await answer.ChunkAsync(piece);
        await answer.EndAsync();
    });

    /// <summary>An event stream that is cut inside a chunk after the pieces: the peer sees the connection end too early.</summary>
    public static FakeAnswer CutSse(params string[] pieces) => BreakingSse(Task.CompletedTask, "cut", "", pieces);

    /// <summary>An event stream that goes wrong after the pieces, once the test says so.</summary>
    /// <param name="now">The test has seen what it waited for.</param>
    /// <param name="how"><c>cut</c> inside a chunk, <c>reset</c>, or anything else for a clean end.</param>
    /// <param name="last">Sent right before it.</param>
    public static FakeAnswer BreakingSse(Task now, string how, string last, params string[] pieces) => new(async answer =>
    {
        await answer.StreamHeadAsync();
        foreach (var piece in pieces) await answer.ChunkAsync(piece);
        await answer.GateAsync(now);
        await answer.ChunkAsync(last);
        if (how == "cut")
        {
            await answer.RawAsync("40\r\nhalf a chunk");
            answer.Close();
        }
        else if (how == "reset") answer.Reset();
        else await answer.EndAsync();
    });

    /// <summary>Says nothing until the peer goes away.</summary>
    public static FakeAnswer Silence() => new(answer => answer.StallAsync());

    /// <summary>Headers of a stream and the pieces, then nothing until the peer goes away.</summary>
    public static FakeAnswer StallAfter(params string[] pieces) => new(async answer =>
    {
        await answer.StreamHeadAsync();
        foreach (var piece in pieces) await answer.ChunkAsync(piece);
        await answer.StallAsync();
    });

    /// <summary>Bytes that are no HTTP, then the end.</summary>
    public static FakeAnswer Garbage(string text) => new(async answer =>
    {
        await answer.RawAsync(text);
        answer.Close();
    });

    /// <summary>Resets the connection instead of an answer.</summary>
    public static FakeAnswer ResetAtOnce() => new(answer =>
    {
        answer.Reset();
        return Task.CompletedTask;
    });
}
