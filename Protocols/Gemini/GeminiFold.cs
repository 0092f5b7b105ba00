using System.Buffers;
using System.Text.Json;
using Aiproxy.EventStream;

namespace Aiproxy.Protocols.Gemini;

/// <summary>Folds chunks into one answer. Texts of one kind grow together, unless one of them is signed: a signature belongs to its part and place.</summary>
public sealed class GeminiFold : IAnswerFold
{
    private readonly JsonFold _answer = new();
    private readonly SortedList<long, Candidate> _candidates = [];

    /// <summary>The parts so far, and what was told beside them.</summary>
    private sealed class Candidate
    {
        public readonly JsonFold Rest = new(), Content = new();
        public readonly List<byte[]> Parts = [];
        public readonly ArrayBufferWriter<byte> Text = new();
        public byte[]? Supports;
        public int Contents;
        public bool HasText, IsThought, HasContent;
    }

    public void Take(in Frame frame)
    {
        if (frame.Data.IsEmpty || frame.Data.SequenceEqual("[DONE]"u8)) return;
        Take(frame.Data);
    }

    public void Write(IBufferWriter<byte> output)
    {
        if (_candidates.Count > 0)
        {
            var json = new ArrayBufferWriter<byte>();
            foreach (Candidate candidate in _candidates.Values)
            {
                json.Write(json.WrittenCount == 0 ? "["u8 : ","u8);
                Write(candidate, json);
            }
            json.Write("]"u8);
            _answer.Member("candidates"u8).Replace(json.WrittenSpan);
        }
        _answer.Write(output);
    }

    private void Take(ReadOnlySpan<byte> chunk)
    {
        var members = new JsonScan(chunk);
        while (members.Next())
        {
            if (members.Root == JsonTokenType.StartArray) Take(members.Value);
            else if (members.Is("candidates"u8) && members.Kind == JsonTokenType.StartArray)
            {
                var elements = new JsonScan(members.Value);
                while (elements.Next())
                {
                    if (elements.Kind != JsonTokenType.StartObject) continue;
                    // Its place among the members is where it came first.
                    if (_candidates.Count == 0) _answer.Member("candidates"u8);
                    TakeCandidate(elements.Value);
                }
            }
            else if (!members.IsNull) _answer.Member(members.Name).Replace(members.Value);
        }
    }

    private void TakeCandidate(ReadOnlySpan<byte> json)
    {
        long index = 0;
        var members = new JsonScan(json);
        while (members.Next())
        {
            if (members.Is("index"u8)) index = members.Long() ?? 0;
        }
        if (!_candidates.TryGetValue(index, out Candidate? candidate)) _candidates.Add(index, candidate = new Candidate());
        members = new JsonScan(json);
        while (members.Next())
        {
            if (members.Kind == JsonTokenType.StartObject && (members.Is("groundingMetadata"u8) || members.Is("citationMetadata"u8)))
            {
                TakeSources(candidate, candidate.Rest.Member(members.Name), members.Value);
                continue;
            }
            if (!members.Is("content"u8))
            {
                if (!members.IsNull) candidate.Rest.Member(members.Name).Replace(members.Value);
                continue;
            }
            if (members.Kind != JsonTokenType.StartObject) continue;
            candidate.HasContent = true;
            candidate.Rest.Member("content"u8);
            var content = new JsonScan(members.Value);
            while (content.Next())
            {
                if (content.Is("parts"u8)) TakeParts(candidate, content.Value);
                else candidate.Content.Member(content.Name).Replace(content.Value);
            }
        }
    }

    /// <summary>Servers repeat and complete what they tell of the sources: of each member the last counts, but an empty one takes nothing back.</summary>
    private static void TakeSources(Candidate candidate, JsonFold sources, ReadOnlySpan<byte> json)
    {
        sources.Add("{}"u8);
        var members = JsonScan.Inside(json);
        while (members.Next())
        {
            if (sources.Has(members.Name) && (members.IsNull || (members.IsContainer && members.Value.Length <= 2))) continue;
            sources.Member(members.Name).Replace(members.Value);
            if (members.Is("groundingSupports"u8) && members.Kind == JsonTokenType.StartArray) candidate.Supports = members.Value.ToArray();
        }
    }

    private static void TakeParts(Candidate candidate, ReadOnlySpan<byte> parts)
    {
        if (parts.Length > 2) candidate.Contents++;
        var elements = new JsonScan(parts);
        while (elements.Next())
        {
            ReadOnlySpan<byte> text = default;
            bool isThought = false, isPlain = true;
            var members = new JsonScan(elements.Value);
            while (members.Next())
            {
                if (members.IsString && members.Is("text"u8)) text = members.Value;
                else if (members.Is("thought"u8)) isThought = members.Kind == JsonTokenType.True;
                else isPlain = false;
            }
            if (text.IsEmpty || !isPlain)
            {
                CloseText(candidate);
                candidate.Parts.Add(elements.Value.ToArray());
                continue;
            }
            // The empty text of a last chunk is there for its finish reason.
            if (text.Length == 2) continue;
            if (candidate.HasText && candidate.IsThought != isThought) CloseText(candidate);
            (candidate.HasText, candidate.IsThought) = (true, isThought);
            candidate.Text.Write(text[1..^1]);
        }
    }

    private static void CloseText(Candidate candidate)
    {
        if (!candidate.HasText) return;
        candidate.Parts.Add([.. "{\"text\":\""u8, .. candidate.Text.WrittenSpan, .. candidate.IsThought ? "\",\"thought\":true}"u8 : "\"}"u8]);
        candidate.Text.ResetWrittenCount();
        candidate.HasText = false;
    }

    private static void Write(Candidate candidate, IBufferWriter<byte> output)
    {
        CloseText(candidate);
        if (candidate.HasContent)
        {
            var parts = new ArrayBufferWriter<byte>();
            foreach (byte[] part in candidate.Parts)
            {
                parts.Write(parts.WrittenCount == 0 ? "["u8 : ","u8);
                parts.Write(part);
            }
            if (parts.WrittenCount == 0) parts.Write("[{\"text\":\"\"}"u8);
            parts.Write("]"u8);
            candidate.Content.Member("parts"u8).Replace(parts.WrittenSpan);
            if (!candidate.Content.Has("role"u8)) candidate.Content.AddMember("role"u8, "\"model\""u8);
            var content = new ArrayBufferWriter<byte>();
            candidate.Content.Write(content);
            candidate.Rest.Member("content"u8).Replace(content.WrittenSpan);
        }
        if (candidate is { Supports: { } supports, Contents: > 1 })
            candidate.Rest.Member("groundingMetadata"u8).Member("groundingSupports"u8).Replace(GeminiSegments.Move(supports, candidate.Parts));
        candidate.Rest.Write(output);
    }
}
