using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols;

/// <summary>A token of a body. <paramref name="Token"/> counts bytes of the body as it came and includes a string's quotes; of an object or
/// array it is the opening bracket only.</summary>
public readonly record struct ScannedToken(Range Token, JsonTokenType Kind);

/// <summary>What one pass over a request body tells: that it is JSON, and the few top-level properties that routing needs.</summary>
public sealed class BodyScan
{
    /// <summary>Deepest nesting that is accepted, the body's own object included.</summary>
    public const int MaxLevels = 256;

    /// <summary>One level above the limit is let through to be refused in our own words.</summary>
    internal static readonly JsonReaderOptions Options = new() { MaxDepth = MaxLevels + 1, CommentHandling = JsonCommentHandling.Disallow };

    /// <summary>Bytes of a character written as a \u escape: a longer name cannot be the one searched for.</summary>
    private const int EscapeFactor = 6;

    private readonly List<ScannedToken> _models = [];
    private readonly List<ScannedToken> _nestedModels = [];

    private BodyScan() { }

    /// <summary>Values of the top-level <c>model</c> properties, in order; the last one counts.</summary>
    public IReadOnlyList<ScannedToken> Models => _models;

    /// <summary>The same inside the nested object that was asked for.</summary>
    public IReadOnlyList<ScannedToken> NestedModels => _nestedModels;

    /// <summary>What the last <c>stream</c> is; <see cref="JsonTokenType.None"/>: there is none.</summary>
    public JsonTokenType StreamKind { get; private set; }

    /// <summary>The last <c>stream</c> is JSON true; nothing else asks for a stream.</summary>
    public bool Stream => StreamKind == JsonTokenType.True;

    public bool HasInput { get; private set; }

    public bool HasMessages { get; private set; }

    public bool HasContents { get; private set; }

    /// <summary>Checks the whole body. A byte order mark in front is skipped; it counts in the ranges.</summary>
    /// <param name="nestedObject">Name of a top-level object whose <c>model</c> is listed too.</param>
    /// <exception cref="ProtocolException">No JSON, with line and column (in bytes, both from 1); not an object; more
    /// than <see cref="MaxLevels"/> levels.</exception>
    public static BodyScan Scan(ReadOnlySpan<byte> body, string? nestedObject = null)
    {
        int skipped = body.StartsWith("\uFEFF"u8) ? 3 : 0;
        ReadOnlySpan<byte> json = body[skipped..];
        if (json.IndexOfAnyExcept(" \t\r\n"u8) < 0) throw new ProtocolException(ErrorKind.InvalidRequest, "the request body is empty");

        var scan = new BodyScan();
        var reader = new Utf8JsonReader(json, Options);
        try
        {
            scan.Walk(ref reader, json, skipped, nestedObject is null ? default : Encoding.UTF8.GetBytes(nestedObject));
        }
        catch (JsonException exception)
        {
            throw BodyFault.Of(json, exception, afterEnd: reader is { TokenType: JsonTokenType.EndObject, CurrentDepth: 0 });
        }
        return scan;
    }

    /// <summary>Scan and head in one, for protocols that name model and stream in the body.</summary>
    /// <exception cref="ProtocolException">As <see cref="Scan"/> and <see cref="ToHead"/>.</exception>
    public static RequestHead Head(RequestTarget target, ReadOnlySpan<byte> body) => Scan(body).ToHead(target, body);

    /// <summary>The head of a request whose body names the model.</summary>
    /// <param name="body">The body that was scanned.</param>
    /// <exception cref="ProtocolException">The model is missing, no string, or empty; stream is no boolean.</exception>
    public RequestHead ToHead(RequestTarget target, ReadOnlySpan<byte> body)
    {
        if (_models.Count == 0) throw ModelFault("model is required");
        ScannedToken last = _models[^1];
        if (last.Kind != JsonTokenType.String) throw ModelFault($"model must be a string, got {BodyFault.Name(last.Kind)}");
        string model = RawJson.Decode(body[last.Token]);
        if (string.IsNullOrWhiteSpace(model)) throw ModelFault("model must not be empty");

        if (StreamKind is not (JsonTokenType.None or JsonTokenType.Null or JsonTokenType.True or JsonTokenType.False))
            throw new ProtocolException(ErrorKind.InvalidRequest, $"stream must be true or false, got {BodyFault.Name(StreamKind)}", "stream");

        var tokens = new List<Range>(_models.Count);
        foreach (ScannedToken token in _models)
        {
            if (token.Kind == JsonTokenType.String) tokens.Add(token.Token);
        }
        return new RequestHead { Target = target, Model = model, Stream = Stream, ModelTokens = tokens, HasInputOnly = HasInput && !HasMessages };
    }

    private static ProtocolException ModelFault(string message) => new(ErrorKind.InvalidRequest, message, "model");

    /// <param name="nestedName">Empty: none is asked for.</param>
    private void Walk(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, int skipped, ReadOnlySpan<byte> nestedName)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new ProtocolException(ErrorKind.InvalidRequest, $"the request body must be a JSON object, got {BodyFault.Name(reader.TokenType)}");

        bool inNested = false;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName when reader.CurrentDepth == 1:
                    inNested = TakeProperty(ref reader, skipped, nestedName);
                    break;
                case JsonTokenType.PropertyName when reader.CurrentDepth == 2 && inNested && IsNamed(ref reader, "model"u8):
                    reader.Read();
                    _nestedModels.Add(Here(ref reader, skipped));
                    break;
            }
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && reader.CurrentDepth >= MaxLevels)
                throw BodyFault.TooDeep(json, (int)reader.TokenStartIndex);
        }
    }

    /// <summary>Reads on to the value of a top-level property and notes what is asked for. True: it is the nested object.</summary>
    private bool TakeProperty(ref Utf8JsonReader reader, int skipped, ReadOnlySpan<byte> nestedName)
    {
        bool model = IsNamed(ref reader, "model"u8), stream = !model && IsNamed(ref reader, "stream"u8);
        HasInput |= IsNamed(ref reader, "input"u8);
        HasMessages |= IsNamed(ref reader, "messages"u8);
        HasContents |= IsNamed(ref reader, "contents"u8);
        bool nested = !nestedName.IsEmpty && IsNamed(ref reader, nestedName);

        reader.Read();
        if (model) _models.Add(Here(ref reader, skipped));
        if (stream) StreamKind = reader.TokenType;
        return nested && reader.TokenType == JsonTokenType.StartObject;
    }

    /// <summary>Unlike the reader's own comparison it does not throw for lone surrogates.</summary>
    private static bool IsNamed(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> raw = reader.ValueSpan;
        if (!reader.ValueIsEscaped) return raw.SequenceEqual(name);
        return raw.Length <= name.Length * EscapeFactor && RawJson.Decode(Quoted(raw)) == Encoding.UTF8.GetString(name);
    }

    private static byte[] Quoted(ReadOnlySpan<byte> raw) => [(byte)'"', .. raw, (byte)'"'];

    private static ScannedToken Here(ref Utf8JsonReader reader, int skipped) =>
        new(((int)reader.TokenStartIndex + skipped)..((int)reader.BytesConsumed + skipped), reader.TokenType);
}
