namespace Aiproxy.Upstreams.Google;

/// <summary>One content as it will be sent.</summary>
public sealed record HistoryContent(bool IsModel, List<HistoryPart> Parts)
{
    /// <summary>The user says something here, not only functions.</summary>
    public bool IsSpoken => !IsModel && Parts.Exists(static part => part.Kind != HistoryPartKind.Response);

    public bool HasCalls => Parts.Exists(static part => part.Kind == HistoryPartKind.Call);
}
