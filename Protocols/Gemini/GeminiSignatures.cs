using System.Text.Json;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Signs the calls of a history that another provider answered, so that Gemini 3 takes it: its own stand-in, where it demands a signature and none is there.</summary>
/// <remarks>"Validation window: only the current turn", and in each of its steps the first call. Text beside results begins no turn for certain, so what is in front of it is signed
/// too, which nobody minds.</remarks>
public static class GeminiSignatures
{
    private static readonly byte[] StandIn = RawJson.Encode(GeminiNames.NoSignature);

    /// <summary>What one content has that matters here.</summary>
    /// <param name="FirstCall">Position among its parts; -1: none.</param>
    private readonly record struct Shape(bool IsModel, bool IsSpoken, int FirstCall, bool IsSigned);

    /// <param name="body">Checked as JSON.</param>
    /// <returns>null: every step that must be signed is.</returns>
    public static byte[]? Fill(ReadOnlySpan<byte> body)
    {
        if (body.IndexOf("\"functionCall\""u8) < 0 && body.IndexOf("\"function_call\""u8) < 0) return null;
        Dictionary<int, int> unsigned = [];
        var members = new JsonScan(body);
        while (members.Next())
        {
            if (members.Is("contents"u8)) unsigned = Unsigned(members.Value);
        }
        if (unsigned.Count == 0) return null;
        int content = 0;
        return Member(body, "contents", contents => Items(contents, one => unsigned.TryGetValue(content++, out int call) ? Signed(one, call) : default)).Text;
    }

    /// <summary>By the number of the content the number of the part to sign. Counts objects only, as the edits do.</summary>
    private static Dictionary<int, int> Unsigned(ReadOnlySpan<byte> contents)
    {
        var shapes = new List<Shape>();
        var scan = new JsonScan(contents);
        if (scan.Root != JsonTokenType.StartArray) return [];
        while (scan.Next())
        {
            if (scan.Kind == JsonTokenType.StartObject) shapes.Add(Read(scan.Value));
        }
        var unsigned = new Dictionary<int, int>();
        for (int at = shapes.FindLastIndex(static shape => shape.IsSpoken) + 1; at < shapes.Count; at++)
        {
            // Neighbouring contents of the model are one step: a library keeps each piece of a stream as a content.
            int first = -1;
            bool isSigned = false;
            for (; at < shapes.Count && shapes[at].IsModel; at++)
            {
                if (first < 0 && shapes[at].FirstCall >= 0) first = at;
                isSigned |= shapes[at].IsSigned;
            }
            if (first >= 0 && !isSigned) unsigned[first] = shapes[first].FirstCall;
        }
        return unsigned;
    }

    private static Shape Read(ReadOnlySpan<byte> content)
    {
        bool isModel = false, hasResponse = false, hasOther = false, isSigned = false;
        int firstCall = -1;
        var members = new JsonScan(content);
        while (members.Next())
        {
            if (members.Is("role"u8)) isModel = members.Inner.SequenceEqual("model"u8);
            else if (members.Is("parts"u8) && members.Kind == JsonTokenType.StartArray)
            {
                int at = 0;
                var parts = new JsonScan(members.Value);
                while (parts.Next())
                {
                    if (parts.Kind != JsonTokenType.StartObject) continue;
                    bool isCall = false, hasSignature = false, isResponse = false;
                    var part = new JsonScan(parts.Value);
                    while (part.Next())
                    {
                        isCall |= part.Is("functionCall"u8) || part.Is("function_call"u8);
                        isResponse |= part.Is("functionResponse"u8) || part.Is("function_response"u8);
                        hasSignature |= (part.Is("thoughtSignature"u8) || part.Is("thought_signature"u8)) && part.Inner.Length > 0;
                    }
                    if (isCall && firstCall < 0) firstCall = at;
                    isSigned |= isCall && hasSignature;
                    hasResponse |= isResponse;
                    hasOther |= !isResponse;
                    at++;
                }
            }
        }
        return new Shape(isModel, !isModel && hasOther && !hasResponse, firstCall, isSigned);
    }

    private static Change Signed(ReadOnlySpan<byte> content, int call)
    {
        int at = 0;
        return Member(content, "parts", parts => Items(parts, part => at++ == call ? Change.To(With(part, "thoughtSignature", StandIn)) : default));
    }
}
