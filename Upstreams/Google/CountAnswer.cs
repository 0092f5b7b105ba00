using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>The answer to a count, which comes without an envelope.</summary>
public static class CountAnswer
{
    /// <summary>A number that is missing is zero; Google's own clients expect one.</summary>
    public static ReadOnlyMemory<byte> Complete(ReadOnlyMemory<byte> body)
    {
        try
        {
            var members = new JsonScan(body.Span);
            bool isTold = members.Root != System.Text.Json.JsonTokenType.StartObject;
            while (members.Next()) isTold |= members.Is("totalTokens"u8) || members.Is("error"u8);
            return isTold ? body : JsonEdit.With(body.Span, "totalTokens", "0"u8);
        }
        catch (System.Text.Json.JsonException)
        {
            return body;
        }
    }
}
