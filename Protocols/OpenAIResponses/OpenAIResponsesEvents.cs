using System.Buffers;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>Writes SSE events with <c>event:</c> line, the same <c>type</c> inside, and a sequence number that counts on.</summary>
public sealed class OpenAIResponsesEvents(IBufferWriter<byte> output, long next)
{
    public long Next { get; private set; } = next;

    /// <summary>Opens the data object; the caller writes its members, then calls <see cref="End()"/>. No comma after the last member.</summary>
    public void Begin(ReadOnlySpan<byte> type)
    {
        var run = new OutputRun(output);
        Begin(ref run, type);
        run.End();
    }

    public void End()
    {
        var run = new OutputRun(output);
        End(ref run);
        run.End();
    }

    /// <summary>As <see cref="Begin(ReadOnlySpan{byte})"/>.</summary>
    public void Begin(ref OutputRun run, ReadOnlySpan<byte> type)
    {
        run.Add("event: "u8);
        run.Add(type);
        run.Add("\ndata: {\"type\":\""u8);
        run.Add(type);
        run.Add("\","u8);
    }

    public void End(ref OutputRun run)
    {
        run.Add(",\"sequence_number\":"u8);
        run.AddNumber(Next++);
        run.Add("}\n\n"u8);
    }

    public void Keepalive()
    {
        Begin("keepalive"u8);
        output.Write("\"sequence_number\":"u8);
        output.WriteNumber(Next++);
        output.Write("}\n\n"u8);
    }
}
