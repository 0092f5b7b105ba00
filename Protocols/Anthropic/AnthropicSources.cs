using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Protocols.Anthropic;

/// <summary>Pages that another provider's answer rests on, for a client that asked for a web search. They are told as what the search found: this protocol's own
/// citations carry tokens that only Anthropic makes, and Claude Code takes its links from the results.</summary>
public sealed class AnthropicSources(WriterOptions options)
{
    private readonly bool _isAsked = options.Request?.Tools.Any(ServerTools.IsWebSearch) == true;
    private readonly List<(string Url, string Title)> _pages = [];

    // Begins the id of a search that is told here.
    private static ReadOnlySpan<byte> IdPrefix => "srvtoolu_aip1"u8;

    /// <summary>The id, without quotes, is one of a search that was told here. No provider knows of it: it never goes upstream.</summary>
    public static bool IsMade(ReadOnlySpan<byte> id) => id.StartsWith(IdPrefix);

    public bool HasAny => _pages.Count > 0;

    public void Add(Citation citation)
    {
        if (!_isAsked || AnthropicCitations.CanTell(citation) || citation.Url is not { Length: > 0 } url || _pages.Exists(page => page.Url == url)) return;
        _pages.Add((url, citation.Title is { Length: > 0 } title ? title : url));
    }

    /// <summary>The search, as a block whose input is <paramref name="input"/>.</summary>
    public void WriteCall(IBufferWriter<byte> output, ReadOnlySpan<byte> input)
    {
        output.Write("{\"type\":\"server_tool_use\",\"id\":\""u8);
        output.Write(Id());
        output.Write("\",\"name\":\"web_search\",\"input\":"u8);
        output.Write(input);
        output.Write(",\"caller\":{\"type\":\"direct\"}}"u8);
    }

    /// <summary>What it found, as a block.</summary>
    public void WriteResult(IBufferWriter<byte> output)
    {
        output.Write("{\"type\":\"web_search_tool_result\",\"tool_use_id\":\""u8);
        output.Write(Id());
        output.Write("\",\"content\":["u8);
        for (int i = 0; i < _pages.Count; i++)
        {
            output.Write(i == 0 ? "{\"type\":\"web_search_result\",\"url\":"u8 : ",{\"type\":\"web_search_result\",\"url\":"u8);
            output.Write(RawJson.Encode(_pages[i].Url));
            output.Write(",\"title\":"u8);
            output.Write(RawJson.Encode(_pages[i].Title));
            output.Write(",\"encrypted_content\":\""u8);
            output.Write(Encoding.ASCII.GetBytes(SealEnvelope.Nothing));
            output.Write("\",\"page_age\":null}"u8);
        }
        output.Write("],\"caller\":{\"type\":\"direct\"}}"u8);
    }

    private byte[] Id() => [.. IdPrefix, .. Encoding.ASCII.GetBytes(options.IdSeed)];
}
