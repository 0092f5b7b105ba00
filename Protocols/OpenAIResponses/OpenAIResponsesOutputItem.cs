using System.Buffers;
using System.Text;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>One output item that is being written. Texts are kept as inner bytes of JSON strings, in pooled memory until Dispose.</summary>
public sealed class OpenAIResponsesOutputItem(OpenAIResponsesItemKind kind, int index, string id) : IDisposable
{
    public OpenAIResponsesItemKind Kind { get; } = kind;

    /// <summary>Place in <c>response.output</c>.</summary>
    public int Index { get; } = index;

    public byte[] Id { get; } = Encoding.ASCII.GetBytes(id);

    /// <summary>Of a call.</summary>
    public OpenAIChatCallWriter.Call? Call { get; init; }

    /// <summary>Content parts of a message; the one summary part of a reasoning item, if it has any; the one text of a call.</summary>
    public List<Part> Parts { get; } = [];

    /// <summary>JSON string token; null: none.</summary>
    public byte[]? EncryptedContent { get; set; }

    /// <summary>It has ended and its content is told whole.</summary>
    public bool IsDone { get; private set; }

    private bool _isIncomplete;

    public sealed class Part(bool isRefusal)
    {
        public bool IsRefusal { get; } = isRefusal;

        public TextPieces Text { get; } = new();

        /// <summary>The sources of the text.</summary>
        public List<Citation> Citations { get; } = [];

        /// <summary>Its block ended. Sources may still come, so its done events wait until something else begins.</summary>
        public bool IsIdle { get; set; }

        /// <summary>Its done events are out.</summary>
        public bool IsEnded { get; set; }

        /// <summary>The text as a JSON string token.</summary>
        public void WriteToken(IBufferWriter<byte> output)
        {
            output.Write("\""u8);
            Text.WriteTo(output);
            output.Write("\""u8);
        }

        /// <summary>The sources as <c>annotations</c> has them: this protocol's own as they came, those of others where they are pages.</summary>
        public List<byte[]> Annotations()
        {
            var annotations = new List<byte[]>();
            if (Citations.Count == 0) return annotations;
            var text = new TextMeasure();
            text.Add(Text.ToToken());
            foreach (Citation citation in Citations)
            {
                var output = new ArrayBufferWriter<byte>();
                if (citation.Protocol == "responses") output.WriteOneLine(citation.Raw.Span);
                else if (citation.Url is null) continue;
                else OpenAIAnnotations.Write(output, citation, Math.Min(citation.Start ?? 0, text.Characters), Math.Min(citation.End ?? text.Characters, text.Characters), isNested: false);
                annotations.Add(output.WrittenSpan.ToArray());
            }
            return annotations;
        }

        /// <summary>The part object of a message.</summary>
        /// <param name="isWhole">With its text and its sources.</param>
        public void Write(IBufferWriter<byte> output, bool isWhole)
        {
            output.Write(IsRefusal ? "{\"type\":\"refusal\",\"refusal\":"u8 : "{\"type\":\"output_text\",\"text\":"u8);
            if (isWhole) WriteToken(output);
            else output.Write("\"\""u8);
            if (!IsRefusal)
            {
                output.Write(",\"annotations\":["u8);
                List<byte[]> annotations = isWhole ? Annotations() : [];
                for (int i = 0; i < annotations.Count; i++)
                {
                    if (i > 0) output.Write(","u8);
                    output.Write(annotations[i]);
                }
                output.Write("],\"logprobs\":[]"u8);
            }
            output.Write("}"u8);
        }
    }

    public void End(bool isIncomplete)
    {
        IsDone = true;
        _isIncomplete = isIncomplete;
    }

    /// <summary>The item as <c>output_item.added</c> announces it, without content; once it is done whole.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        output.Write("{\"id\":\""u8);
        output.Write(Id);
        output.Write("\",\"type\":\""u8);
        output.Write(Kind switch
        {
            OpenAIResponsesItemKind.Message => "message"u8,
            OpenAIResponsesItemKind.Reasoning => "reasoning"u8,
            OpenAIResponsesItemKind.Custom => "custom_tool_call"u8,
            _ => "function_call"u8,
        });
        output.Write("\",\"status\":\""u8);
        output.Write(!IsDone ? "in_progress"u8 : _isIncomplete ? "incomplete"u8 : "completed"u8);
        output.Write("\""u8);
        switch (Kind)
        {
            case OpenAIResponsesItemKind.Message:
                Content(output);
                break;
            case OpenAIResponsesItemKind.Reasoning:
                Summary(output);
                break;
            default:
                CallMembers(output);
                break;
        }
        output.Write("}"u8);
    }

    /// <summary>Forgets the texts.</summary>
    public void Dispose()
    {
        foreach (Part part in Parts) part.Text.Dispose();
    }

    private void Content(IBufferWriter<byte> output)
    {
        output.Write(",\"role\":\"assistant\",\"content\":["u8);
        for (int i = 0; IsDone && i < Parts.Count; i++)
        {
            if (i > 0) output.Write(","u8);
            Parts[i].Write(output, isWhole: true);
        }
        output.Write("]"u8);
    }

    private void Summary(IBufferWriter<byte> output)
    {
        output.Write(",\"summary\":["u8);
        if (IsDone && Parts.Count > 0)
        {
            output.Write("{\"type\":\"summary_text\",\"text\":"u8);
            Parts[0].WriteToken(output);
            output.Write("}"u8);
        }
        output.Write("]"u8);
        if (!IsDone || EncryptedContent is not { } encrypted) return;
        output.Write(",\"encrypted_content\":"u8);
        output.Write(encrypted);
    }

    private void CallMembers(IBufferWriter<byte> output)
    {
        output.Write(Kind == OpenAIResponsesItemKind.Custom ? ",\"input\":"u8 : ",\"arguments\":"u8);
        if (IsDone && Parts.Count > 0) Parts[0].WriteToken(output);
        else output.Write("\"\""u8);
        output.Write(",\"call_id\":\""u8);
        output.Write(Call!.Id);
        output.Write("\",\"name\":"u8);
        if (Call.Tool is { } tool)
        {
            output.Write(RawJson.Encode(tool.Name));
            if (tool.Namespace is { } space)
            {
                output.Write(",\"namespace\":"u8);
                output.Write(RawJson.Encode(space));
            }
            return;
        }
        output.Write("\""u8);
        output.Write(Call.Name);
        output.Write("\""u8);
    }
}

public enum OpenAIResponsesItemKind { Message, Reasoning, Function, Custom }
