using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>Writes the response object that lifecycle events and whole answers carry.</summary>
public static class OpenAIResponsesObject
{
    /// <param name="Id">Raw JSON string content.</param>
    /// <param name="Created">Seconds since 1970.</param>
    /// <param name="Echo">What repeats the request: <see cref="OpenAIResponsesEcho"/>.</param>
    public sealed record State(byte[] Id, long Created, byte[] Echo)
    {
        public ProxyError? Error { get; init; }

        /// <summary>Seconds since 1970; null: not completed.</summary>
        public long? Completed { get; init; }

        public string? IncompleteReason { get; init; }
    }

    /// <param name="writeItems">Writes the elements of <c>output</c>, with commas between.</param>
    /// <param name="usage">null: not to be told yet.</param>
    public static void Write(IBufferWriter<byte> output, State state, ReadOnlySpan<byte> status, Action<IBufferWriter<byte>> writeItems, TokenUsage? usage)
    {
        output.Write("{\"id\":\""u8);
        output.Write(state.Id);
        output.Write("\",\"object\":\"response\",\"created_at\":"u8);
        output.WriteNumber(state.Created);
        output.Write(",\"background\":false,\"completed_at\":"u8);
        if (state.Completed is { } completed) output.WriteNumber(completed);
        else output.Write("null"u8);
        output.Write(",\"incomplete_details\":"u8);
        if (state.IncompleteReason is { } reason) output.Write(Encoding.ASCII.GetBytes($"{{\"reason\":\"{reason}\"}}"));
        else output.Write("null"u8);
        output.Write(","u8);
        output.Write(state.Echo);
        output.Write(","u8);
        WriteOutcome(output, status, state.Error, writeItems, usage);
        output.Write("}"u8);
    }

    /// <summary>The members that change over the life of a response: status, error, output, usage.</summary>
    public static void WriteOutcome(IBufferWriter<byte> output, ReadOnlySpan<byte> status, ProxyError? error, Action<IBufferWriter<byte>> writeItems, TokenUsage? usage)
    {
        output.Write("\"status\":\""u8);
        output.Write(status);
        output.Write("\",\"error\":"u8);
        if (error is null)
        {
            output.Write("null"u8);
        }
        else
        {
            using var json = new Utf8JsonWriter(output, OpenAIErrors.Json);
            json.WriteStartObject();
            json.WriteString("code"u8, OpenAIErrors.StreamCode(error.Kind));
            json.WriteString("message"u8, OpenAIErrors.StreamMessage(error));
            json.WriteEndObject();
        }
        output.Write(",\"output\":["u8);
        writeItems(output);
        output.Write("],\"usage\":"u8);
        if (usage is { } total)
        {
            using var json = new Utf8JsonWriter(output, OpenAIErrors.Json);
            OpenAIUsage.WriteResponses(json, total);
        }
        else
        {
            output.Write("null"u8);
        }
    }
}
