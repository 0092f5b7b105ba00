using System.Text;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using FsCheck;
using FsCheck.Fluent;

namespace Aiproxy.Tests.Conversations;

/// <summary>A block of a made-up answer. <c>Pieces</c> are its deltas, decoded; <c>Seal</c> is null or belongs to the block.</summary>
public sealed record RandomBlock(BlockKind Kind, string[] Pieces, SealKind? Seal);

/// <summary>Answers as upstreams give them: blocks one after the other, but the calls of a group at once.</summary>
/// <param name="Seed">Of the order in which the deltas of a group come.</param>
public sealed record RandomConversation(RandomBlock[][] Groups, FinishReason Reason, TokenUsage Usage, int Seed)
{
    private static readonly string[] s_arguments =
        ["", "{}", "{\"a\":1}", "{\"id\":9007199254740993,\"r\":1.10}", "{ \"text\" : \"日本 😀 \\n \\\"q\\\" \\u00e9\" }",
            "{\"deep\":{\"x\":[[],[{}]]}}", "{\"patch\":\"*** Begin\\n+a\\n\"}"];

    private static readonly SealKind[] s_vendors = [SealKind.Thinking, SealKind.Encrypted, SealKind.Thought, SealKind.None];

    private static readonly string[] s_words = ["a", " ", "é", "日本", "😀", "\"", "\\", "\n", "{", "}", "END", "\u2028", "\t", "<b>&amp;"];

    public static Gen<RandomConversation> Answers()
    {
        Gen<RandomBlock> text = Texts.Select(pieces => new RandomBlock(BlockKind.Text, pieces, null));
        Gen<RandomBlock> thinking = Texts.Select(pieces => new RandomBlock(BlockKind.Thinking, pieces, null));
        Gen<RandomBlock> function = Gen.Elements(s_arguments).Zip(Seeds).Select(pair => new RandomBlock(BlockKind.ToolCall, Chop(pair.Item1, pair.Item2), null));
        Gen<RandomBlock> custom = Texts.Select(pieces => new RandomBlock(BlockKind.CustomToolCall, pieces, null));

        // Calls that say nothing are told when they end: in which order, is not said anywhere.
        Gen<RandomBlock[]> calls = Gen.OneOf(function, custom).ArrayOf()
            .Where(group => group.Length == 1 || (group.Length is 2 or 3 && group.All(call => call.Pieces.Length > 0)));
        Gen<RandomBlock[]> single = Gen.OneOf(text, thinking).Select(block => new[] { block });
        return from groups in Gen.Frequency((3, single), (2, calls)).ArrayOf()
               from seed in Seeds
               from input in Gen.Choose(0, 5000)
               from output in Gen.Choose(0, 5000)
               select new RandomConversation(Sealed(groups, seed), ReasonOf(groups, seed),
                   new TokenUsage { Input = input, CacheRead = input / 3, CacheWrite = seed % 7, Output = output, Reasoning = output / 2 }, seed);
    }

    private static Gen<int> Seeds => Gen.Choose(0, 1_000_000);

    private static Gen<string[]> Texts => Gen.Elements(s_words).ArrayOf();

    public void Play(IResponseSink sink)
    {
        var random = new Random(Seed);
        sink.Start("up-1"u8, "upstream-model"u8);
        int key = 0;
        foreach (RandomBlock[] group in Groups)
        {
            int first = key;
            var rest = new List<Queue<string>>();
            foreach (RandomBlock block in group)
            {
                if (block.Kind is BlockKind.ToolCall or BlockKind.CustomToolCall)
                    sink.BlockStart(key, block.Kind, Encoding.UTF8.GetBytes($"call_{key}"), Encoding.UTF8.GetBytes($"tool_{key % 3}"));
                else sink.BlockStart(key, block.Kind);
                rest.Add(new Queue<string>(block.Pieces));
                if (block.Seal is { } seal) sink.BlockSeal(key, seal, RawJson.Encode(Convert.ToBase64String(Encoding.UTF8.GetBytes($"seal {key}"))));
                if (rest[^1].TryDequeue(out string? piece)) sink.BlockDelta(key, RawJson.Encode(piece));
                key++;
            }
            while (rest.Exists(queue => queue.Count > 0))
            {
                int at = random.Next(rest.Count);
                if (rest[at].TryDequeue(out string? piece)) sink.BlockDelta(first + at, RawJson.Encode(piece));
            }
            Cite(sink, first, group, random);
            for (int at = 0; at < group.Length; at++) sink.BlockEnd(first + at);
        }
        sink.Usage(Usage);
        sink.Finish(Reason, Reason == FinishReason.StopSequence ? "\"END\""u8 : default);
    }

    /// <summary>Sources of a text: the whole of it, or a piece.</summary>
    private static void Cite(IResponseSink sink, int block, RandomBlock[] group, Random random)
    {
        if (group[0].Kind != BlockKind.Text) return;
        int length = string.Concat(group[0].Pieces).EnumerateRunes().Count();
        for (int count = random.Next(3); count > 0 && length > 0; count--)
        {
            int start = random.Next(length);
            bool isWhole = random.Next(3) == 0;
            sink.BlockCite(block, new Citation("neutral", "{}"u8.ToArray())
            {
                Url = $"https://fake.invalid/{block}/{count}",
                Title = $"Title {random.Next(2)}é\"",
                Start = isWhole ? null : start,
                End = isWhole ? null : random.Next(start, length) + 1,
            });
        }
    }

    private static FinishReason ReasonOf(RandomBlock[][] groups, int seed)
    {
        bool hasCall = groups.Any(group => group[0].Kind is BlockKind.ToolCall or BlockKind.CustomToolCall);
        FinishReason[] reasons = hasCall ? [FinishReason.ToolUse, FinishReason.EndTurn, FinishReason.MaxTokens]
            : [FinishReason.EndTurn, FinishReason.StopSequence, FinishReason.MaxTokens, FinishReason.Refusal, FinishReason.Pause, FinishReason.ContextOverflow];
        return reasons[seed % reasons.Length];
    }

    /// <summary>One vendor's proofs: on thinking blocks, or on the first call of a group.</summary>
    private static RandomBlock[][] Sealed(RandomBlock[][] groups, int seed)
    {
        SealKind kind = s_vendors[seed % s_vendors.Length];
        foreach (RandomBlock[] group in groups)
        {
            BlockKind place = kind == SealKind.Thought ? BlockKind.ToolCall : BlockKind.Thinking;
            if (kind != SealKind.None && group[0].Kind == place) group[0] = group[0] with { Seal = kind };
        }
        return groups;
    }

    private static string[] Chop(string text, int seed)
    {
        var random = new Random(seed);
        var pieces = new List<string>();
        while (text.Length > 0)
        {
            int length = Math.Min(text.Length, random.Next(1, 12));
            if (length < text.Length && char.IsLowSurrogate(text[length])) length++;
            pieces.Add(text[..length]);
            text = text[length..];
        }
        return [.. pieces];
    }
}
