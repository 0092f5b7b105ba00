using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>The tool calls of one answer on their way to an OpenAI client: dense indices, ids, the client's own names, custom tools unwrapped.</summary>
public sealed class OpenAIChatCallWriter(WriterOptions options)
{
    private readonly ToolNames _names = ToolNames.Of(options.Request);
    private readonly Dictionary<int, Call> _calls = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);

    public sealed class Call
    {
        public required int Index { get; init; }

        /// <summary>Raw JSON string content, without quotes; so is <see cref="Name"/>.</summary>
        public required byte[] Id { get; init; }

        public required byte[] Name { get; init; }

        /// <summary>The client's tool; null: the model invented the name.</summary>
        public required ToolDefinition? Tool { get; init; }

        public required bool IsCustom { get; init; }

        /// <summary>The upstream knows the custom tool only as a function with one <c>input</c>: its arguments are collected to the end.</summary>
        public required bool IsWrapped { get; init; }

        /// <summary>Arguments so far as inner bytes of a JSON string; only what is wrapped or asked for later is kept.</summary>
        public ArrayBufferWriter<byte> Kept { get; } = new();

        public bool HasArguments { get; set; }

        public bool IsEnded { get; set; }
    }

    public bool HasAny => _calls.Count > 0;

    /// <summary>The client declared deprecated <c>functions</c>: it looks for its one call under <c>function_call</c>, which has no id.</summary>
    public bool IsLegacy { get; } = options.Request is { Protocol: "openai", Tools: { Count: > 0 } tools }
        && tools.All(static tool => tool.Path.StartsWith("functions[", StringComparison.Ordinal));

    public IReadOnlyList<int> OpenBlocks() =>
        [.. _calls.Where(static pair => !pair.Value.IsEnded).OrderBy(static pair => pair.Value.Index).Select(static pair => pair.Key)];

    public Call? Find(int block) => _calls.GetValueOrDefault(block);

    public Call Begin(int block, BlockKind kind, ReadOnlySpan<byte> toolId, ReadOnlySpan<byte> toolName)
    {
        string upstreamName = RawJson.Decode([(byte)'"', .. toolName, (byte)'"']);
        ToolDefinition? tool = _names.Find(upstreamName);
        bool isDeclaredCustom = tool?.Kind == ToolKind.Custom;
        byte[] name = tool is null ? toolName.ToArray() : RawJson.Encode(ToolNames.Flat(tool))[1..^1];
        var call = new Call
        {
            Index = _calls.Count,
            Id = Identify(toolId),
            Name = name,
            Tool = tool,
            IsCustom = kind == BlockKind.CustomToolCall || isDeclaredCustom,
            IsWrapped = kind == BlockKind.ToolCall && isDeclaredCustom,
        };
        _calls[block] = call;
        return call;
    }

    /// <summary>Notes a delta. Returns the call when the delta may go out as it is; null when it is kept back or belongs to no open call.</summary>
    public Call? Take(int block, ReadOnlySpan<byte> jsonString)
    {
        if (!_calls.TryGetValue(block, out Call? call) || call.IsEnded) return null;
        call.HasArguments = true;
        if (!call.IsWrapped) return call;
        call.Kept.Write(jsonString[1..^1]);
        return null;
    }

    /// <summary>Ends a call. What is left to say of its arguments, as a JSON string token, comes out in <paramref name="rest"/>.</summary>
    public Call? End(int block, out byte[] rest)
    {
        rest = [];
        if (!_calls.TryGetValue(block, out Call? call) || call.IsEnded) return null;
        call.IsEnded = true;
        if (call.IsWrapped) rest = CustomTool.Unwrap([(byte)'"', .. call.Kept.WrittenSpan, (byte)'"']);
        else if (!call.HasArguments && !call.IsCustom) rest = "\"{}\""u8.ToArray();
        return call;
    }

    /// <summary>Calls turn a plain end into tool use; an end that says more stays.</summary>
    public FinishReason Derive(FinishReason reason) => reason switch
    {
        FinishReason.EndTurn when HasAny => FinishReason.ToolUse,
        FinishReason.ToolUse when !HasAny => FinishReason.EndTurn,
        _ => reason,
    };

    /// <summary>The finish reason in the client's words.</summary>
    public ReadOnlySpan<byte> Finish(FinishReason reason)
    {
        FinishReason derived = Derive(reason);
        return IsLegacy && derived == FinishReason.ToolUse ? "function_call"u8 : OpenAIChatNames.Finish(derived);
    }

    /// <summary>The deprecated <c>function_call</c> member.</summary>
    public static void WriteFunction(IBufferWriter<byte> output, Call call, ReadOnlySpan<byte> arguments)
    {
        output.Write("\"function_call\":{\"name\":\""u8);
        output.Write(call.Name);
        output.Write("\",\"arguments\":"u8);
        output.Write(arguments);
        output.Write("}"u8);
    }

    /// <summary>The members of a call after its index, and the brace that closes it.</summary>
    public static void WriteBody(IBufferWriter<byte> output, Call call, ReadOnlySpan<byte> arguments)
    {
        WriteMembers(output, call, arguments);
        output.Write("}"u8);
    }

    /// <summary>The members of a call after its index; more may follow.</summary>
    public static void WriteMembers(IBufferWriter<byte> output, Call call, ReadOnlySpan<byte> arguments)
    {
        output.Write(",\"id\":\""u8);
        output.Write(call.Id);
        output.Write(call.IsCustom ? "\",\"type\":\"custom\",\"custom\":{\"name\":\""u8 : "\",\"type\":\"function\",\"function\":{\"name\":\""u8);
        output.Write(call.Name);
        output.Write(call.IsCustom ? "\",\"input\":"u8 : "\",\"arguments\":"u8);
        output.Write(arguments);
        output.Write("}"u8);
    }

    /// <summary>The upstream's id; one of our own where it gave none or the same twice, since results are matched by it.</summary>
    private byte[] Identify(ReadOnlySpan<byte> toolId)
    {
        string id = Encoding.UTF8.GetString(toolId);
        if (id.Length == 0 || !_ids.Add(id))
        {
            id = $"call_{options.IdSeed}{_calls.Count}";
            _ids.Add(id);
        }
        return Encoding.UTF8.GetBytes(id);
    }
}
