using System.Collections;
using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Host;

/// <summary>
/// This program as process 1 of a container or a pid namespace. It starts itself again as its child, forwards signals to that child and reaps
/// processes that have ended. It is needed because .NET's signal handling reaps every child of a process whose pid is 1 (SignalHandlerLoop in
/// the runtime's pal_signal.c), so that their exit statuses are lost. The runtime does so on SIGCHLD, which it sees only if a handler for it is
/// registered. So no code here may register one, nor use types that do (System.Diagnostics.Process, a terminal's Console).
/// </summary>
public static unsafe class InitProcess
{
    /// <summary>Whether this is process 1.</summary>
    public static bool IsNeeded => Environment.ProcessId == 1;

    /// <summary>
    /// The process that represents this program outside: 1 if that is this program's own init, which forwards every signal; else this process.
    /// Pidfile, <c>status</c> and service manager name this pid.
    /// </summary>
    public static int ServicePid { get; } = IsOwnInit() ? 1 : Environment.ProcessId;

    /// <summary>
    /// Starts this program with the same arguments, environment and standard streams, and waits for its end. When process 1 ends, the kernel
    /// ends all that is left in its pid namespace.
    /// </summary>
    /// <returns>The child's exit code, or 128 and the number of the signal that it died of.</returns>
    /// <exception cref="IOException">It cannot be started, or its exit status was lost.</exception>
    public static int Run()
    {
        // With SIGCHLD ignored the kernel reaps by itself, and every exit status is lost.
        SignalSetup.ResetInherited();
        var relay = new SignalRelay();
        // Registered before the child is started, because the kernel drops signals for which process 1 has no handler.
        var registrations = relay.Register();
        try
        {
            var child = Start();
            relay.SendTo(child);
            return AwaitEnd(child);
        }
        finally
        {
            foreach (var registration in registrations)
                registration.Dispose();
        }
    }

    // The init passes its command line on byte for byte, and no other parent of a daemon has the daemon's command line.
    private static bool IsOwnInit()
    {
        try
        {
            return ProcessTable.TryRead(Environment.ProcessId, out var entry) && entry.ParentPid == 1
                && File.ReadAllBytes("/proc/1/cmdline") is { Length: > 0 } above && above.AsSpan().SequenceEqual(File.ReadAllBytes("/proc/self/cmdline"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No /proc, or it hides process 1, which is then another user's and no init of ours.
            return false;
        }
    }

    private static int Start()
    {
        var program = Environment.ProcessPath ?? throw new IOException("cannot start as a child of process 1: the path of this program is not known");
        using var argv = Strings("cmdline", Environment.GetCommandLineArgs());
        using var envp = Strings("environ", [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => $"{entry.Key}={entry.Value}")]);
        using var input = new SafeFileHandle(0, ownsHandle: false);
        using var output = new SafeFileHandle(1, ownsHandle: false);
        using var error = new SafeFileHandle(2, ownsHandle: false);
        using var streams = new StandardStreams(input, output, error);
        var errno = PosixSpawn.Start(out var pid, program, directory: null, argv, envp, streams);
        return errno == 0 ? pid : throw new SpawnException($"cannot start {program} as a child of process 1: {Errno.Describe(errno)}", errno);
    }

    // The runtime's copies went through a decoder, and a variable need not be UTF-8. They are used only where there is no /proc.
    private static NativeStrings Strings(string file, string[] decoded)
    {
        try
        {
            // As long as execve(2) took, 6 MiB at most.
            if (File.ReadAllBytes($"/proc/self/{file}") is [.., 0] bytes)
                return new NativeStrings(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No /proc here.
        }
        return new NativeStrings(Encoding.UTF8.GetBytes(string.Concat(decoded.Select(text => text + '\0'))));
    }

    private static int AwaitEnd(int child)
    {
        while (true)
        {
            int status;
            var ended = Libc.waitpid(-1, &status, 0);
            if (ended == child)
                return ExitStatus.FromWaitStatus(status) is { Signal: { } signal } ? 128 + signal : (status >> 8) & 0xff;
            if (ended < 0 && Marshal.GetLastPInvokeError() is var error and not AbiConstants.EINTR)
                throw new IOException($"the daemon's exit status was lost: {Errno.Describe(error)}");
        }
    }
}

/// <summary>Forwards signals to a process, including those that arrive before it is started.</summary>
internal sealed class SignalRelay
{
    private readonly Lock _gate = new();
    private readonly List<int> _early = [];
    private int _pid;

    /// <summary>Registers a handler for each signal that is handed on.</summary>
    public IReadOnlyList<IDisposable> Register() =>
        [.. ((int[])[Signals.Term, Signals.Int, Signals.Hup, Signals.Quit, Signals.Usr1, Signals.Usr2]).Select(signal =>
            PosixSignalRegistration.Create((PosixSignal)signal, context =>
            {
                context.Cancel = true;
                Pass(signal);
            }))];

    /// <summary>Sets the started process; it gets the signals that arrived so far, in order.</summary>
    public void SendTo(int pid)
    {
        lock (_gate)
        {
            _pid = pid;
            foreach (var signal in _early)
                _ = Libc.kill(pid, signal);
            _early.Clear();
        }
    }

    internal void Pass(int signal)
    {
        lock (_gate)
        {
            if (_pid != 0)
                _ = Libc.kill(_pid, signal);
            else if (!_early.Contains(signal))
                _early.Add(signal);
        }
    }
}
