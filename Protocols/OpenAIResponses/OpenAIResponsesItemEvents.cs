using System.Buffers;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>The events that belong to one output item. Writes nothing where the answer is not streamed.</summary>
/// <param name="events">null: whole answers have no events.</param>
public sealed class OpenAIResponsesItemEvents(IBufferWriter<byte> output, OpenAIResponsesEvents? events)
{
    public void Added(OpenAIResponsesOutputItem item) => Item("response.output_item.added"u8, item);

    public void Done(OpenAIResponsesOutputItem item) => Item("response.output_item.done"u8, item);

    /// <summary>A message's part or a reasoning item's summary part begins.</summary>
    public void PartAdded(OpenAIResponsesOutputItem item, int part)
    {
        if (events is null) return;
        Begin(item.Kind == OpenAIResponsesItemKind.Reasoning ? "response.reasoning_summary_part.added"u8 : "response.content_part.added"u8, item, part);
        Part(item, part, isWhole: false);
        events.End();
    }

    public void Delta(OpenAIResponsesOutputItem item, int part, ReadOnlySpan<byte> token)
    {
        if (events is null) return;
        bool isRefusal = item.Parts[part].IsRefusal;
        var run = new OutputRun(output);
        Begin(ref run, item.Kind switch
        {
            OpenAIResponsesItemKind.Reasoning => "response.reasoning_summary_text.delta"u8,
            OpenAIResponsesItemKind.Function => "response.function_call_arguments.delta"u8,
            OpenAIResponsesItemKind.Custom => "response.custom_tool_call_input.delta"u8,
            _ => isRefusal ? "response.refusal.delta"u8 : "response.output_text.delta"u8,
        }, item, part);
        run.Add(",\"delta\":"u8);
        run.Add(token);
        if (item.Kind == OpenAIResponsesItemKind.Message && !isRefusal) run.Add(",\"logprobs\":[]"u8);
        events.End(ref run);
        run.End();
    }

    /// <summary>The text of a part is complete, and with it the part; a call has no part event.</summary>
    public void PartDone(OpenAIResponsesOutputItem item, int part)
    {
        if (events is null) return;
        bool isRefusal = item.Parts[part].IsRefusal;
        Annotations(item, part);
        Begin(item.Kind switch
        {
            OpenAIResponsesItemKind.Reasoning => "response.reasoning_summary_text.done"u8,
            OpenAIResponsesItemKind.Function => "response.function_call_arguments.done"u8,
            OpenAIResponsesItemKind.Custom => "response.custom_tool_call_input.done"u8,
            _ => isRefusal ? "response.refusal.done"u8 : "response.output_text.done"u8,
        }, item, part);
        output.Write(item.Kind switch
        {
            OpenAIResponsesItemKind.Function => ",\"arguments\":"u8,
            OpenAIResponsesItemKind.Custom => ",\"input\":"u8,
            _ => isRefusal ? ",\"refusal\":"u8 : ",\"text\":"u8,
        });
        item.Parts[part].WriteToken(output);
        if (item.Kind == OpenAIResponsesItemKind.Message && !isRefusal) output.Write(",\"logprobs\":[]"u8);
        events.End();
        if (item.Kind is OpenAIResponsesItemKind.Function or OpenAIResponsesItemKind.Custom) return;

        Begin(item.Kind == OpenAIResponsesItemKind.Reasoning ? "response.reasoning_summary_part.done"u8 : "response.content_part.done"u8, item, part);
        Part(item, part, isWhole: true);
        events.End();
    }

    private void Annotations(OpenAIResponsesOutputItem item, int part)
    {
        List<byte[]> annotations = item.Parts[part].Annotations();
        for (int i = 0; i < annotations.Count; i++)
        {
            Begin("response.output_text.annotation.added"u8, item, part);
            output.Write(",\"annotation_index\":"u8);
            output.WriteNumber(i);
            output.Write(",\"annotation\":"u8);
            output.Write(annotations[i]);
            events!.End();
        }
    }

    private void Item(ReadOnlySpan<byte> type, OpenAIResponsesOutputItem item)
    {
        if (events is null) return;
        events.Begin(type);
        output.Write("\"output_index\":"u8);
        output.WriteNumber(item.Index);
        output.Write(",\"item\":"u8);
        item.Write(output);
        events.End();
    }

    /// <summary>Opens an event with what addresses the item and, where the kind has parts, the part.</summary>
    private void Begin(ReadOnlySpan<byte> type, OpenAIResponsesOutputItem item, int part)
    {
        var run = new OutputRun(output);
        Begin(ref run, type, item, part);
        run.End();
    }

    private void Begin(ref OutputRun run, ReadOnlySpan<byte> type, OpenAIResponsesOutputItem item, int part)
    {
        events!.Begin(ref run, type);
        run.Add("\"item_id\":\""u8);
        run.Add(item.Id);
        run.Add("\",\"output_index\":"u8);
        run.AddNumber(item.Index);
        if (item.Kind is OpenAIResponsesItemKind.Function or OpenAIResponsesItemKind.Custom) return;
        run.Add(item.Kind == OpenAIResponsesItemKind.Reasoning ? ",\"summary_index\":"u8 : ",\"content_index\":"u8);
        run.AddNumber(part);
    }

    private void Part(OpenAIResponsesOutputItem item, int part, bool isWhole)
    {
        output.Write(",\"part\":"u8);
        if (item.Kind != OpenAIResponsesItemKind.Reasoning)
        {
            item.Parts[part].Write(output, isWhole);
            return;
        }
        output.Write("{\"type\":\"summary_text\",\"text\":"u8);
        if (isWhole) item.Parts[part].WriteToken(output);
        else output.Write("\"\""u8);
        output.Write("}"u8);
    }
}
