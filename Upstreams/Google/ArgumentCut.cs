using Aiproxy.Protocols;

namespace Aiproxy.Upstreams.Google;

/// <summary>Where a function's schema was given properties that its author does not know, and that a call's arguments lose again.</summary>
/// <param name="Own">The property put into this object; null: none.</param>
/// <param name="Properties">The properties in which there are further ones.</param>
/// <param name="Items">Likewise inside each element of this array; null: nothing.</param>
public sealed record ArgumentCut(string? Own, IReadOnlyDictionary<string, ArgumentCut> Properties, ArgumentCut? Items)
{
    /// <summary>The arguments without them; everything else stays byte for byte.</summary>
    /// <param name="json">Valid JSON.</param>
    public JsonEdit.Change Apply(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty) return default;
        if (json[0] == (byte)'[') return Items is null ? default : JsonEdit.Items(json, Items.Apply);
        if (json[0] != (byte)'{') return default;
        return JsonEdit.Members(json, (name, value) =>
        {
            string property = System.Text.Encoding.UTF8.GetString(name);
            if (property == Own) return JsonEdit.Change.Removed;
            return Properties.TryGetValue(property, out ArgumentCut? inner) ? inner.Apply(value) : default;
        });
    }
}
