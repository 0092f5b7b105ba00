using System.Text;

namespace Aiproxy.Bench;

/// <summary>Gemini: a chunk holds a sentence or two, each with the usage so far; a call comes whole, whatever the number of deltas asked for.</summary>
public sealed class GeminiScript : StreamScript
{
    private const int WordsPerChunk = 16;

    protected override void Begin() { }

    protected override void Thinking(int deltas)
    {
        for (int i = 0; i < deltas; i++) Chunk($$"""{"text":"{{Words.Next(WordsPerChunk)}}","thought":true}""");
    }

    protected override void Text(int deltas)
    {
        for (int i = 0; i < deltas; i++) Chunk($$"""{"text":"{{Words.Next(WordsPerChunk)}}"}""");
    }

    protected override void Call(int number, int deltas)
    {
        var text = new StringBuilder();
        for (int i = 0; i < deltas; i++) text.Append(Words.Next(1));
        Chunk($$$"""{"functionCall":{"name":"write_file","args":{"path":"src/main.cs","text":"{{{text}}}"}},"thoughtSignature":"{{{new string('G', 400)}}}"}""");
    }

    protected override void End() => Chunk("""{"text":""}""", "\"finishReason\":\"STOP\",");

    private void Chunk(string part, string finish = "") => Add(System.Runtime.CompilerServices.FormattableStringFactory.Create("{0}\r\n\r\n", $$$"""
        data: {"candidates":[{"content":{"parts":[{{{part}}}],"role":"model"},{{{finish}}}"index":0}],"usageMetadata":{"promptTokenCount":1241,"candidatesTokenCount":{{{Events}}},"totalTokenCount":{{{Events + 1261}}},"cachedContentTokenCount":1200,"thoughtsTokenCount":20,"promptTokensDetails":[{"modality":"TEXT","tokenCount":1241}]},"modelVersion":"gemini-3-pro-preview","responseId":"respBenchBench"}
        """));
}
