using System.IO.Pipelines;
using Aiproxy.EventStream;

namespace Aiproxy.Tests.EventStream;

/// <summary>A message kept for comparison.</summary>
public sealed record KeptMessage(string Event, bool IsException, string Data, string Raw);

/// <summary>What came out of a body of AWS messages: whole messages, then how it ended.</summary>
/// <param name="Failure">Null: the body ended between two messages.</param>
public sealed record AwsBody(List<KeptMessage> Messages, FrameException? Failure)
{
    public long Bytes => Messages.Sum(message => (long)message.Raw.Length);

    /// <summary>Reads to the end or to the first fault, and sees that the reader stays there.</summary>
    public static async Task<AwsBody> ReadAsync(PipeReader pipe, AwsMessageRule rule = AwsMessageRule.Any, int maxPayloadBytes = AwsFrameReader.MaxPayloadBytes)
    {
        var messages = new List<KeptMessage>();
        await using var reader = new AwsFrameReader(pipe, rule, maxPayloadBytes);
        try
        {
            while (await reader.FillAsync(CancellationToken.None))
            {
                while (TryKeep(reader) is { } message) messages.Add(message);
            }
        }
        catch (FrameException failure)
        {
            Assert.Equal(failure.Fault == FrameFault.Truncated, reader.HasPartialFrame);
            Assert.Same(failure, Assert.Throws<FrameException>(() => reader.TryRead(out _)));
            Assert.Same(failure, await Assert.ThrowsAsync<FrameException>(async () => await reader.FillAsync(CancellationToken.None)));
            return new AwsBody(messages, failure);
        }
        Assert.False(await reader.FillAsync(CancellationToken.None));
        Assert.Null(TryKeep(reader));
        Assert.False(reader.HasPartialFrame);
        return new AwsBody(messages, null);
    }

    public static KeptMessage? TryKeep(AwsFrameReader reader) =>
        reader.TryRead(out Frame frame) ? new KeptMessage(Latin(frame.Event), frame.IsException, Latin(frame.Data), Latin(frame.Raw)) : null;

    /// <summary>Keeps every byte apart, valid UTF-8 or not.</summary>
    public static string Latin(ReadOnlySpan<byte> bytes) => System.Text.Encoding.Latin1.GetString(bytes);
}
