using System.Runtime.InteropServices;

namespace Colibri.Daemon.Hosting;

/// <summary>SIGTERM and SIGINT: the first asks the daemon to stop.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource<PosixSignal> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>The signal that asked first.</summary>
    public Task<PosixSignal> First => _first.Task;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public static StopSignals Register()
    {
        var signals = new StopSignals();
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT])
        {
            signals._registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                signals.Take(context.Signal);
            }));
        }
        return signals;
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stopping.Dispose();
    }

    internal void Take(PosixSignal signal)
    {
        if (_first.TrySetResult(signal))
            _stopping.Cancel();
    }
}
