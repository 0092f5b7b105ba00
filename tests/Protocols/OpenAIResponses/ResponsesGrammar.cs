using System.Text.Json;
using Aiproxy.Tests.Protocols.OpenAIChat;

namespace Aiproxy.Tests.Protocols.OpenAIResponses;

internal static class ResponsesGrammar
{
    /// <summary>Checks the event grammar, and returns the terminal event's response.</summary>
    public static JsonElement Check(string stream)
    {
        List<(string Event, string Data)> events = OpenAITranscript.Split(stream);
        var added = new Dictionary<long, string>();
        var done = new SortedDictionary<long, string>();
        JsonElement response = default;
        for (int i = 0; i < events.Count; i++)
        {
            JsonElement data = JsonDocument.Parse(events[i].Data).RootElement;
            string type = data.GetProperty("type").GetString()!;
            Assert.Equal(events[i].Event, type);
            Assert.Equal(i, data.GetProperty("sequence_number").GetInt64());
            if (i < 2) Assert.Equal(i == 0 ? "response.created" : "response.in_progress", type);
            if (data.TryGetProperty("response", out JsonElement inside)) response = inside;
            long index = data.TryGetProperty("output_index", out JsonElement output) ? output.GetInt64() : -1;
            if (type == "response.output_item.added") added.Add(index, data.GetProperty("item").GetProperty("id").GetString()!);
            else if (type == "response.output_item.done")
            {
                Assert.Equal(added[index], data.GetProperty("item").GetProperty("id").GetString());
                done.Add(index, data.GetProperty("item").GetRawText());
            }
            else if (index >= 0)
            {
                Assert.Equal(added[index], data.GetProperty("item_id").GetString());
                Assert.False(done.ContainsKey(index));
            }
        }
        Assert.Equal(done.Values, response.GetProperty("output").EnumerateArray().Select(static item => item.GetRawText()));
        if (response.GetProperty("status").GetString() != "failed") Assert.Equal(added.Keys.Order(), done.Keys);
        return response;
    }
}
