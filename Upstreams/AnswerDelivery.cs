using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Anthropic;
using Aiproxy.Protocols.Kiro;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>Delivers one 2xx answer: chooses the way by what the client asked and what came, and runs it.</summary>
/// <remarks>Answers null when the client was served, else the failure. After a failure <see cref="ClientAnswer.HasBegun"/> tells whether another attempt may follow.</remarks>
/// <param name="goOn">Sends a paused turn back and answers with what follows, 2xx; null: pauses are told as they are.</param>
public sealed class AnswerDelivery(
    WireRequest request, AttemptClock clock, HttpResponseMessage response, Translation translation,
    Func<AnthropicPausedTurn, Task<HttpResponseMessage>>? goOn = null)
{
    /// <summary>Longest whole answer, in bytes.</summary>
    public const int MaxWholeBytes = 64 * 1024 * 1024;

    /// <summary>Longest single event, in bytes.</summary>
    public const int MaxEventBytes = 32 * 1024 * 1024;

    /// <summary>Longest part of an answer that is taken for an error's own text, in bytes.</summary>
    public const int MaxToldBytes = 64 * 1024;

    // Small: a stream that waits holds one such buffer. Longer reads take further ones.
    private const int ReadBufferBytes = 4096;

    // Gemini's libraries see a bare error object only when a network read holds nothing else, and only time keeps two writes apart.
    private static readonly TimeSpan GeminiFailurePause = TimeSpan.FromMilliseconds(50);

    private readonly Exchange exchange = request.Exchange;
    private readonly UpstreamTarget target = request.Target;
    private readonly bool _forwards = request.Forwards;
    private readonly AnthropicPausedTurn? _turn = goOn is null ? null : new AnthropicPausedTurn();

    // What the upstream was asked for.
    private readonly bool _streams = request.Target.HeadOf(request.Exchange).Stream;

    /// <summary>Called once a stream to the client has begun: no attempt follows. null: somebody still needs the request.</summary>
    public Action? OnBegin { get; init; }

    /// <summary>What told a failure inside the answer, before any of it went to the client, as it came; empty: nothing did.</summary>
    public ReadOnlyMemory<byte> Told { get; private set; }

    /// <summary>The client left before the end.</summary>
    public bool ClientLeft { get; private set; }

    /// <summary>An answer to a generating call.</summary>
    public async ValueTask<ProxyError?> DeliverAsync()
    {
        Stream stream = await response.Content.ReadAsStreamAsync(clock.Token).ConfigureAwait(false);
        PipeReader body = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReadBufferBytes, minimumReadSize: 1024));
        clock.Enter(_streams ? ClockPhase.FirstToken : ClockPhase.Idle, _streams ? FirstTokenLimit() : target.Config.StreamIdleTimeout);
        try
        {
            return await SniffAsync(body).ConfigureAwait(false) switch
            {
                BodyForm.Events => await FramesAsync(Wire?.OpenFrames(body, false, request) ?? new SseReader(body, MaxEventBytes), isArray: false).ConfigureAwait(false),
                BodyForm.Array when Wire is not null => await FramesAsync(Wire.OpenFrames(body, true, request), isArray: false).ConfigureAwait(false),
                BodyForm.Array => await FramesAsync(new JsonArrayReader(body, MaxEventBytes), isArray: true).ConfigureAwait(false),
                BodyForm.Whole => await WholeAsync(body).ConfigureAwait(false),
                _ => Page(),
            };
        }
        finally
        {
            await body.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>An answer that no reader looks at: token counts and the like.</summary>
    public async ValueTask<ProxyError?> RelayAsync()
    {
        clock.Enter(ClockPhase.Idle, target.Config.StreamIdleTimeout);
        using BoundedBody body = await BoundedBody.ReadAsync(response.Content, MaxWholeBytes, clock).ConfigureAwait(false);
        if (body.IsCut) return TooLong();
        if (FirstByte(new ReadOnlySequence<byte>(body.Memory)) is not ((byte)'{' or (byte)'[')) return Page();
        ReadOnlyMemory<byte> opened = Wire?.OpenWhole(body.Memory, request) ?? body.Memory;
        await SendAsync(ResponseHeaders.JsonType(response), opened.Length, opened).ConfigureAwait(false);
        return null;
    }

    private async ValueTask<ProxyError?> WholeAsync(PipeReader source)
    {
        using BoundedBody body = await BoundedBody.ReadAsync(source, MaxWholeBytes, clock).ConfigureAwait(false);
        if (body.IsCut) return TooLong();

        using var output = new HeldOutput();
        bool copies = _forwards && !exchange.Head.Stream;
        IResponseWriter? writer = copies ? null : exchange.Protocol.CreateWriter(output, exchange.ReadWriterOptions());
        var watch = new Watch(Kept(writer), exchange.Clock);
        IResponseReader reader = Reader(watch);
        ReadOnlyMemory<byte> plain = WireBody.Whole([body.Memory]);
        ReadOnlyMemory<byte> opened = Wire?.OpenWhole(plain, request) ?? plain;
        ReadOnlyMemory<byte> whole = _turn is null ? opened : await UnpausedAsync(opened, _turn).ConfigureAwait(false);
        reader.ReadWhole(whole.Span);
        exchange.Usage = watch.Usage;
        exchange.AnswerId = watch.Id;
        exchange.IsUsageEstimated = reader is KiroResponseReader { IsUsageEstimated: true };
        if (watch.Failure is { } failure)
        {
            if (body.Memory.Length <= MaxToldBytes) Told = body.Memory.ToArray();
            return failure;
        }
        if (!watch.IsFinished) return new ProxyError(ErrorKind.BadGateway, $"the upstream sent an answer without an end");
        exchange.FirstOutput = watch.FirstOutputTimestamp;

        if (copies) await SendAsync(ResponseHeaders.JsonType(response), opened.Length, opened).ConfigureAwait(false);
        else await SendAsync(exchange.Head.Stream ? exchange.StreamContentType : JsonType, exchange.Head.Stream ? null : output.HeldBytes, output.Held).ConfigureAwait(false);
        return null;
    }

    private async ValueTask<ProxyError?> FramesAsync(IFrameReader frames, bool isArray)
    {
        if (_turn is not null) frames = new ResumingFrames(frames, _turn, OpenNextAsync);
        await using IFrameReader owned = frames;
        using var output = new HeldOutput();
        bool copies = _forwards && exchange.Head.Stream, collects = _forwards && !exchange.Head.Stream;
        IResponseWriter? writer = _forwards ? null : exchange.Protocol.CreateWriter(output, exchange.ReadWriterOptions());
        var watch = new Watch(Kept(writer), exchange.Clock);
        IResponseReader reader = Reader(watch, exchange.Head.JsonArray);
        IResponseWay way = copies ? CopyWayOf(reader, frames, isArray) : collects ? new CollectWay(exchange.Protocol.CreateFold()) : new TranslateWay(writer!, !exchange.Head.Stream);
        if (_forwards && IsKeptHere && exchange.KeepAnswer is { } keep) way = new KeptWay(way, exchange.Protocol.CreateFold(), keep);
        var options = new PumpOptions(
            exchange.Head.Stream ? exchange.StreamContentType : JsonType, ResponseHeaders.ForClient(response), target.Config.StreamIdleTimeout,
            exchange.Protocol.Name == "gemini" && !exchange.Head.JsonArray ? GeminiFailurePause : TimeSpan.Zero,
            LooksBack ? null : OnBegin);
        var pump = new ResponsePump(exchange, clock, watch, reader, frames, way, output, options);
        try
        {
            PumpEnd end = await pump.RunAsync().ConfigureAwait(false);
            ClientLeft = end == PumpEnd.ClientGone;
            Told = pump.Told;
            return pump.Error;
        }
        finally
        {
            exchange.Usage = watch.Usage;
            exchange.AnswerId = watch.Id;
            exchange.IsUsageEstimated = reader is KiroResponseReader { IsUsageEstimated: true };
        }
    }

    private IResponseReader Reader(Watch watch, bool clientArray = false)
    {
        IResponseSink sink = Before(watch);
        // What the request needed to be said in this dialect, the answer's reader takes back.
        return target.Protocol is KiroProtocol kiro ? kiro.CreateReader(sink, exchange.ReadRequest() with { Model = target.Model }) : target.Protocol.CreateReader(sink, clientArray);
    }

    // A Responses answer repeats its request at the end or is kept with it, and Kiro's usage is guessed from it.
    private bool LooksBack => _forwards ? IsKeptHere : exchange.Protocol.Name == "responses" || target.Protocol is KiroProtocol;

    private bool IsKeptHere => target.Type.Fact.KeepsNoAnswers && exchange.KeepAnswer is not null;

    private IUpstreamWire? Wire => target.Type.Wire;

    private IResponseSink Before(Watch watch)
    {
        if (_forwards) return watch;
        IResponseSink sink = translation.Before(watch, exchange, target);
        return _turn is null ? sink : new PausedUsage(sink, _turn);
    }

    // An answer that was made here is known to nobody else: kept for later turns that refer to it.
    private IResponseSink? Kept(IResponseWriter? writer)
    {
        if (writer is null || _forwards || exchange.KeepAnswer is not { } keep) return writer;
        var whole = new ArrayBufferWriter<byte>();
        // The same seed makes the same ids.
        IResponseWriter copy = exchange.Protocol.CreateWriter(whole, exchange.ReadWriterOptions() with { Stream = false });
        return new Tee(new FinishHook(copy, () => keep(whole.WrittenMemory)), writer);
    }

    // The client sees one answer, however often the provider paused.
    private async ValueTask<ReadOnlyMemory<byte>> UnpausedAsync(ReadOnlyMemory<byte> answer, AnthropicPausedTurn turn)
    {
        try
        {
            while (turn.TakeWhole(answer.Span) && turn.Resumes < AnthropicPausedTurn.MaxResumes)
            {
                turn.Resume();
                using HttpResponseMessage next = await goOn!(turn).ConfigureAwait(false);
                using BoundedBody more = await BoundedBody.ReadAsync(next.Content, MaxWholeBytes, clock).ConfigureAwait(false);
                answer = turn.Joined(more.Memory.Span);
            }
        }
        catch (JsonException)
        {
            // The reader tells it.
        }
        return answer;
    }

    private async ValueTask<IFrameReader> OpenNextAsync(AnthropicPausedTurn turn)
    {
        HttpResponseMessage next = await goOn!(turn).ConfigureAwait(false);
        Stream stream = await next.Content.ReadAsStreamAsync(clock.Token).ConfigureAwait(false);
        return new SseReader(PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReadBufferBytes, minimumReadSize: 1024)), MaxEventBytes);
    }

    private IResponseWay CopyWayOf(IResponseReader reader, IFrameReader frames, bool isArray)
    {
        bool reframes = exchange.Protocol.Name == "gemini" && isArray != exchange.Head.JsonArray;
        return reframes ? new ReframeWay(reader, toArray: exchange.Head.JsonArray) : new CopyWay(reader, frames, isStrict: exchange.Protocol.Name == "gemini");
    }

    // Always 200: other words for success mean nothing in these protocols, and some of them forbid a body.
    private async ValueTask SendAsync(string contentType, long? length, ReadOnlyMemory<byte> body)
    {
        clock.StopTotal();
        await exchange.Answer.BeginAsync(200, contentType, length, ResponseHeaders.ForClient(response), null).ConfigureAwait(false);
        try
        {
            exchange.OnOutput?.Invoke();
            ClientLeft = !await exchange.Answer.WriteBodyAsync(body, clock).ConfigureAwait(false);
        }
        finally
        {
            exchange.Answer.Release();
        }
    }

    // The first byte tells more than the type: some servers call their events text/plain, or tell an error as JSON under the type of events.
    private async ValueTask<BodyForm> SniffAsync(PipeReader body)
    {
        if (response.Content.Headers.ContentType?.MediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) == true) return BodyForm.Page;
        while (true)
        {
            ReadResult read = await body.ReadAsync(clock.Token).ConfigureAwait(false);
            if (!_streams) clock.Touch();
            byte? first = FirstByte(read.Buffer);
            // Blanks may come for minutes, from servers that keep their connections alive with them.
            body.AdvanceTo(first is null ? read.Buffer.End : read.Buffer.Start);
            if (first is null && !read.IsCompleted) continue;
            return first switch
            {
                (byte)'{' => BodyForm.Whole,
                (byte)'[' => _streams ? BodyForm.Array : BodyForm.Whole,
                (byte)'<' => BodyForm.Page,
                null when !_streams => BodyForm.Whole,
                _ => BodyForm.Events,
            };
        }
    }

    private static byte? FirstByte(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            // The bytes of a byte order mark count as blanks.
            int at = segment.Span.IndexOfAnyExcept(" \r\n\t\uFEFF"u8);
            if (at >= 0) return segment.Span[at];
        }
        return null;
    }

    private TimeSpan FirstTokenLimit()
    {
        if (target.Config.FirstTokenTimeout is { } set) return set;
        return TimeSpan.FromSeconds(Math.Min(300, 120 + exchange.Body.Length / 10_000));
    }

    public static ProxyError TooLong() => new(ErrorKind.BadGateway, $"the upstream sent an answer of more than {MaxWholeBytes / 1024 / 1024} MB");

    private static ProxyError Page() => new(ErrorKind.BadGateway, "the upstream answered with a page instead of its protocol");

    private const string JsonType = "application/json";

    private enum BodyForm { Events, Array, Whole, Page }
}
