using System.Text.Json;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

/// <summary>A stored body and what a sound reader makes of it.</summary>
/// <param name="Frames">Elements of the manifest.</param>
/// <param name="Fault">Null: the body is sound.</param>
/// <param name="FaultOffset">Where the broken frame begins.</param>
public sealed record AwsVector(string File, byte[] Body, JsonElement[] Frames, FrameFault? Fault, int FaultOffset, int[] ChunkSizes);

/// <summary>The stored bodies, made and checked by others.</summary>
public static class AwsVectors
{
    private static readonly Dictionary<string, FrameFault> Faults = new()
    {
        ["prelude_crc"] = FrameFault.PreludeChecksum,
        ["length_too_short"] = FrameFault.TooShort,
        ["headers_length"] = FrameFault.HeadersLength,
        ["length_too_large"] = FrameFault.TooLong,
        ["truncated"] = FrameFault.Truncated,
        ["message_crc"] = FrameFault.MessageChecksum,
        ["header_name"] = FrameFault.HeaderName,
        ["header_type"] = FrameFault.HeaderType,
        ["header_value"] = FrameFault.HeaderValue,
        ["header_utf8"] = FrameFault.HeaderText,
        ["duplicate_header"] = FrameFault.DuplicateHeader,
        ["too_many_headers"] = FrameFault.TooManyHeaders,
    };

    private static readonly Lazy<JsonElement> Manifest = new(() => JsonDocument.Parse(File.ReadAllBytes(PathOf("manifest.json"))).RootElement);

    public static IEnumerable<string> Names => Manifest.Value.GetProperty("vectors").EnumerateArray().Select(vector => vector.GetProperty("file").GetString()!);

    /// <summary>Bodies that only a program can hold.</summary>
    public static IEnumerable<JsonElement> Generated => Manifest.Value.GetProperty("generated").EnumerateArray();

    public static FrameFault FaultOf(string name) => Faults[name];

    public static AwsVector Load(string file)
    {
        JsonElement vector = Manifest.Value.GetProperty("vectors").EnumerateArray().Single(entry => entry.GetProperty("file").ValueEquals(file));
        bool isBroken = vector.TryGetProperty("error", out JsonElement error);
        return new AwsVector(
            file,
            File.ReadAllBytes(PathOf(file)),
            [.. vector.GetProperty("frames").EnumerateArray()],
            isBroken ? Faults[error.GetString()!] : null,
            isBroken ? vector.GetProperty("error_offset").GetInt32() : 0,
            vector.TryGetProperty("chunk_sizes", out JsonElement sizes) ? [.. sizes.EnumerateArray().Select(size => size.GetInt32())] : []);
    }

    private static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "fixtures", "eventstream", file);
}
