using System.Runtime.InteropServices;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;

namespace Colibri.Posix.Spawning;

/// <summary>
/// Starts processes and reaps them, and the orphans they leave, without a thread for each. A process has one instance: it waits for any
/// child, so nothing else in the process may wait for children (System.Diagnostics.Process would lose its exit codes). If other code did
/// wait for a known child, its exit status is unknown. The runtime's own signal handling does so in two cases: where its pid is 1
/// (<see cref="InitProcess"/> keeps the daemon from being that) and where it found SIGCHLD ignored.
/// </summary>
public sealed class ChildProcesses : IDisposable
{
    private static ChildProcesses? Instance;

    private readonly Dictionary<int, ChildProcess> _known = [];
    private readonly Dictionary<int, int> _unclaimed = [];
    private readonly SafeHandle _null = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
    private PosixSignalRegistration? _registration;
    private readonly HashSet<long> _spawns = [];
    private long _lastSpawn;
    private int _holds;
    private bool _disposed;

    private ChildProcesses()
    {
    }

    internal static ChildProcesses? Current => Volatile.Read(ref Instance);

    internal Lock Gate { get; } = new();

    /// <summary>Whether orphaned descendants come to this process instead of init.</summary>
    public bool IsReaper { get; private set; }

    /// <summary>
    /// Makes this process the reaper of its descendants, brings SIGCHLD into working order (default instead of an inherited
    /// ignore, unblocked on the calling thread) and begins to reap.
    /// </summary>
    /// <exception cref="InvalidOperationException">It is started already.</exception>
    /// <exception cref="PlatformNotSupportedException">Windows.</exception>
    /// <exception cref="IOException">The system's boot cannot be told (<see cref="BootId"/>) or /dev/null cannot be opened.</exception>
    public static ChildProcesses Start()
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("children are reaped on Linux and FreeBSD only");
        // Read now, while there are descriptors: Register needs it later, and Register must not fail.
        _ = BootId.Current;
        var started = new ChildProcesses();
        if (Interlocked.CompareExchange(ref Instance, started, null) is not null)
        {
            started._null.Dispose();
            throw new InvalidOperationException("the children of this process are reaped already");
        }

