using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Aiproxy.Config;

/// <summary>One YAML document to nodes: anchors, aliases and merge keys resolved, every duplicate key told. One per document.</summary>
/// <remarks>Works on the parser's events. The library's own tree throws at an overridden merge key and tells only the first duplicate.
/// Null from a private method means: an error is told, stop.</remarks>
public sealed class YamlDocumentReader(ConfigErrors errors)
{
    /// <summary>A configuration needs six; the reading is recursive.</summary>
    private const int DeepestLevel = 64;

    /// <summary>Nodes, those behind aliases counted at each use. A file with a thousand upstreams has some twenty thousand.</summary>
    private const int MostNodes = 100_000;

    private readonly Dictionary<AnchorName, ConfigNode> _anchors = [];
    private readonly HashSet<AnchorName> _openAnchors = [];
    private IParser _parser = null!;
    private int _nodes;

    /// <summary>Where the value began that was met last.</summary>
    private int _line = 1;
    private int _column = 1;

    /// <summary>The root mapping; empty for an empty file; null when the text is no YAML mapping, which is told.</summary>
    public MapNode? Read(string text)
    {
        try
        {
            _parser = new Parser(new StringReader(text));
            return ReadDocument();
        }
        catch (YamlException failure)
        {
            TellSyntax(text, failure);
            return null;
        }
        catch (Exception failure) when (failure is SystemException and not OutOfMemoryException)
        {
            // The library's scanner answers some broken input with the exceptions of the collections it is made of.
            errors.ErrorAt(_line, _column, "", "not valid YAML: what follows here makes no sense; a bracket, brace or quote may have no end");
            return null;
        }
    }

    private MapNode? ReadDocument()
    {
        _parser.MoveNext();
        _parser.MoveNext();
        if (_parser.Current is not DocumentStart) return new MapNode([], 1, 1, 1);
        _parser.MoveNext();
        ConfigNode? root = ReadNode("", 0);
        if (root is null) return null;
        if (_parser.Current is not DocumentEnd)
        {
            errors.ErrorAt(root.Line, root.Column, "", "not valid YAML: more follows where the document should end");
            return null;
        }
        _parser.MoveNext();
        if (_parser.Current is DocumentStart second)
        {
            errors.ErrorAt((int)second.Start.Line, (int)second.Start.Column, "", "a second document begins here; the configuration is one document");
            return null;
        }
        switch (root)
        {
            case MapNode map:
                return map;
            case ScalarNode { IsNull: true }:
                return new MapNode([], 1, 1, 1);
            default:
                errors.ErrorAt(root.Line, root.Column, "", $"expected a mapping of keys, got {root.Kind}");
                return null;
        }
    }

    private ConfigNode? ReadNode(string path, int level)
    {
        ParsingEvent at = _parser.Current ?? throw new InvalidOperationException();
        int line = _line = (int)at.Start.Line, column = _column = (int)at.Start.Column;
        if (at is AnchorAlias alias) return ReadAlias(alias, path);

        // '- ? :' makes the library end a mapping in the place of a value.
        if (at is not NodeEvent start) return Stop(line, column, path, "not valid YAML: a value is due here");
        if (level > DeepestLevel) return Stop(line, column, path, $"nested more than {DeepestLevel} deep");
        if (!IsKnownTag(start.Tag)) errors.ErrorAt(line, column, path, "tags have no meaning here; give plain text, a list or a mapping");
        if (!Count(1, line, column, path)) return null;
        if (!start.Anchor.IsEmpty) _openAnchors.Add(start.Anchor);
        ConfigNode? node = start switch
        {
            Scalar scalar => ReadScalar(scalar),
            SequenceStart => ReadList(path, level, line, column),
            _ => ReadMap(path, level, line, column),
        };
        if (node is not null && !start.Anchor.IsEmpty)
        {
            _openAnchors.Remove(start.Anchor);
            _anchors[start.Anchor] = node;
        }
        return node;
    }

