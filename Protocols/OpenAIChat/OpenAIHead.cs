using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Model and stream of a Chat or Responses body, without building anything of the rest.</summary>
public static class OpenAIHead
{
    /// <exception cref="ProtocolException">No JSON, no object, or no model.</exception>
    public static RequestHead Read(RequestTarget target, ReadOnlySpan<byte> body)
    {
        // Fetching a stored response names no model and has no body.
        if (target.Operation == Operation.Retrieve) return new RequestHead { Target = target, Model = "", Stream = false };

        string? model = null;
        bool stream = false;
        var tokens = new List<Range>();
        try
        {
            var reader = new Utf8JsonReader(body, isFinalBlock: true, new JsonReaderState(new JsonReaderOptions { MaxDepth = JsonMembers.MaxDepth }));
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new ProtocolException(ErrorKind.InvalidRequest, "the request body is not a JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isModel = reader.ValueSpan.SequenceEqual("model"u8), isStream = reader.ValueSpan.SequenceEqual("stream"u8);
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                if (isModel)
                {
                    if (reader.TokenType != JsonTokenType.String) throw new ProtocolException(ErrorKind.InvalidRequest, "model: expected a string", "model");
                    Range token = start..(int)reader.BytesConsumed;
                    model = RawJson.Decode(body[token]);
                    tokens.Add(token);
                }
                else if (isStream)
                {
                    stream = reader.TokenType switch
                    {
                        JsonTokenType.True => true,
                        JsonTokenType.False or JsonTokenType.Null => false,
                        _ => throw new ProtocolException(ErrorKind.InvalidRequest, "stream: expected true or false", "stream"),
                    };
                }
                reader.Skip();
            }
            while (reader.Read()) { }
        }
        catch (JsonException fault)
        {
            throw new ProtocolException(ErrorKind.InvalidRequest, $"the request body is not valid JSON (line {fault.LineNumber + 1}, column {fault.BytePositionInLine + 1})");
        }
        if (string.IsNullOrEmpty(model)) throw new ProtocolException(ErrorKind.InvalidRequest, "model: required", "model");
        return new RequestHead { Target = target, Model = model, Stream = stream, ModelTokens = tokens };
    }
}
