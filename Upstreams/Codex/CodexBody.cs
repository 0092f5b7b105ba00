using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;
using static Aiproxy.Protocols.JsonEdit;

namespace Aiproxy.Upstreams.Codex;

/// <summary>Brings one Responses body under the rules of the Codex back end. One object a body; what no rule is about keeps its bytes.</summary>
/// <param name="dropsProofs">Reasoning items go: the provider did not know their encrypted content.</param>
/// <param name="isRefused">A top-level parameter that the provider refused before.</param>
/// <param name="session">Cache key where the body names none; null: none.</param>
public sealed class CodexBody(bool dropsProofs, Func<string, bool> isRefused, string? session)
{
    private readonly CodexNames _names = new();
    private bool _hasTools;

    /// <summary>Shortened names to the client's own; null: none was shortened.</summary>
    public IReadOnlyDictionary<string, string>? ClientNames => _names.ClientNames;

    /// <exception cref="ProtocolException">It refers to an answer that nobody here knows.</exception>
    public byte[] Apply(ReadOnlySpan<byte> body)
    {
        _hasTools = HasTools(body);
        bool hasInstructions = false, hasKey = false;
        byte[] edited = Members(body, (name, value) =>
        {
            string member = System.Text.Encoding.UTF8.GetString(name);
            hasInstructions |= member == "instructions" && value[0] == (byte)'"';
            hasKey |= member == "prompt_cache_key" && value[0] == (byte)'"';
            return Top(member, value);
        }).Over(body);
        if (!hasInstructions) edited = With(edited, "instructions", "\"\""u8);
        edited = With(edited, "store", "false"u8);
        edited = With(edited, "stream", "true"u8);
        edited = With(edited, "include", Include(edited));
        return hasKey || session is null ? edited : With(edited, "prompt_cache_key", RawJson.Encode(session));
    }

    private Change Top(string member, ReadOnlySpan<byte> value)
    {
        if (CodexFacts.Refused.Contains(member) || isRefused(member)) return Change.Removed;
        switch (member)
        {
            case "previous_response_id":
                if (value[0] != (byte)'"') return Change.Removed;
                throw RequestRefusal.UnknownPrevious();
            case "instructions":
                return value[0] == (byte)'"' ? default : Change.Removed;
            case "input":
                return Input(value);
            case "tools":
                return Items(value, Tool);
            case "tool_choice":
                return Choice(value);
            case "parallel_tool_calls":
                return _hasTools ? default : Change.Removed;
            case "service_tier":
                return value.SequenceEqual("\"priority\""u8) ? default : value.SequenceEqual("\"fast\""u8) ? Change.To("\"priority\""u8) : Change.Removed;
            default:
                return default;
        }
    }

    // "A string becomes one user message with one input_text part"
    private Change Input(ReadOnlySpan<byte> input) => input[0] == (byte)'"'
        ? Change.To([.. "[{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"u8, .. input, .. "}]}]"u8])
        : Items(input, Item);

    private Change Item(ReadOnlySpan<byte> item)
    {
        ReadOnlySpan<byte> type = TypeOf(item);
        // "Items are not persisted when store is set to false": a reference has nothing to refer to.
        if (type.SequenceEqual("item_reference"u8) || (dropsProofs && type.SequenceEqual("reasoning"u8))) return Change.Removed;
        bool isNamed = !type.SequenceEqual("message"u8) && !type.IsEmpty;
        return Members(item, (name, value) =>
        {
            if (name.SequenceEqual("id"u8)) return Change.Removed;
            if (name.SequenceEqual("role"u8)) return value.SequenceEqual("\"system\""u8) ? Change.To("\"developer\""u8) : default;
            if (name.SequenceEqual("content"u8)) return Items(value, static part => Member(part, "prompt_cache_breakpoint", static _ => Change.Removed));
            if (isNamed && name.SequenceEqual("name"u8)) return _names.ShortName(value);
            if (isNamed && name.SequenceEqual("call_id"u8)) return CodexNames.ShortCallId(value);
            return isNamed && name.SequenceEqual("tools"u8) ? Items(value, Tool) : default;
        });
    }

    private Change Tool(ReadOnlySpan<byte> tool) => Members(tool, (name, value) =>
    {
        if (name.SequenceEqual("type"u8)) return value.StartsWith("\"web_search_preview"u8) ? Change.To("\"web_search\""u8) : default;
        if (name.SequenceEqual("name"u8)) return _names.ShortName(value);
        return name.SequenceEqual("tools"u8) ? Items(value, Tool) : default;
    });

    private Change Choice(ReadOnlySpan<byte> choice) => Members(choice, (name, value) =>
    {
        if (name.SequenceEqual("name"u8)) return _names.ShortName(value);
        if (name.SequenceEqual("type"u8)) return value.StartsWith("\"web_search_preview"u8) ? Change.To("\"web_search\""u8) : default;
        return name.SequenceEqual("tools"u8) ? Items(value, Tool) : default;
    });

    private static byte[] Include(ReadOnlySpan<byte> body)
    {
        const string Encrypted = "reasoning.encrypted_content";
        var asked = new List<string>();
        Member(body, "include", list =>
        {
            var items = new JsonScan(list);
            while (items.Next())
                if (items.IsString && RawJson.Decode(items.Value) is var text && !asked.Contains(text)) asked.Add(text);
            return default;
        });
        if (!asked.Contains(Encrypted)) asked.Add(Encrypted);
        return [(byte)'[', .. asked.SelectMany((text, index) => index == 0 ? RawJson.Encode(text) : [(byte)',', .. RawJson.Encode(text)]), (byte)']'];
    }

    private static bool HasTools(ReadOnlySpan<byte> body)
    {
        bool has = false;
        Member(body, "tools", tools =>
        {
            has = tools[0] == (byte)'[' && new JsonScan(tools).Next();
            return default;
        });
        return has;
    }

    private static ReadOnlySpan<byte> TypeOf(ReadOnlySpan<byte> item)
    {
        var members = new JsonScan(item);
        while (members.Next())
            if (members.Is("type"u8)) return members.Inner;
        return default;
    }
}
