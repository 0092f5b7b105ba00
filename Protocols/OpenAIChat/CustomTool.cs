using System.Text;
using System.Text.Json;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>A free-form tool in the clothes of a function with one string argument <c>input</c>, for upstreams that know only functions.</summary>
public static class CustomTool
{
    /// <summary>The free text out of the arguments; arguments that are not the wrapper go through as they are.</summary>
    /// <param name="arguments">JSON string token that holds the arguments' JSON text.</param>
    /// <returns>JSON string token of the text.</returns>
    public static byte[] Unwrap(ReadOnlySpan<byte> arguments)
    {
        try
        {
            byte[] text = Encoding.UTF8.GetBytes(RawJson.Decode(arguments));
            var members = JsonSlice.NewMembers(text);
            byte[]? input = null;
            while (members.Next())
            {
                if (members.Is("input"u8) && JsonSlice.IsString(members.Value)) input = members.Value.ToArray();
            }
            if (input is not null) return input;
        }
        catch (JsonException)
        {
            // Cut or broken: the client gets what there is.
        }
        return arguments.ToArray();
    }
}
