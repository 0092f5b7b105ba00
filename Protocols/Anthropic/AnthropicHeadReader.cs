using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Finds model and stream in a body without building anything of the rest.</summary>
public static class AnthropicHeadReader
{
    /// <exception cref="ProtocolException">As <see cref="IClientProtocol.ReadHead"/>.</exception>
    public static RequestHead Read(RequestTarget target, ReadOnlySpan<byte> body)
    {
        try
        {
            return Scan(target, body);
        }
        catch (JsonException broken)
        {
            throw new ProtocolException(ErrorKind.InvalidRequest,
                $"the body is not valid JSON (line {broken.LineNumber + 1}, column {broken.BytePositionInLine + 1})");
        }
    }

    private static RequestHead Scan(RequestTarget target, ReadOnlySpan<byte> body)
    {
        string? model = null;
        bool stream = false, isWrongModel = false, isWrongStream = false;
        var tokens = new List<Range>();
        var scan = new JsonScan(body);
        while (scan.Next())
        {
            if (scan.Is("model"u8))
            {
                isWrongModel = !scan.IsString;
                model = scan.IsString ? RawJson.Decode(scan.Value) : null;
                if (scan.IsString) tokens.Add(scan.Start..(scan.Start + scan.Value.Length));
            }
            else if (scan.Is("stream"u8))
            {
                isWrongStream = scan.Kind is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null);
                stream = scan.Kind == JsonTokenType.True;
            }
        }
        if (scan.Root != JsonTokenType.StartObject) throw new ProtocolException(ErrorKind.InvalidRequest, "the body is not a JSON object");
        if (isWrongModel) throw new ProtocolException(ErrorKind.InvalidRequest, "model: expected a string", "model");
        if (string.IsNullOrEmpty(model)) throw new ProtocolException(ErrorKind.InvalidRequest, "model: field required", "model");
        if (isWrongStream) throw new ProtocolException(ErrorKind.InvalidRequest, "stream: expected true or false", "stream");
        return new RequestHead { Target = target, Model = model, Stream = stream && target.Operation == Operation.Generate, ModelTokens = tokens };
    }
}
