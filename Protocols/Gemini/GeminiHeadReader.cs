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
        BodyScan scan = BodyScan.Scan(body, "generateContentRequest");
        List<Range> tokens = [.. Strings(scan.Models), .. Strings(scan.NestedModels)];
        if (target.Operation == Operation.CountTokens && scan.NestedModels.Count == 0)
            tokens.AddRange(Strings(BodyScan.Scan(body, "generate_content_request").NestedModels));
        tokens.Sort((one, other) => one.Start.Value.CompareTo(other.Start.Value));

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

    private static IEnumerable<Range> Strings(IReadOnlyList<ScannedToken> tokens) =>
        tokens.Where(token => token.Kind == JsonTokenType.String).Select(token => token.Token);
}
