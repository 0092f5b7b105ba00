namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Follows the JSON text that arrives in pieces as tool arguments and knows when its outermost object or array is closed.</summary>
/// <remarks>A scanner, no parser: it counts brackets outside of strings. Broken text may count as complete; whoever needs certainty parses.</remarks>
public struct ArgumentsBalance
{
    private int _depth;
    private bool _inString;
    private bool _escaped;

    /// <summary>Something but white space has arrived.</summary>
    public bool HasContent { get; private set; }

    /// <summary>The outermost bracket was opened and closed.</summary>
    public bool IsComplete { get; private set; }

    /// <param name="token">A JSON string token, quotes included, whose text is the next piece.</param>
    public void Add(ReadOnlySpan<byte> token)
    {
        ReadOnlySpan<byte> inner = JsonSlice.Inner(token);
        for (int i = 0; i < inner.Length; i++)
        {
            byte current = inner[i];
            if (current == (byte)'\\' && i + 1 < inner.Length)
            {
                i++;
                current = inner[i] switch { (byte)'n' or (byte)'r' or (byte)'t' => (byte)' ', (byte)'u' => Unicode(inner, ref i), byte other => other };
            }
            Step(current);
        }
    }

    /// <summary>The piece has nothing but white space in it.</summary>
    public static bool IsBlank(ReadOnlySpan<byte> token)
    {
        var probe = default(ArgumentsBalance);
        probe.Add(token);
        return !probe.HasContent;
    }

    private void Step(byte current)
    {
        if (current is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r') return;
        HasContent = true;
        if (_inString)
        {
            if (_escaped) _escaped = false;
            else if (current == (byte)'\\') _escaped = true;
            else if (current == (byte)'"') _inString = false;
            return;
        }
        switch (current)
        {
            case (byte)'"':
                _inString = true;
                break;
            case (byte)'{' or (byte)'[':
                _depth++;
                break;
            case (byte)'}' or (byte)']':
                _depth--;
                if (_depth <= 0) IsComplete = true;
                break;
        }
    }

    /// <summary>The character of a <c>\uXXXX</c> escape when it is ASCII, else a stand-in that no bracket rule knows.</summary>
    private static byte Unicode(ReadOnlySpan<byte> inner, ref int i)
    {
        if (i + 4 >= inner.Length) return (byte)'?';
        int value = 0;
        for (int k = 1; k <= 4; k++) value = value * 16 + Hex(inner[i + k]);
        i += 4;
        return value < 128 ? (byte)value : (byte)'?';
    }

    private static int Hex(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => 0,
    };
}