        // With SIGCHLD ignored the kernel reaps by itself and every exit status is lost.
        SignalSetup.DefaultIfIgnored(Signals.Chld);
        SignalSetup.Unblock(Signals.Chld);
        started.IsReaper = Reaper.Acquire();
        started._registration = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => started.Reap());
        started.Reap();
        return started;
    }

    /// <summary>Starts a process. Safe to call from several threads at once.</summary>
    /// <exception cref="SpawnException">The system refused; <see cref="SpawnException.Errno"/> says why.</exception>
    /// <exception cref="ArgumentException">A path is not absolute, a string holds a NUL, or a name in the environment is empty or holds '='.</exception>
    public ChildProcess Spawn(SpawnOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        SpawnArguments.Check(options);
        using var argv = new NativeStrings([options.Path, .. options.Arguments], nameof(options));
        using var envp = new NativeStrings(options.Environment.ToTerminated());
        using var streams = new StandardStreams(
            options.StandardInput ?? _null, options.StandardOutput ?? _null, options.StandardError ?? _null, options.Control);

        if (options.Cgroup is not { } cgroup)
            return Start(options, argv, envp, streams, held: false);
        ChildProcess? child = null;
        Hold();
        try
        {
            child = Start(options, argv, envp, streams, held: true);
            // Outside the gate: the kernel may block here for milliseconds (RCU), and the gate would stop reaping and signalling meanwhile.
            cgroup.Place(child.Pid);
            return child;
        }
        finally
        {
            Release(child);
        }
    }

    private ChildProcess Start(SpawnOptions options, NativeStrings argv, NativeStrings envp, StandardStreams streams, bool held)
    {
        var spawn = BeginSpawn();
        var pid = -1;
        var error = 0;
        try
        {
            SpawnThread.Instance.Do(() => error = PosixSpawn.Start(out pid, options.Path, options.WorkingDirectory, argv, envp, streams));
        }
        finally
        {
            if (pid <= 0)
                EndSpawn(spawn);
        }
        if (error == 0)
            OomScore.Expose(pid);
        return error == 0 ? Register(pid, spawn, held) : throw SpawnArguments.Explain(options, error);
    }

    /// <summary>Stops reaping. Children go on; this process stays their reaper.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (_disposed)
                return;
            _disposed = true;
        }
        _registration?.Dispose();
        _null.Dispose();
        Interlocked.CompareExchange(ref Instance, null, this);
    }

    internal ChildProcess[] Known()
    {
        lock (Gate)
            return [.. _known.Values];
    }

    internal bool IsKnown(int pid)
    {
        lock (Gate)
            return _known.ContainsKey(pid);
    }

    /// <summary>
    /// Waits until every spawn that is in flight now has returned; a child of such a spawn exists before it is registered. False if one took
    /// longer than the limit.
    /// </summary>
    internal bool AwaitSpawnsInFlight(TimeSpan limit)
    {
        long last;
        lock (Gate)
            last = _lastSpawn;
        return SpinWait.SpinUntil(
            () =>
            {
                lock (Gate)
                    return _spawns.All(spawn => spawn > last);
            },
            limit);
    }

    /// <summary>Reaps every child that has ended, ours or adopted.</summary>
    internal unsafe void Reap()
    {
        // WNOHANG does not block, so the gate can be held: its holder relies on no child's pid being reused meanwhile. Several exits may come
        // as one SIGCHLD, so reap until none is left.
        lock (Gate)
        {
            // A child that is being put into a cgroup by its pid must keep that pid, as a zombie if need be. So during a hold only known
            // children that are not held are reaped; orphans wait some milliseconds until the hold ends.
            if (_holds == 0)
                ReapAny();
            // Always: a wait for any child does not report a child whose status other code took. Only a wait for its own pid fails with ECHILD.
            ReapKnown();
        }
    }

    private unsafe void ReapAny()
    {
        int status;
        int pid;
        while (!_disposed && (pid = Wait(-1, &status)) > 0)
        {
            if (_known.Remove(pid, out var child))
                child.SetReaped(ExitStatus.FromWaitStatus(status));
            else if (_spawns.Count > 0)
                _unclaimed[pid] = status;
        }
    }

    private unsafe void ReapKnown()
    {
        // Dictionary allows removal during enumeration.
        foreach (var child in _known.Values)
        {
            int status;
            if (_disposed || child.IsHeld)
                continue;
            var waited = Wait(child.Pid, &status);
            if (waited == 0)
                continue;
            _known.Remove(child.Pid);
            child.SetReaped(waited == child.Pid ? ExitStatus.FromWaitStatus(status) : ExitStatus.Unknown);
        }
    }

    private void Hold()
    {
        lock (Gate)
            _holds++;
    }

    private void Release(ChildProcess? child)
    {
        lock (Gate)
        {
            _holds--;
            child?.IsHeld = false;
        }
        // A SIGCHLD during the hold, for this child or an orphan, left it unreaped.
        Reap();
    }

    // The child may have ended, and may even have been reaped, before posix_spawn returned its pid.
    private unsafe ChildProcess Register(int pid, long spawn, bool held)
    {
        lock (Gate)
        {
            var identity = ReadIdentity(pid);
            var status = 0;
            var waited = held ? 0 : Wait(pid, &status);
            // It was reaped already, so the identity read above may be that of another process with its pid.
            if (waited < 0)
                identity = default;
            var child = new ChildProcess(this, pid, identity.Pid == pid ? identity : new ProcessIdentity(pid, 0, BootId.Current)) { IsHeld = held };
            if (waited == 0)
                _known.Add(pid, child);
            else if (waited == pid || _unclaimed.TryGetValue(pid, out status))
                child.SetReaped(ExitStatus.FromWaitStatus(status));
            else
                child.SetReaped(ExitStatus.Unknown);
            _unclaimed.Remove(pid);
            EndSpawn(spawn);
            return child;
        }
    }

    // The child runs. Even if no descriptor is left to read its start time, it must be registered and reaped.
    private static ProcessIdentity ReadIdentity(int pid)
    {
        try
        {
            _ = ProcessIdentity.TryRead(pid, out var identity);
            return identity;
        }
        catch (IOException)
        {
            return default;
        }
    }

    private long BeginSpawn()
    {
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _spawns.Add(++_lastSpawn);
            return _lastSpawn;
        }
    }

    private void EndSpawn(long spawn)
    {
        lock (Gate)
        {
            _spawns.Remove(spawn);
            if (_spawns.Count == 0)
                _unclaimed.Clear();
        }
    }

    private static unsafe int Wait(int pid, int* status)
    {
        int result;
        do
            result = Libc.waitpid(pid, status, AbiConstants.WNOHANG);
        while (result < 0 && Marshal.GetLastPInvokeError() == AbiConstants.EINTR);
        return result;
    }
}
