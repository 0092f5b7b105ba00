namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>What the name of a model tells about it, wherever it is served. A vendor's prefix (<c>openai/</c>) is left aside.</summary>
public static class OpenAIModelNames
{
    /// <summary><c>gpt-*</c> and <c>o1</c> to <c>o9</c>: they know <c>max_completion_tokens</c>, and the reasoning ones refuse <c>max_tokens</c>. Not
    /// <c>gpt-oss-*</c>, which everyone serves, some of them without a word for what only OpenAI's own servers know.</summary>
    public static bool IsOpenAI(string model)
    {
        ReadOnlySpan<char> name = Bare(model);
        if (name.StartsWith("gpt-oss", StringComparison.OrdinalIgnoreCase)) return false;
        return name.StartsWith("gpt-", StringComparison.OrdinalIgnoreCase) || IsO(name);
    }

    /// <summary>OpenAI models that take neither sampling nor stop parameters: o-series and gpt-5 upward.</summary>
    public static bool IsOpenAIReasoning(string model)
    {
        ReadOnlySpan<char> name = Bare(model);
        return IsO(name) || (name.StartsWith("gpt-", StringComparison.OrdinalIgnoreCase) && name.Length > 4 && name[4] is >= '5' and <= '9');
    }

    /// <summary>Models that do not reason: even being told not to is refused there.</summary>
    public static bool IsKnownNotToReason(string model)
    {
        ReadOnlySpan<char> name = Bare(model);
        return name.StartsWith("gpt-4", StringComparison.OrdinalIgnoreCase) || name.StartsWith("gpt-3.5", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsO(ReadOnlySpan<char> name) =>
        name.Length >= 2 && (name[0] is 'o' or 'O') && name[1] is >= '1' and <= '9' && (name.Length == 2 || name[2] == '-');

    private static ReadOnlySpan<char> Bare(string model) => model.AsSpan(model.LastIndexOf('/') + 1);
}
