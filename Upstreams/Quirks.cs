namespace Aiproxy.Upstreams;

/// <summary>Named switches of upstreams that deviate from their protocol.</summary>
public static class Quirks
{
    /// <summary>Every name that a configuration may use.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "developer_role", "strict_alternation", "replay_reasoning", "legacy_schema", "gemini_send_ids", "web_search", "prefill", "remote_download", "extra_betas", "originator",
    ];
}
