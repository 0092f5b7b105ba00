namespace Aiproxy.Tests.EndToEnd;

/// <summary>One client protocol as its clients and its upstreams speak it, in ready-made texts.</summary>
public interface IDialect
{
    /// <summary>The api_type.</summary>
    string Name { get; }

    /// <summary>The request header that carries an upstream token, and what stands before the token in it.</summary>
    (string Header, string Prefix) Credential { get; }

    /// <summary>What a client of this protocol sends besides the credential.</summary>
    (string Name, string Value)[] ClientHeaders { get; }

    /// <summary>Path and query of a generate call.</summary>
    string Path(string model, bool stream);

    /// <summary>A generate body. <paramref name="model"/> is left out where the path names it.</summary>
    string Body(string model, string prompt, bool stream);

    /// <summary>The model name that reached an upstream.</summary>
    string ModelOf(RecordedRequest request);

    string Whole(string text);

    string WholeTool();

    string WholeThinking();

    Transcript Text(string text);

    Transcript Tool();

    Transcript Thinking();

    /// <summary>An upstream's error body.</summary>
    string ErrorBody(int status, string message);

    /// <summary>How an upstream tells a failure inside a stream.</summary>
    string ErrorFrame(string message);

    string TextOfWhole(string body);

    string TextOfStream(string body);

    /// <summary>A library of this protocol would take the stream for a finished answer.</summary>
    bool LooksComplete(string body);

    /// <summary>The stream's last word is a failure in the form that clients of this protocol read.</summary>
    bool TellsFailure(string body);

    /// <summary>Keep-alives in the native form of this protocol. A stream that has not yet shown its start event may be filled otherwise.</summary>
    int Fillers(string body);

    /// <summary>Fails where the body is not this protocol's error envelope for the status; returns the message.</summary>
    string Envelope(int status, string body);
}

/// <summary>A good stream in three parts; each entry is one frame with its blank line.</summary>
/// <param name="Handshake">Before any output; empty where the protocol has none.</param>
/// <param name="Output">Of which the first frame begins real output.</param>
/// <param name="Terminal">What makes it complete.</param>
public sealed record Transcript(IReadOnlyList<string> Handshake, IReadOnlyList<string> Output, IReadOnlyList<string> Terminal)
{
    public string[] Frames => [.. Handshake, .. Output, .. Terminal];

    public string All => string.Concat(Frames);

    /// <summary>Handshake and the first half of the output.</summary>
    public string[] Beginning => [.. Handshake, .. Output.Take((Output.Count + 1) / 2)];
}
