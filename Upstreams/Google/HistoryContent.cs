namespace Aiproxy.Upstreams.Google;

/// <summary>One content as it will be sent.</summary>
public sealed record HistoryContent(bool IsModel, List<HistoryPart> Parts)
{
    /// <summary>The user alone speaks here: a turn begins. Words beside a function's results may still be the same turn.</summary>
    public bool IsSpoken => !IsModel && Parts.Count > 0 && !Parts.Exists(static part => part.Kind == HistoryPartKind.Response);

    public bool HasCalls => Parts.Exists(static part => part.Kind == HistoryPartKind.Call);
}
