using System.Text.Json;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>The members of one element of <c>choices</c>. What it does not have is empty.</summary>
public ref struct ChatChoice
{
    /// <summary>Of <c>delta</c>; where that is no object, of <c>message</c>.</summary>
    public ChatDelta Delta;

    public ReadOnlySpan<byte> FinishReason, Error;

    /// <summary>How some servers tell the stop sequence.</summary>
    public ReadOnlySpan<byte> Stop;

    /// <summary>Kimi tells it here.</summary>
    public ReadOnlySpan<byte> Usage;

    public long Index;

    /// <param name="scan">Walks the choice.</param>
    public void Read(scoped ref JsonScan scan)
    {
        bool hasDelta = false;
        while (scan.Next())
        {
            if (scan.Is("delta"u8) || scan.Is("message"u8))
            {
                bool isDelta = scan.Is("delta"u8);
                if (scan.Kind != JsonTokenType.StartObject || (hasDelta && !isDelta)) continue;
                hasDelta |= isDelta;
                Delta = default;
                JsonScan.Place place = scan.Down();
                Delta.Read(ref scan);
                scan.Up(place);
            }
            else if (scan.Is("finish_reason"u8)) FinishReason = scan.Value;
            else if (scan.Is("index"u8)) Index = scan.Long() ?? 0;
            else if (scan.Is("stop_reason"u8) || scan.Is("matched_stop"u8)) Stop = scan.Value;
            else if (scan.Is("error"u8)) Error = scan.Value;
            else if (scan.Is("usage"u8)) Usage = scan.Value;
        }
    }
}