    private ConfigNode? ReadAlias(AnchorAlias alias, string path)
    {
        int line = (int)alias.Start.Line, column = (int)alias.Start.Column;
        _parser.MoveNext();
        if (_openAnchors.Contains(alias.Value)) return Stop(line, column, path, "the alias stands inside the value that it names");
        if (!_anchors.TryGetValue(alias.Value, out ConfigNode? node)) return Stop(line, column, path, "no anchor of this name stands before the alias");
        return Count(node.Weight, line, column, path) ? node : null;
    }

    private ScalarNode ReadScalar(Scalar scalar)
    {
        bool isNull = scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty && scalar.Value is ("" or "~" or "null" or "Null" or "NULL");
        _parser.MoveNext();
        return new ScalarNode(scalar.Value, isNull, (int)scalar.Start.Line, (int)scalar.Start.Column);
    }

    private ListNode? ReadList(string path, int level, int line, int column)
    {
        var items = new List<ConfigNode>();
        int weight = 1;
        _parser.MoveNext();
        while (_parser.Current is not SequenceEnd)
        {
            ConfigNode? item = ReadNode($"{path}[{items.Count}]", level + 1);
            if (item is null) return null;
            items.Add(item);
            weight += item.Weight;
        }
        _parser.MoveNext();
        return new ListNode(items, line, column, weight);
    }

    private MapNode? ReadMap(string path, int level, int line, int column)
    {
        var map = new MapBuilder(errors, path);
        _parser.MoveNext();
        while (_parser.Current is not MappingEnd)
        {
            bool mayMerge = _parser.Current is Scalar { Style: ScalarStyle.Plain };
            ConfigNode? key = ReadNode(path, level + 1);
            if (key is null) return null;
            string step = key is ScalarNode name ? Shown.Step(name.Text) : "";
            ConfigNode? value = ReadNode(path.Length == 0 ? step.TrimStart('.') : path + step, level + 1);
            if (value is null) return null;
            map.Add(key, value, mayMerge);
        }
        _parser.MoveNext();
        return map.Build(line, column);
    }

    /// <summary>What aliases blow up is refused before anybody walks it.</summary>
    private bool Count(int weight, int line, int column, string path)
    {
        _nodes += weight;
        if (_nodes <= MostNodes) return true;
        Stop(line, column, path, $"more than {MostNodes} values, those behind aliases counted at each use");
        return false;
    }

    private ConfigNode? Stop(int line, int column, string path, string message)
    {
        errors.ErrorAt(line, column, path, message);
        return null;
    }

    private static bool IsKnownTag(TagName tag) =>
        tag.IsEmpty || tag.IsNonSpecific
        || tag.Value is "tag:yaml.org,2002:str" or "tag:yaml.org,2002:int" or "tag:yaml.org,2002:float" or "tag:yaml.org,2002:bool"
            or "tag:yaml.org,2002:seq" or "tag:yaml.org,2002:map" or "tag:yaml.org,2002:null";

    /// <summary>The parser's message, its place mended and the two commonest slips named.</summary>
    private void TellSyntax(string text, YamlException failure)
    {
        int line = (int)failure.Start.Line, column = (int)failure.Start.Column;
        string message = OneLine(failure.Message);
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        int tab = message.Contains("tab", StringComparison.Ordinal) ? Array.FindIndex(lines, IsIndentedByTab) : -1;
        if (tab >= 0)
        {
            // The parser names where the mapping began.
            (line, column) = (tab + 1, lines[tab].IndexOf('\t') + 1);
        }
        else if (message.Contains("flow", StringComparison.Ordinal) && lines.ElementAtOrDefault(line - 1)?.Contains("${", StringComparison.Ordinal) == true)
        {
            message += " Inside [] and {} a '${NAME}' stands in quotes.";
        }
        errors.ErrorAt(Math.Max(line, 1), Math.Max(column, 1), "", $"not valid YAML: {message}");
    }

    private static bool IsIndentedByTab(string line) => line.AsSpan(0, line.Length - line.AsSpan().TrimStart(" \t").Length).Contains('\t');

    private static string OneLine(string message) => string.Concat(message.Take(200).Select(letter => char.IsControl(letter) ? ' ' : letter));
}
