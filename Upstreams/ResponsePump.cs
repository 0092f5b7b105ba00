using System.Buffers;
using Aiproxy.EventStream;
using Aiproxy.Protocols;
using Aiproxy.Protocols.Model;

namespace Aiproxy.Upstreams;

/// <summary>How a streamed answer ended.</summary>
public enum PumpEnd
{
    Finished,

    /// <summary>The upstream failed: <see cref="ResponsePump.Error"/>. Whether the client was told depends on whether its answer had begun.</summary>
    Failed,

    ClientGone,
}

/// <summary>Carries the frames of one answer from the upstream to the client, the reader and the watch looking on. The only async part of an answer.</summary>
/// <remarks>Held -> Begun at the first output (one way). A flush happens only when the next upstream read would wait, so bursts leave in one write.</remarks>
public sealed class ResponsePump(
    Exchange exchange, AttemptClock clock, Watch watch, IResponseReader reader, IFrameReader frames, IResponseWay way, HeldOutput output, PumpOptions options)
{
    // Handshake events are a few kilobytes; what holds more than this without output is not a handshake.
    private const int MaxHeldBytes = 4 * 1024 * 1024;

    // An upstream that is never waited for must not fill the memory behind a client that is slower.
    private const int MaxPendingBytes = 64 * 1024;

    private readonly ClientAnswer _answer = exchange.Answer;
    private long _read;
    private bool _begun;
    private bool _holdsGate;

    /// <summary>Why it failed.</summary>
    public ProxyError? Error { get; private set; }

    /// <summary>The event that told a failure before the client's answer began, as it came; empty: none did, or it is too long for one that says nothing else.</summary>
    public ReadOnlyMemory<byte> Told { get; private set; }

    /// <exception cref="IOException">The upstream's connection broke before the client's answer began.</exception>
    /// <exception cref="OperationCanceledException">Time ran out or the client left, before the client's answer began.</exception>
    public async ValueTask<PumpEnd> RunAsync()
    {
        try
        {
            return await LoopAsync().ConfigureAwait(false);
        }
        catch (Exception fault) when (_begun && Faults.IsTransport(fault))
        {
            if (_answer.Gone.IsCancellationRequested) return PumpEnd.ClientGone;
            return await FailAsync(Faults.Describe(fault, clock.Expired)).ConfigureAwait(false);
        }
        finally
        {
            ReleaseGate();
        }
    }

    private async ValueTask<PumpEnd> LoopAsync()
    {
        while (true)
        {
            ValueTask<bool> fill = frames.FillAsync(clock.Token);
            if ((!fill.IsCompleted || _answer.PendingBytes >= MaxPendingBytes) && !await SettleAsync().ConfigureAwait(false))
            {
                clock.Cancel();
                try
                {
                    await fill.ConfigureAwait(false);
                }
                catch (Exception fault) when (Faults.IsTransport(fault))
                {
                    // Cancelled by us.
                }
                return PumpEnd.ClientGone;
            }
            bool more = await fill.ConfigureAwait(false);
            // A stream owes its first output, whatever comes before it; behind that, and where no stream was asked for, it must only not fall silent.
            if (clock.Phase == ClockPhase.Idle) clock.Touch();
            if (_begun) await TakeGateAsync().ConfigureAwait(false);

            ReadFrames(more);
            if (Failure(more) is { } failure) return await FailAsync(failure).ConfigureAwait(false);
            if (way.IsWhole && watch.HasOutput) Flow();
            if (!_begun && ShallBegin()) await BeginAsync().ConfigureAwait(false);
            if (!watch.IsFinished) continue;

            _answer.StopFillers();
            return await SettleAsync().ConfigureAwait(false) ? PumpEnd.Finished : PumpEnd.ClientGone;
        }
    }

    // A collected answer has its first output long before it begins.
    private void Flow()
    {
        clock.StopTotal();
        if (clock.Phase == ClockPhase.FirstToken) clock.Enter(ClockPhase.Idle, options.IdleTimeout);
    }

    private void ReadFrames(bool more)
    {
        // Nothing after the end: what an upstream sends behind its last event stays here.
        while (!watch.IsFinished && frames.TryRead(out Frame frame))
        {
            _read += frame.Raw.Length;
            reader.Read(in frame);
            if (watch.Failure is not null)
            {
                if (!_begun && frame.Data.Length <= AnswerDelivery.MaxToldBytes) Told = frame.Data.ToArray();
                return;
            }
            way.OnFrame(in frame, output);
        }
        if (!more && !watch.IsFinished) reader.Complete();
        if (watch.IsFinished) way.OnEnd(output);
        output.Commit();
    }

    private ProxyError? Failure(bool more)
    {
        if (watch.Failure is { } told) return told;
        if (watch.IsFinished) return null;
        if (way.IsWhole && _read > AnswerDelivery.MaxWholeBytes) return AnswerDelivery.TooLong();
        return more ? null : new ProxyError(ErrorKind.BadGateway, "the upstream's answer ended without an end");
    }

    private bool ShallBegin() => way.IsWhole ? watch.IsFinished : watch.HasOutput || watch.IsFinished || output.HeldBytes > MaxHeldBytes;

    private async ValueTask BeginAsync()
    {
        clock.StopTotal();
        long? length = way.IsWhole ? output.HeldBytes : null;
        await _answer.BeginAsync(200, options.ContentType, length, options.Headers, way.IsWhole ? null : OnSilence).ConfigureAwait(false);
        _holdsGate = true;
        _begun = true;
        exchange.FirstOutput = watch.FirstOutputTimestamp;
        exchange.OnOutput?.Invoke();
        output.Release(_answer.Output);
        if (!way.IsWhole) options.OnBegin?.Invoke();
        clock.Enter(ClockPhase.Idle, options.IdleTimeout);
    }

    // Called under the gate. A writer knows no other output than the held one.
    private void OnSilence(IBufferWriter<byte> client)
    {
        way.OnSilence(client);
        output.Commit();
    }

    private async ValueTask<PumpEnd> FailAsync(ProxyError error)
    {
        Error = error;
        if (!_begun) return PumpEnd.Failed;
        if (!await SettleAsync().ConfigureAwait(false)) return PumpEnd.ClientGone;
        if (options.FailurePause > TimeSpan.Zero) await Task.Delay(options.FailurePause, exchange.Clock).ConfigureAwait(false);
        await TakeGateAsync().ConfigureAwait(false);
        way.OnFailure(error, output);
        _answer.StopFillers();
        exchange.Failure = error;
        return await SettleAsync().ConfigureAwait(false) ? PumpEnd.Failed : PumpEnd.ClientGone;
    }

    // Sends what was written and lets the timer fill the silence.
    private async ValueTask<bool> SettleAsync()
    {
        if (!_holdsGate) return true;
        output.Commit();
        ValueTask<bool> flush = _answer.FlushAsync();
        bool taken;
        if (flush.IsCompleted)
        {
            taken = await flush.ConfigureAwait(false);
        }
        else
        {
            clock.Pause();
            taken = await flush.ConfigureAwait(false);
            clock.Resume();
        }
        ReleaseGate();
        return taken;
    }

    private async ValueTask TakeGateAsync()
    {
        if (_holdsGate) return;
        await _answer.TakeAsync().ConfigureAwait(false);
        _holdsGate = true;
    }

    private void ReleaseGate()
    {
        if (!_holdsGate) return;
        _holdsGate = false;
        _answer.Release();
    }
}

/// <summary>What the pump must know beside its parts.</summary>
/// <param name="ContentType">Of the client's answer.</param>
/// <param name="Headers">Upstream headers that pass to the client.</param>
/// <param name="FailurePause">Between the last output and the telling of a failure, for clients that see a failure only in a read of its own.</param>
/// <param name="OnBegin">Called once, when a stream to the client has begun.</param>
public sealed record PumpOptions(string ContentType, IReadOnlyList<KeyValuePair<string, string>> Headers, TimeSpan IdleTimeout, TimeSpan FailurePause = default, Action? OnBegin = null);
