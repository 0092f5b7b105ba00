using System.Buffers;
using System.Text;
using System.Text.Json;
using Aiproxy.Protocols;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Upstreams.Google;

/// <summary>Takes answers out of Code Assist's envelope, and gives functions, arguments and signatures back the form that the client knows.</summary>
/// <param name="signatures">Takes note of Claude's; null: signatures stay as they are.</param>
public sealed class EnvelopeOpening(
    IReadOnlyDictionary<string, string>? clientNames, IReadOnlyDictionary<string, ArgumentCut>? cuts, ClaudeSignatures? signatures)
{
    public enum Content
    {
        /// <summary>The payload was found.</summary>
        Payload,

        /// <summary>Nothing for the client: a trace id, credits.</summary>
        Nothing,

        /// <summary>An error, or none of this wire's words: for the dialect's reader as it is.</summary>
        Foreign,
    }

    /// <summary>One envelope.</summary>
    /// <param name="payload">A slice of <paramref name="envelope"/> where nothing had to be changed.</param>
    public Content Open(ReadOnlySpan<byte> envelope, out ReadOnlySpan<byte> payload)
    {
        payload = envelope;
        try
        {
            ReadOnlySpan<byte> response = default, trace = default;
            bool isError = false;
            var members = new JsonScan(envelope);
            while (members.Next())
            {
                if (members.Is("response"u8) && members.Kind == JsonTokenType.StartObject) response = members.Value;
                else if (members.Is("traceId"u8) && members.IsString) trace = members.Value;
                else if (members.Is("error"u8) && !members.IsNull) isError = true;
            }
            if (isError || members.Root != JsonTokenType.StartObject) return Content.Foreign;
            if (response.IsEmpty) return Content.Nothing;
            payload = Restored(response, trace);
            return Content.Payload;
        }
        catch (JsonException)
        {
            return Content.Foreign;
        }
    }

    /// <summary>A whole answer: one envelope, or an array of them.</summary>
    public ReadOnlyMemory<byte> Whole(ReadOnlyMemory<byte> body)
    {
        ReadOnlySpan<byte> text = body.Span;
        if (text.StartsWith("\uFEFF"u8)) text = text[3..];
        if (text.TrimStart(" \t\r\n"u8) is not [(byte)'[', ..]) return Open(text, out ReadOnlySpan<byte> payload) == Content.Payload ? payload.ToArray() : body;
        var opened = new List<byte[]>();
        try
        {
            var items = new JsonScan(text);
            while (items.Next())
                if (Open(items.Value, out ReadOnlySpan<byte> item) != Content.Nothing) opened.Add(item.ToArray());
        }
        catch (JsonException)
        {
            return body;
        }
        if (opened.Count == 1) return opened[0];
        var output = new ArrayBufferWriter<byte>(body.Length);
        output.Write("["u8);
        for (int i = 0; i < opened.Count; i++)
        {
            if (i > 0) output.Write(","u8);
            output.Write(opened[i]);
        }
        output.Write("]"u8);
        return output.WrittenMemory;
    }

    private ReadOnlySpan<byte> Restored(ReadOnlySpan<byte> response, ReadOnlySpan<byte> trace)
    {
        if (Restores(response)) response = Member(response, "candidates", candidates => Items(candidates, OfCandidate)).Over(response);
        if (trace.IsEmpty || HasId(response)) return response;
        // "responseId = inner value, else traceId"
        return With(response, "responseId", trace);
    }

    private bool Restores(ReadOnlySpan<byte> response) =>
        ((clientNames is not null || cuts is not null) && response.IndexOf("\"functionCall\""u8) >= 0) || (signatures is not null && response.IndexOf("\"thoughtSignature\""u8) >= 0);

    private Change OfCandidate(ReadOnlySpan<byte> candidate) => Member(candidate, "content", content => Member(content, "parts", parts => Items(parts, OfPart)));

    private Change OfPart(ReadOnlySpan<byte> part) => Members(part, (name, value) =>
        name.SequenceEqual("functionCall"u8) ? OfCall(value)
        : signatures is not null && name.SequenceEqual("thoughtSignature"u8) && value.Length > 2 && value[0] == (byte)'"' ? OfSignature(value)
        : default);

    private Change OfSignature(ReadOnlySpan<byte> token)
    {
        string told = RawJson.Decode(token), known = signatures!.ToAnthropic(told);
        return told == known ? default : Change.To(RawJson.Encode(known));
    }

    private Change OfCall(ReadOnlySpan<byte> call)
    {
        string function = "";
        var members = new JsonScan(call);
        while (members.Next())
            if (members.Is("name"u8) && members.IsString) function = RawJson.Decode(members.Value);
        ArgumentCut? cut = cuts?.GetValueOrDefault(function);
        string? client = clientNames?.GetValueOrDefault(function);
        if (cut is null && client is null) return default;
        return Members(call, (name, value) =>
            client is not null && name.SequenceEqual("name"u8) ? Change.To(RawJson.Encode(client))
            : cut is not null && name.SequenceEqual("args"u8) ? cut.Apply(value)
            : default);
    }

    private static bool HasId(ReadOnlySpan<byte> response)
    {
        var members = new JsonScan(response);
        while (members.Next())
            if (members.Is("responseId"u8)) return members.Inner.Length > 0;
        return false;
    }
}
