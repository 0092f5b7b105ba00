using System.Text.Json;
using Aiproxy.Protocols.Model;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Makes a history that other providers answered fit for Gemini: their wrapped proofs go, with the part where that is all it has, and with the thoughts that they
/// prove; from Gemini 3 on a call keeps the documented stand-in, also where it never had a proof.</summary>
public static class GeminiEnvelopeCut
{
    /// <param name="body">Checked as JSON.</param>
    /// <returns>null: nothing to change.</returns>
    public static byte[]? Apply(ReadOnlySpan<byte> body, bool isGemini3)
    {
        byte[]? cut = body.IndexOf("\"YWlwM"u8) < 0 ? null : Cut(body, isGemini3);
        return isGemini3 ? GeminiSignatures.Fill(cut ?? body) ?? cut : cut;
    }

    private static byte[]? Cut(ReadOnlySpan<byte> body, bool isGemini3)
    {
        HashSet<int> foreign = [];
        var members = new JsonScan(body);
        while (members.Next())
        {
            if (members.Is("contents"u8)) foreign = Foreign(members.Value);
        }
        int at = 0;
        return Member(body, "contents", contents => Items(contents, content =>
        {
            bool isForeign = foreign.Contains(at++);
            return EnvelopeCut.Content(content, "parts", part => Part(part, isGemini3, isForeign));
        })).Text;
    }

    /// <summary>Steps of the model in which a proof of another provider travels, by the numbers of their contents. Pieces of one answer may be contents of their own.</summary>
    private static HashSet<int> Foreign(ReadOnlySpan<byte> contents)
    {
        var foreign = new HashSet<int>();
        var scan = new JsonScan(contents);
        if (scan.Root != JsonTokenType.StartArray) return foreign;
        int at = 0, first = 0;
        bool isWrapped = false;
        while (scan.Next())
        {
            if (scan.Kind != JsonTokenType.StartObject) continue;
            if (!IsModel(scan.Value))
            {
                Close();
                first = at + 1;
            }
            else
            {
                isWrapped |= scan.Value.IndexOf("\"YWlwM"u8) >= 0;
            }
            at++;
        }
        Close();
        return foreign;

        void Close()
        {
            for (int one = first; isWrapped && one < at; one++) foreign.Add(one);
            isWrapped = false;
        }
    }

    private static bool IsModel(ReadOnlySpan<byte> content)
    {
        bool isModel = false;
        var members = new JsonScan(content);
        while (members.Next())
        {
            if (members.Is("role"u8)) isModel = members.Inner.SequenceEqual("model"u8);
        }
        return isModel;
    }

    private static Change Part(ReadOnlySpan<byte> part, bool isGemini3, bool isForeign)
    {
        bool isCall = false, isEmpty = true, isWrapped = false, isThought = false, isSigned = false;
        var members = new JsonScan(part);
        while (members.Next())
        {
            if (members.Is("thoughtSignature"u8) || members.Is("thought_signature"u8))
            {
                isWrapped |= SealEnvelope.IsEnvelope(members.Value);
                isSigned |= members.Inner.Length > 0;
            }
            else
            {
                isEmpty &= members.Is("text"u8) && members.Value.Length == 2;
            }
            isCall |= members.Is("functionCall"u8) || members.Is("function_call"u8);
            isThought |= members.Is("thought"u8) && members.Kind == JsonTokenType.True;
        }
        if (isForeign && isThought && (isWrapped || !isSigned)) return Change.Removed;
        if (!isWrapped) return default;
        if (isEmpty) return Change.Removed;
        Change change = isCall && isGemini3 ? new Change(false, RawJson.Encode(GeminiNames.NoSignature)) : Change.Removed;
        return Member(part, "thoughtSignature", _ => change) is { IsNone: false } camel ? camel : Member(part, "thought_signature", _ => change);
    }
}
