using System.Runtime.InteropServices;

namespace Colibri.Daemon.Hosting;

/// <summary>SIGTERM and SIGINT: the first asks the daemon to stop, a second one tells it to stop waiting.</summary>
internal sealed class StopSignals : IDisposable
{
    /// <summary>
    /// A signal that comes so soon after the first counts as the first: Ctrl-C in a terminal reaches a container's init and the daemon below it,
    /// and the init passes it on.
    /// </summary>
    internal static readonly TimeSpan SameSignal = TimeSpan.FromMilliseconds(250);

    private readonly TimeProvider _time;
    private readonly TaskCompletionSource<PosixSignal> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<PosixSignal> _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Lock _gate = new();
    private long _firstAt;

    internal StopSignals(TimeProvider time) => _time = time;

    /// <summary>The signal that asked first.</summary>
    public Task<PosixSignal> First => _first.Task;

    /// <summary>The one that came after it.</summary>
    public Task<PosixSignal> Second => _second.Task;

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public static StopSignals Register(TimeProvider time)
    {
        var signals = new StopSignals(time);
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
        bool isFirst;
        lock (_gate)
        {
            isFirst = !_first.Task.IsCompleted;
            if (isFirst)
            {
                _firstAt = _time.GetTimestamp();
                _first.SetResult(signal);
            }
            else if (_time.GetElapsedTime(_firstAt) >= SameSignal)
            {
                _second.TrySetResult(signal);
            }
        }
        if (isFirst)
            _stopping.Cancel();
    }
}
