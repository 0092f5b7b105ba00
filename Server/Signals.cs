using System.Runtime.InteropServices;

namespace Aiproxy.Server;

/// <summary>What the process does on signals: the first SIGTERM or SIGINT stops gracefully, a second one ends at once, SIGHUP reloads.</summary>
/// <remarks>Callbacks run on a thread of their own, one call a signal; they must not throw.</remarks>
public sealed class Signals : IDisposable
{
    private readonly Action _stop;
    private readonly Action _reload;
    private readonly Action<int> _exit;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _stops;

    /// <param name="exit">Ends the process at once with the given code: 130 after SIGINT, 143 after SIGTERM, as a shell tells them.</param>
    public Signals(Action stop, Action reload, Action<int> exit)
    {
        _stop = stop;
        _reload = reload;
        _exit = exit;
    }

    /// <summary>From now on the system's default (death) no longer applies to the three signals.</summary>
    public void Register()
    {
        foreach (PosixSignal signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Receive(context.Signal);
            }));
        }
    }

    public void Receive(PosixSignal signal)
    {
        if (signal == PosixSignal.SIGHUP)
            _reload();
        else if (Interlocked.Increment(ref _stops) == 1)
            _stop();
        else
            _exit(signal == PosixSignal.SIGINT ? 130 : 143);
    }

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());
}
