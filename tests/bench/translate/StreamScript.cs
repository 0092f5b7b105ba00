using System.Globalization;
using System.Text;

namespace Aiproxy.Bench;

/// <summary>A long answer in one upstream protocol, with the members and the length of delta that its provider sends.</summary>
public abstract class StreamScript
{
    private readonly StringBuilder _text = new();

    protected Words Words { get; } = new(7);

    /// <summary>Events written so far.</summary>
    public int Events { get; private set; }

    /// <param name="kind"><c>text</c>: one long text. <c>mixed</c>: twenty steps of thinking, text and a tool call.</param>
    public static (byte[] Body, int Events) Make(string protocol, string kind, int events)
    {
        StreamScript script = protocol switch
        {
            "anthropic" => new AnthropicScript(),
            "openai" => new ChatScript(),
            "responses" => new ResponsesScript(),
            _ => new GeminiScript(),
        };
        script.Begin();
        if (kind == "text") script.Text(events);
        else for (int step = 0; step < 20; step++) script.Step(step, events / 20);
        script.End();
        return (Encoding.UTF8.GetBytes(script._text.ToString()), script.Events);
    }

    protected abstract void Begin();

    protected abstract void Thinking(int deltas);

    protected abstract void Text(int deltas);

    protected abstract void Call(int number, int deltas);

    protected abstract void End();

    protected void Add(FormattableString frame)
    {
        _text.Append(frame.ToString(CultureInfo.InvariantCulture));
        Events++;
    }

    private void Step(int step, int events)
    {
        Thinking(events / 5);
        Text(events * 3 / 4);
        Call(step, events / 20);
    }

    /// <summary>Pieces of one call's arguments, as the inside of JSON strings; together they are an object.</summary>
    protected IEnumerable<string> Arguments(int pieces)
    {
        yield return "{\\\"path\\\": \\\"src/main.cs\\\", \\\"text\\\": \\\"";
        for (int i = 2; i < pieces; i++) yield return Words.Next(1).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        yield return "\\\"}";
    }
}
