using System.Text;
using System.Text.Json.Nodes;

namespace Aiproxy.Tests.Conversations;

/// <summary>Damages a JSON text so that it stays JSON: values of other types, missing members, members that stand where others belong.</summary>
public static class JsonDamage
{
    /// <summary>Stands for half a surrogate pair, which the node tree refuses to write.</summary>
    private const string HalfPair = "half-pair";

    private static readonly string[] s_odd =
    [
        "null", "{}", "[]", "\"\"", "\" \"", "0", "-1", "1e99", "9007199254740993", "true", "false", "[null]", "[[]]", "[{}]", "{\"\":null}", "\"text\"", $"\"{HalfPair}\"", "\"\\u0000\"",
        "\"tool\"", "\"assistant\"", "\"user\"", "{\"type\":\"text\",\"text\":\"t\"}", "{\"type\":\"none\"}", "[{\"type\":\"text\",\"text\":\"\"}]",
    ];

    public static byte[] Make(byte[] json, Random random)
    {
        JsonNode root = JsonNode.Parse(json)!;
        for (int times = random.Next(1, 4); times > 0; times--)
        {
            List<JsonNode> containers = [.. Containers(root).Where(static one => Count(one) > 0)];
            if (containers.Count == 0) break;
            JsonNode parent = containers[random.Next(containers.Count)];
            int at = random.Next(Count(parent));
            switch (random.Next(5))
            {
                case 0: Remove(parent, at); break;
                case 1: Set(parent, at, containers[random.Next(containers.Count)].DeepClone()); break;
                case 2 when parent is JsonArray array: array.Insert(at, array[at]?.DeepClone()); break;
                case 2: Rename((JsonObject)parent, at, NameIn(containers[random.Next(containers.Count)], random)); break;
                default: Set(parent, at, JsonNode.Parse(s_odd[random.Next(s_odd.Length)])); break;
            }
        }
        return Encoding.UTF8.GetBytes(root.ToJsonString().Replace(HalfPair, "\\ud800", StringComparison.Ordinal));
    }

    private static IEnumerable<JsonNode> Containers(JsonNode? node)
    {
        if (node is JsonObject or JsonArray) yield return node;
        IEnumerable<JsonNode?> inner = node switch
        {
            JsonObject members => members.Select(static member => member.Value),
            JsonArray elements => elements,
            _ => [],
        };
        foreach (JsonNode one in inner.SelectMany(Containers)) yield return one;
    }

    private static int Count(JsonNode container) => container is JsonArray array ? array.Count : ((JsonObject)container).Count;

    private static void Remove(JsonNode parent, int at)
    {
        if (parent is JsonArray array) array.RemoveAt(at);
        else ((JsonObject)parent).RemoveAt(at);
    }

    private static void Set(JsonNode parent, int at, JsonNode? value)
    {
        if (parent is JsonArray array) array[at] = value;
        else ((JsonObject)parent)[((JsonObject)parent).GetAt(at).Key] = value;
    }

    private static void Rename(JsonObject parent, int at, string name)
    {
        if (parent.ContainsKey(name)) return;
        JsonNode? value = parent.GetAt(at).Value?.DeepClone();
        parent.RemoveAt(at);
        parent.Insert(at, name, value);
    }

    private static string NameIn(JsonNode container, Random random) =>
        container is JsonObject members && members.Count > 0 ? members.GetAt(random.Next(members.Count)).Key : "x";
}
