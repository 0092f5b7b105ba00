namespace Aiproxy.Config;

/// <summary>The legal values of <c>api_type</c>, in the order in which messages name them.</summary>
public sealed class UpstreamTypeFacts(IReadOnlyList<UpstreamTypeFact> facts)
{
    public IReadOnlyList<string> Names { get; } = [.. facts.Select(fact => fact.Name)];

    /// <summary>null: no such type.</summary>
    public UpstreamTypeFact? Find(string name) => facts.FirstOrDefault(fact => fact.Name == name);
}
