using System.Buffers;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>Writes SSE events with <c>event:</c> line, the same <c>type</c> inside, and a sequence number that counts on.</summary>
public sealed class OpenAIResponsesEvents(IBufferWriter<byte> output, long next)
{
    public long Next { get; private set; } = next;

    /// <summary>Opens the data object; the caller writes its members, then calls <see cref="End"/>. No comma after the last member.</summary>
    public void Begin(ReadOnlySpan<byte> type)
    {
        output.Write("event: "u8);
        output.Write(type);
        output.Write("\ndata: {\"type\":\""u8);
        output.Write(type);
        output.Write("\","u8);
    }

    public void End()
    {
        output.Write(",\"sequence_number\":"u8);
        Number();
        output.Write("}\n\n"u8);
    }

    public void Keepalive()
    {
        Begin("keepalive"u8);
        output.Write("\"sequence_number\":"u8);
        Number();
        output.Write("}\n\n"u8);
    }

    private void Number() => output.WriteNumber(Next++);
}
