using System.Text;

namespace Aiproxy.Bench;

/// <summary>A long conversation with images in each client protocol, of about so many bytes. Written to a file, so that the process that is measured never makes it.</summary>
public static class RequestScript
{
    private const int Turns = 200;

    public static void Write(string file, string protocol, int bytes, int images)
    {
        var words = new Words(11);
        var messages = new List<string>();
        for (int i = 0; i < Turns; i++) messages.Add(Said(protocol, i % 2 == 0, words.Next(100)));
        string image = Image(bytes / images);
        for (int i = 0; i < images; i++)
        {
            messages.Add(Shown(protocol, image));
            messages.Add(Said(protocol, isUser: false, words.Next(10)));
        }
        messages.Add(Said(protocol, isUser: true, "Compare them."));
        string small = ClientBody.Of(protocol).Trim(), turns = string.Join(',', messages);
        string list = protocol switch { "responses" => "\"input\":[", "gemini" => "\"contents\":[", _ => "\"messages\":[" };
        File.WriteAllText(file, small[..(small.LastIndexOf(list, StringComparison.Ordinal) + list.Length)] + turns + "]}", new UTF8Encoding(false));
    }

    /// <summary>A PNG by its first bytes, then noise.</summary>
    private static string Image(int base64Length)
    {
        byte[] data = new byte[base64Length / 4 * 3];
        new Random(3).NextBytes(data);
        ((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).CopyTo(data);
        return Convert.ToBase64String(data);
    }

    private static string Said(string protocol, bool isUser, string text) => protocol == "gemini"
        ? $$"""{"role":"{{(isUser ? "user" : "model")}}","parts":[{"text":"{{text}}"}]}"""
        : $$"""{"role":"{{(isUser ? "user" : "assistant")}}","content":"{{text}}"}""";

    private static string Shown(string protocol, string image) => protocol switch
    {
        "anthropic" => $$$"""{"role":"user","content":[{"type":"text","text":"One more:"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{image}}}"}}]}""",
        "openai" => $$$"""{"role":"user","content":[{"type":"text","text":"One more:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{image}}}"}}]}""",
        "responses" => $$"""{"role":"user","content":[{"type":"input_text","text":"One more:"},{"type":"input_image","image_url":"data:image/png;base64,{{image}}"}]}""",
        _ => $$$"""{"role":"user","parts":[{"text":"One more:"},{"inlineData":{"mimeType":"image/png","data":"{{{image}}}"}}]}""",
    };
}
