using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Tests.Conversations;

/// <summary>One conversation in no vendor's words: a request, and where it fits the answer as a series of sink calls. Read from
/// <c>fixtures/conversations/NAME.json</c>; the golden files of each protocol stand beside it.</summary>
public sealed class ConversationCase
{
    private readonly JsonElement _json;

    private ConversationCase(string name, JsonElement json)
    {
        Name = name;
        _json = json;
        Request = NeutralRequest.Read(json.GetProperty("request"));
    }

    public string Name { get; }

    public ChatRequest Request { get; }

    public bool HasAnswer => _json.TryGetProperty("answer", out _);

    public static string Folder => Path.Combine(AppContext.BaseDirectory, "fixtures", "conversations");

    /// <summary>Where the files are kept, to be written anew.</summary>
    public static string SourceFolder([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "..", "fixtures", "conversations");

    public static IReadOnlyList<string> Names =>
        [.. Directory.GetFiles(Folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    public static ConversationCase Load(string name)
    {
        JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, name + ".json")));
        return new ConversationCase(name, document.RootElement);
    }

    /// <summary>The model that the request goes to: the case's own where the protocol's usual one would not show what the case is about.</summary>
    public string Model(Speech speech) =>
        _json.TryGetProperty("models", out JsonElement models) && models.TryGetProperty(speech.Name, out JsonElement model) ? model.GetString()! : speech.Model;

    /// <summary>Plays the answer, as it is behind what takes an answer's form for a call. Strings of deltas go out as the very tokens that the file has.</summary>
    public void Play(IResponseSink sink)
    {
        if (Request.Output?.Schema is not null) sink = new JsonResponse(sink, Request);
        foreach (JsonElement call in _json.GetProperty("answer").EnumerateArray()) Play(sink, [.. call.EnumerateArray()]);
    }

    private static void Play(IResponseSink sink, JsonElement[] call)
    {
        switch (call[0].GetString())
        {
            case "start": sink.Start(Inner(call, 1), Inner(call, 2)); break;
            case "block": sink.BlockStart(call[1].GetInt32(), Enum.Parse<BlockKind>(call[2].GetString()!), Inner(call, 3), Inner(call, 4)); break;
            case "delta": sink.BlockDelta(call[1].GetInt32(), JsonMarshal.GetRawUtf8Value(call[2])); break;
            case "seal": sink.BlockSeal(call[1].GetInt32(), Enum.Parse<SealKind>(call[2].GetString()!), JsonMarshal.GetRawUtf8Value(call[3])); break;
            case "cite": sink.BlockCite(call[1].GetInt32(), NeutralRequest.ReadCitation(call[2])); break;
            case "end": sink.BlockEnd(call[1].GetInt32()); break;
            case "usage": sink.Usage(Usage(call[1])); break;
            case "finish": sink.Finish(Enum.Parse<FinishReason>(call[1].GetString()!), call.Length > 2 ? JsonMarshal.GetRawUtf8Value(call[2]) : default); break;
            case "fail": sink.Fail(new ProxyError(Enum.Parse<ErrorKind>(call[1].GetString()!), call[2].GetString()!)); break;
            default: throw new InvalidDataException($"no sink call: {call[0]}");
        }
    }

    private static ReadOnlySpan<byte> Inner(JsonElement[] call, int index) => call.Length > index ? JsonMarshal.GetRawUtf8Value(call[index])[1..^1] : default;

    private static TokenUsage Usage(JsonElement json)
    {
        return new TokenUsage
        {
            Input = Long("input"),
            CacheRead = Long("cacheRead"),
            CacheWrite = Long("cacheWrite"),
            CacheWriteHour = Long("cacheWriteHour"),
            Output = Long("output"),
            Reasoning = Long("reasoning"),
        };

        long? Long(string name) => json.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : null;
    }
}
