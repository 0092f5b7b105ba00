using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Model and mode come from path and query; the body is checked for being JSON and looked through for repeated model names.</summary>
public static class GeminiHeadReader
{
    /// <exception cref="ProtocolException">As <see cref="IClientProtocol.ReadHead"/>.</exception>
    public static RequestHead Read(RequestTarget target, string query, ReadOnlySpan<byte> body)
    {
        if (string.IsNullOrEmpty(target.PathModel)) throw new ProtocolException(ErrorKind.InvalidRequest, "model: missing in the path", "model");
        var tokens = new List<Range>();
        try
        {
            var scan = new JsonScan(body);
            while (scan.Next())
            {
                if (scan.IsString && scan.Is("model"u8)) tokens.Add(scan.Start..(scan.Start + scan.Value.Length));
                else if (scan.Is("generateContentRequest"u8) || scan.Is("generate_content_request"u8)) Nested(scan.Value, scan.Start, tokens);
            }
            if (scan.Root != JsonTokenType.StartObject) throw new ProtocolException(ErrorKind.InvalidRequest, "the body is not a JSON object");
        }
        catch (JsonException broken)
        {
            throw new ProtocolException(ErrorKind.InvalidRequest,
                $"the body is not valid JSON (line {broken.LineNumber + 1}, column {broken.BytePositionInLine + 1})");
        }
        bool streams = target.PathStreams == true;
        return new RequestHead
        {
            Target = target,
            Model = target.PathModel,
            Stream = streams,
            ModelTokens = tokens,
            JsonArray = streams && !GeminiPath.WantsEvents(query),
        };
    }

    private static void Nested(ReadOnlySpan<byte> json, int start, List<Range> tokens)
    {
        var scan = new JsonScan(json);
        while (scan.Next())
        {
            if (scan.IsString && scan.Is("model"u8)) tokens.Add((start + scan.Start)..(start + scan.Start + scan.Value.Length));
        }
    }
}
