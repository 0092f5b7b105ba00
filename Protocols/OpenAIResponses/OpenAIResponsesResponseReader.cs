using System.Buffers;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols.Model;
using Aiproxy.Protocols.OpenAIChat;

namespace Aiproxy.Protocols.OpenAIResponses;

/// <summary>Reads a Responses answer, streamed or whole. One per response.</summary>
/// <remarks>Only <c>response.completed</c> and <c>response.incomplete</c> finish an answer; the protocol has no other proper end.</remarks>
public sealed class OpenAIResponsesResponseReader(IResponseSink sink) : IResponseReader
{
    private readonly OpenAIResponsesItems _items = new(sink);
    private readonly OpenAIResponsesCopy _copy = new();
    private bool _isStarted, _isEnded;

    public void Read(in Frame frame)
    {
        if (_isEnded) return;
        ReadOnlySpan<byte> data = frame.Data.Trim(" \t\r\n"u8);
        if (data.IsEmpty || data.SequenceEqual("[DONE]"u8)) return;
        try
        {
            if (JsonSlice.IsArray(data))
            {
                var elements = JsonSlice.NewElements(data);
                if (!elements.Next()) return;
                data = elements.Value;
            }
            Dispatch(new ResponsesEvent(data, frame.Event));
        }
        catch (JsonException)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent data that is not JSON"));
        }
    }

    public void ReadWhole(ReadOnlySpan<byte> body)
    {
        if (_isEnded) return;
        if (body.Trim(" \t\r\n"u8).IsEmpty)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent an empty answer"));
            return;
        }
        try
        {
            ReadOnlySpan<byte> response = body.Trim(" \t\r\n"u8);
            if (JsonSlice.IsArray(response))
            {
                var elements = JsonSlice.NewElements(response);
                response = elements.Next() ? elements.Value : default;
            }
            Start(response);
            Terminal(response, isWhole: true, isIncomplete: false);
        }
        catch (JsonException)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent data that is not JSON"));
        }
    }

    public void Complete()
    {
        if (!_isEnded) Fail(new ProxyError(ErrorKind.BadGateway, _isStarted ? "the upstream's stream was cut" : "the upstream's answer ended before it began"));
    }

    public void WriteKeepalive(IBufferWriter<byte> output) => _copy.WriteKeepalive(output);

    public void WriteFailure(IBufferWriter<byte> output, ProxyError error) => _copy.WriteFailure(output, error);

    private void Dispatch(in ResponsesEvent told)
    {
        // A failure is never forwarded as it came, so it takes no sequence number.
        if (told.Is("error"u8) || (JsonSlice.IsTruthy(told.Error) && !told.Type.StartsWith("response."u8)))
        {
            Fail(OpenAIErrorReader.ReadInStream(JsonSlice.IsTruthy(told.Error) ? told.Error : told.Json));
            return;
        }
        if (told.Is("response.failed"u8))
        {
            Terminal(told.Response, isWhole: false, isIncomplete: false, isFailed: true);
            return;
        }
        _copy.Saw(told);
        if (!told.Type.StartsWith("response."u8)) return;
        if (!_isStarted) Start(told.Response);
        if (told.Is("response.completed"u8) || told.Is("response.done"u8)) Terminal(told.Response, isWhole: false, isIncomplete: false);
        else if (told.Is("response.incomplete"u8)) Terminal(told.Response, isWhole: false, isIncomplete: true);
        else Content(told);
    }

    private void Content(in ResponsesEvent told)
    {
        if (told.Is("response.output_text.delta"u8)) _items.PartDelta(told, BlockKind.Text);
        else if (told.Is("response.function_call_arguments.delta"u8)) _items.ArgumentsDelta(told, isCustom: false);
        else if (told.Is("response.reasoning_summary_text.delta"u8)) _items.ReasoningDelta(told, isRaw: false);
        else if (told.Is("response.reasoning_text.delta"u8)) _items.ReasoningDelta(told, isRaw: true);
        else if (told.Is("response.custom_tool_call_input.delta"u8)) _items.ArgumentsDelta(told, isCustom: true);
        else if (told.Is("response.refusal.delta"u8)) _items.PartDelta(told, BlockKind.Refusal);
        else if (told.Is("response.output_item.added"u8)) _items.Added(told);
        else if (told.Is("response.output_item.done"u8)) _items.Done(told);
        else if (told.Is("response.output_text.done"u8)) _items.PartDone(told, BlockKind.Text, told.Whole);
        else if (told.Is("response.refusal.done"u8)) _items.PartDone(told, BlockKind.Refusal, told.Whole);
        else if (told.Is("response.function_call_arguments.done"u8)) _items.ArgumentsDone(told, isCustom: false, told.Whole);
        else if (told.Is("response.custom_tool_call_input.done"u8)) _items.ArgumentsDone(told, isCustom: true, told.Whole);
        else if (told.Is("response.reasoning_summary_text.done"u8)) _items.ReasoningDone(told, isRaw: false, told.Whole);
        else if (told.Is("response.reasoning_text.done"u8)) _items.ReasoningDone(told, isRaw: true, told.Whole);
        else if (told.Is("response.output_text.annotation.added"u8)) _items.Annotated(told);
    }

    private void Start(ReadOnlySpan<byte> response)
    {
        if (_isStarted) return;
        ReadOnlySpan<byte> id = default, model = default;
        bool isAnswer = false;
        var members = JsonSlice.NewMembers(response);
        while (members.Next())
        {
            if (members.Is("id"u8)) id = JsonSlice.Inner(members.Value);
            else if (members.Is("model"u8)) model = JsonSlice.Inner(members.Value);
            else if (members.Is("output"u8) || members.Is("status"u8)) isAnswer = true;
        }

        // A stream whose first event has no response member starts all the same; a whole body without one is no answer.
        if (!response.IsEmpty && !isAnswer && id.IsEmpty) return;
        _isStarted = true;
        sink.Start(id, model);
    }

    /// <summary>The response object of a terminal event, or a whole answer.</summary>
    private void Terminal(ReadOnlySpan<byte> response, bool isWhole, bool isIncomplete, bool isFailed = false)
    {
        ReadOnlySpan<byte> output = default, usage = default, error = default, status = default, incomplete = default;
        var members = JsonSlice.NewMembers(response);
        while (members.Next())
        {
            if (members.Is("output"u8)) output = members.Value;
            else if (members.Is("usage"u8)) usage = members.Value;
            else if (members.Is("error"u8)) error = members.Value;
            else if (members.Is("status"u8)) status = JsonSlice.Inner(members.Value);
            else if (members.Is("incomplete_details"u8)) incomplete = members.Value;
        }
        if (isFailed || status.SequenceEqual("failed"u8) || (JsonSlice.IsTruthy(error) && !isIncomplete))
        {
            Fail(JsonSlice.IsTruthy(error) ? OpenAIErrorReader.ReadInStream(error) : new ProxyError(ErrorKind.ServerError, "the upstream's response failed"));
            return;
        }
        if (isWhole && (!_isStarted || !JsonSlice.IsArray(output)))
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream's answer is no response object"));
            return;
        }
        if (status.SequenceEqual("cancelled"u8))
        {
            Fail(new ProxyError(ErrorKind.ServerError, "the upstream cancelled its response"));
            return;
        }
        _items.Final(output);
        if (_items.HasNameless && !isIncomplete)
        {
            Fail(new ProxyError(ErrorKind.BadGateway, "the upstream sent a tool call without a name"));
            return;
        }
        _items.EndAll();
        if (OpenAIUsage.Read(usage) is { } total) sink.Usage(total);
        _isEnded = true;
        sink.Finish(Reason(status, incomplete, isIncomplete));
    }

    private FinishReason Reason(ReadOnlySpan<byte> status, ReadOnlySpan<byte> details, bool isIncomplete)
    {
        // A response that goes on in the background was asked for as such.
        if (status.SequenceEqual("in_progress"u8) && !isIncomplete || status.SequenceEqual("queued"u8)) return FinishReason.Pause;
        if (isIncomplete || status.SequenceEqual("incomplete"u8))
        {
            var members = JsonSlice.Members(details);
            while (members.Next())
            {
                if (members.Is("reason"u8) && JsonSlice.Inner(members.Value).SequenceEqual("content_filter"u8)) return FinishReason.Refusal;
            }
            return FinishReason.MaxTokens;
        }
        return _items.HasCalls ? FinishReason.ToolUse : FinishReason.EndTurn;
    }

    private void Fail(ProxyError error)
    {
        if (_isEnded) return;
        _isEnded = true;
        sink.Fail(error);
    }
}
