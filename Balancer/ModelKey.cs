namespace Aiproxy.Balancer;

/// <summary>Client-given model names as keys of bounded tables.</summary>
public static class ModelKey
{
    // No provider's model name comes near it; a request may hold a name of megabytes, which a table must not keep.
    private const int LongestChars = 256;

    /// <summary>The name, cut where it is absurdly long. Names that differ only behind the cut share state.</summary>
    public static string Of(string model) => model.Length <= LongestChars ? model : model[..LongestChars];
}
