namespace Aiproxy.Protocols.Model;

/// <summary>What a conversation cannot hold at a place, whatever the target: each vendor refuses it, and a repair would have to guess.</summary>
public static class PartPlaces
{
    /// <exception cref="ProtocolException">With the part's path.</exception>
    public static void Check(Turn turn)
    {
        foreach (Part part in turn.Parts)
        {
            if (part is ToolCallPart && turn.Role != TurnRole.Assistant) throw Refuse(part, "a tool call belongs into a message of the assistant");
            if (part is ToolResultPart && turn.Role == TurnRole.Assistant) throw Refuse(part, "a tool result belongs into a message of the user");
            Check(part);
        }
    }

    private static void Check(Part part)
    {
        if (part is MediaPart { Source: UrlSource source } && !IsAddress(source.Url.ToString())) throw Refuse(part, "the address is neither http(s) nor a base64 data URL");
        if (part is MediaPart { Source: Base64Source { Data.IsBlank: true } }) throw Refuse(part, "no data");
        IReadOnlyList<Part> inner = part switch
        {
            ToolResultPart result => result.Content,
            MediaPart { Source: PartsSource parts } => parts.Parts,
            _ => [],
        };
        foreach (Part one in inner) Check(one);
    }

    private static bool IsAddress(string url) =>
        url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    private static ProtocolException Refuse(Part part, string words) => new(ErrorKind.InvalidRequest, $"{part.Path}: {words}", part.Path);
}
