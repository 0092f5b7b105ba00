namespace Aiproxy.Config;

/// <summary>Reads <c>error_rules</c> of an upstream.</summary>
public static class ErrorRulesReader
{
    private static readonly string[] Actions = ["next", "ignore", "fail", "rest"];

    public static IReadOnlyList<ErrorRule> Read(MapReader upstream)
    {
        var rules = new List<ErrorRule>();
        foreach ((ConfigNode node, string path) in upstream.Items("error_rules"))
        {
            if (upstream.Context.Map(node, path) is { } map && ReadRule(map) is { } rule) rules.Add(rule);
        }
        return rules;
    }

    private static ErrorRule? ReadRule(MapReader map)
    {
        int errors = map.Errors.ErrorCount;
        IReadOnlyList<int> statuses = ReadStatuses(map);
        string? body = map.Text("body_contains")?.Text;
        string? header = map.Line("header");
        string? word = map.Choice("action", Actions);
        TimeSpan? restFor = map.Duration("for");
        map.Finish(NotYet.Nothing);
        if (map.Errors.ErrorCount > errors) return null;
        if (word is null)
        {
            map.Errors.Error(map.PathOf("action"), $"required: {Words.Or(Actions)}");
            return null;
        }

        ErrorAction action = word switch
        {
            "next" => ErrorAction.Next,
            "ignore" => ErrorAction.Ignore,
            "fail" => ErrorAction.Fail,
            _ => ErrorAction.Rest,
        };
        if (restFor is not null && action != ErrorAction.Rest) map.Errors.Error(map.PathOf("for"), "goes with 'action: rest' only");
        if (statuses.Count == 0 && body is null && header is null)
        {
            map.Errors.Warn(map.Path, "a rule without status, body_contains and header matches every failure");
        }
        return new ErrorRule { Statuses = statuses, BodyContains = body, Header = header, Action = action, RestFor = restFor };
    }

    private static List<int> ReadStatuses(MapReader map)
    {
        var statuses = new List<int>();
        foreach (FoundText found in map.Texts("status"))
        {
            if (ScalarForms.TryWhole(found.Text, out long status) && status is >= 100 and <= 599) statuses.Add((int)status);
            else map.Errors.Error(found.Path, $"expected an HTTP status from 100 to 599{Shown.Got(found)}");
        }
        return statuses;
    }
}
