using System.Buffers;
using Aiproxy.EventStream;

namespace Aiproxy.Protocols.OpenAIChat;

/// <summary>Folds chunks into one <c>chat.completion</c>: all choices, with their log probabilities and whatever else a server tells.</summary>
public sealed class OpenAIChatFold : IAnswerFold
{
    private readonly List<(byte[] Name, byte[] Value)> _members = [];
    private readonly SortedList<long, OpenAIChatFoldedChoice> _choices = [];

    public void Take(in Frame frame)
    {
        ReadOnlySpan<byte> data = frame.Data.Trim(" \t\r\n"u8);
        if (data.IsEmpty || data.SequenceEqual("[DONE]"u8) || !JsonSlice.IsObject(data)) return;
        var members = JsonSlice.Members(data);
        while (members.Next())
        {
            if (members.Is("choices"u8)) TakeChoices(members.Value);
            // Padding against guesses by length.
            else if (!members.Is("obfuscation"u8)) Set(members.Name, members.Is("object"u8) ? "\"chat.completion\""u8 : members.Value);
        }
    }

    public void Write(IBufferWriter<byte> output)
    {
        output.Write("{"u8);
        foreach ((byte[] name, byte[] value) in _members)
        {
            // Behind the choices, where readers look for it.
            if (name.AsSpan().SequenceEqual("usage"u8)) continue;
            WriteMember(output, name, value);
            output.Write(","u8);
        }
        output.Write("\"choices\":["u8);
        bool isSecond = false;
        foreach (OpenAIChatFoldedChoice choice in _choices.Values)
        {
            if (isSecond) output.Write(","u8);
            isSecond = true;
            choice.Write(output);
        }
        output.Write("]"u8);
        if (_members.Find(static one => one.Name.AsSpan().SequenceEqual("usage"u8)) is { Name: not null } usage)
        {
            output.Write(","u8);
            WriteMember(output, usage.Name, usage.Value);
        }
        output.Write("}"u8);
    }

    private void TakeChoices(ReadOnlySpan<byte> choices)
    {
        var elements = JsonSlice.Elements(choices);
        while (elements.Next())
        {
            if (!JsonSlice.IsObject(elements.Value)) continue;
            long index = 0;
            var members = JsonSlice.Members(elements.Value);
            while (members.Next())
            {
                if (members.Is("index"u8)) index = members.Long() ?? 0;
            }
            if (!_choices.TryGetValue(index, out OpenAIChatFoldedChoice? choice)) _choices.Add(index, choice = new OpenAIChatFoldedChoice(index));
            choice.Take(elements.Value);
        }
    }

    /// <summary>The last told value counts; <c>null</c> takes nothing back.</summary>
    private void Set(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        for (int i = 0; i < _members.Count; i++)
        {
            if (!name.SequenceEqual(_members[i].Name)) continue;
            if (!value.SequenceEqual("null"u8)) _members[i] = (_members[i].Name, value.ToArray());
            return;
        }
        _members.Add((name.ToArray(), value.ToArray()));
    }

    private static void WriteMember(IBufferWriter<byte> output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        output.Write("\""u8);
        output.WriteEscaped(name);
        output.Write("\":"u8);
        output.Write(value);
    }
}
