using System.Text.Json;

namespace Aiproxy.Protocols.Model;

/// <summary>Tools, choice and call arguments in a form that the target takes.</summary>
/// <remarks>Legal names, no namespaces, free-form tools as functions where the target knows none.</remarks>
public static class ToolRepair
{
    private static readonly JsonElement s_inputSchema =
        JsonDocument.Parse("""{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}""").RootElement;

    /// <exception cref="ProtocolException">Two tools have one name for the target.</exception>
    public static List<ToolDefinition> Tools(IReadOnlyList<ToolDefinition> tools, HistoryRules rules)
    {
        var repaired = new List<ToolDefinition>(tools.Count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ToolDefinition tool in tools)
        {
            if (tool.Kind == ToolKind.Foreign)
            {
                repaired.Add(tool);
                continue;
            }
            string name = ToolNames.For(ToolNames.Flat(tool), rules.MaxNameLength, rules.NamesAreLed);
            if (!names.Add(name)) throw new ProtocolException(ErrorKind.InvalidRequest, $"{tool.Path}: a second tool of the same name", tool.Path);
            ToolDefinition legal = tool with { Name = name, Namespace = null };
            repaired.Add(tool.Kind == ToolKind.Custom && !rules.KnowsCustomTools ? Wrap(legal) : legal);
        }
        return repaired;
    }

    /// <param name="tools">As <see cref="Tools"/> gave them.</param>
    /// <exception cref="ProtocolException">It names a tool that is not among them.</exception>
    public static ToolChoice? Choice(ToolChoice? choice, List<ToolDefinition> tools, HistoryRules rules)
    {
        if (choice is null) return null;
        string[] names = [.. choice.Names.Select(name => ToolNames.For(name, rules.MaxNameLength, rules.NamesAreLed))];
        bool isKnown = choice.Foreign is not null || names.All(name => tools.Exists(tool => tool.Kind != ToolKind.Foreign && tool.Name == name));
        if (!isKnown) throw new ProtocolException(ErrorKind.InvalidRequest, $"{choice.Path}: a tool that is not declared", choice.Path);
        return choice with { Names = names, IsCustom = choice.IsCustom && rules.KnowsCustomTools };
    }

    /// <summary>A call of an earlier answer, without touching its id.</summary>
    public static ToolCallPart Call(ToolCallPart call, HistoryRules rules)
    {
        string name = ToolNames.For(ToolNames.Flat(call.Namespace, call.Name), rules.MaxNameLength, rules.NamesAreLed);
        ToolCallPart legal = call with { Name = name, Namespace = null };
        return call.IsCustom && rules.KnowsCustomTools ? legal : legal with { IsCustom = false, Arguments = ToolArguments.AsObject(call) };
    }

    /// <summary>The grammar that the input must obey is told in words: a function's schema cannot say it.</summary>
    private static ToolDefinition Wrap(ToolDefinition custom)
    {
        string description = custom.Description?.ToString() ?? "";
        if (Grammar(custom.Raw) is { } grammar) description = $"{description}\n\nThe input must match this grammar:\n{grammar}".TrimStart();
        return custom with
        {
            Kind = ToolKind.Function,
            Description = description.Length > 0 ? new JsonText(description) : (JsonText?)null,
            Schema = s_inputSchema,
            Raw = null,
        };
    }

    private static string? Grammar(JsonElement? format)
    {
        if (format is not { ValueKind: JsonValueKind.Object } told) return null;
        if (told.TryGetProperty("grammar"u8, out JsonElement nested) && nested.ValueKind == JsonValueKind.Object) told = nested;
        if (!told.TryGetProperty("definition"u8, out JsonElement definition) || definition.ValueKind != JsonValueKind.String) return null;
        return JsonText.From(definition).ToString();
    }
}
