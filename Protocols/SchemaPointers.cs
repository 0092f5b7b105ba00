using System.Globalization;
using System.Text.Json;

namespace Aiproxy.Protocols;

/// <summary>Follows the references of one JSON Schema: JSON pointers from its root.</summary>
/// <remarks>A schema that was put into another one whole keeps its definitions where it stands, and its references speak of them as if they were the root's.</remarks>
public sealed class SchemaPointers(JsonElement root)
{
    private Dictionary<string, JsonElement>? _definitions;

    /// <summary>null: it leads nowhere inside the document.</summary>
    public JsonElement? Follow(string reference)
    {
        if (!reference.StartsWith('#')) return null;
        string[] steps = reference[1..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < steps.Length; i++) steps[i] = Uri.UnescapeDataString(steps[i]).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        if (steps is ["$defs" or "definitions", var name]) return Definitions().TryGetValue(name, out JsonElement defined) ? defined : null;
        JsonElement found = root;
        foreach (string step in steps)
        {
            if (found.ValueKind == JsonValueKind.Array)
            {
                if (!int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out int place) || place >= found.GetArrayLength()) return null;
                found = found[place];
            }
            else if (!SchemaKeywords.TryGet(found, step, out found))
            {
                return null;
            }
        }
        return found;
    }

    /// <summary>All definitions by name; of one name the outermost, then the first.</summary>
    private Dictionary<string, JsonElement> Definitions()
    {
        if (_definitions is not null) return _definitions;
        _definitions = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var nodes = new Queue<JsonElement>([root]);
        while (nodes.TryDequeue(out JsonElement node))
        {
            if (node.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement item in node.EnumerateArray()) nodes.Enqueue(item);
                continue;
            }
            foreach (string keyword in (ReadOnlySpan<string>)["$defs", "definitions"])
            {
                if (!SchemaKeywords.TryGet(node, keyword, out JsonElement definitions) || definitions.ValueKind != JsonValueKind.Object) continue;
                foreach (JsonProperty definition in definitions.EnumerateObject()) _definitions.TryAdd(definition.Name, definition.Value);
            }
            if (node.ValueKind != JsonValueKind.Object) continue;
            foreach (JsonProperty member in node.EnumerateObject())
            {
                if (member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array) nodes.Enqueue(member.Value);
            }
        }
        return _definitions;
    }
}
