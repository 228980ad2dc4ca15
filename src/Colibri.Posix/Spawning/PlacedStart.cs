using System.Buffers.Binary;
using System.Globalization;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Polling;
using Colibri.Posix.Sockets;

namespace Colibri.Posix.Spawning;

/// <summary>
/// Starts a process that is in its cgroup before its program's first instruction. posix_spawn(3) cannot do that with glibc before 2.39, and a
/// descendant that leaves its parent in the milliseconds before it is moved would stay outside for ever. So the process is started as a trampoline
/// (<see cref="PlacedExec"/>), moved, and only then told what to execute.
/// </summary>
public static class PlacedStart
{
    /// <summary>How long a trampoline may take to come up and to execute: it takes milliseconds, on an overloaded machine seconds.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(5);

    /// <param name="processes">The processes it will be one of.</param>
    /// <param name="options">As for <see cref="ChildProcesses.Spawn"/>; with a cgroup.</param>
    /// <param name="trampoline">What it is until it is placed.</param>
    /// <param name="loop">Watches the socket to it.</param>
    /// <param name="time">For the limit of 30 s on the whole start.</param>
    /// <exception cref="SpawnException">The system refused the program, as it would have at once, or the host is short of something.</exception>
    /// <exception cref="TrampolineException">The trampoline is not to be had. Nothing was started; <see cref="ChildProcesses.Spawn"/> still can.</exception>
    /// <exception cref="ArgumentException">As for <see cref="ChildProcesses.Spawn"/>.</exception>
    public static async Task<ChildProcess> StartAsync(ChildProcesses processes, SpawnOptions options, ExecTrampoline trampoline, EventLoop loop, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(processes);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(trampoline);
        ArgumentNullException.ThrowIfNull(loop);
        SpawnArguments.Check(options);
        var message = StartMessage.Write(options);
        var (ours, theirs) = SocketPair.CreateHandles();
        using (theirs)
        {
            using var control = Watch(loop, ours);
            var child = StartTrampoline(processes, options, trampoline, theirs);
            // Theirs is the child's alone from here on: the end of the stream is its exec or its death.
            theirs.Dispose();
            var said = new List<byte>(2 * sizeof(int));
            var exchange = TellAsync(control, message, said);
            try
            {
                await exchange.WaitAsync(Limit, time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                await GiveUpAsync(child, control, exchange).ConfigureAwait(false);
                throw new SpawnException(
                    string.Create(CultureInfo.InvariantCulture, $"cannot start {options.Path}: its process did not come up within {Limit.TotalSeconds} s"), AbiConstants.Current.EAGAIN);
            }
            await EventLoop.LeaveAsync();
            return await OutcomeAsync(child, options, said).ConfigureAwait(false);
        }
    }

    private static PolledDescriptor Watch(EventLoop loop, System.Runtime.InteropServices.SafeHandle ours)
    {
        try
        {
            return loop.Watch(ours);
        }
        catch
        {
            ours.Dispose();
            throw;
        }
    }

    private static ChildProcess StartTrampoline(ChildProcesses processes, SpawnOptions options, ExecTrampoline trampoline, System.Runtime.InteropServices.SafeHandle control)
    {
        try
        {
            return processes.Spawn(options with
            {
                Path = trampoline.Path,
                Arguments = trampoline.Arguments,
                Environment = trampoline.Environment,
                WorkingDirectory = null,
                Control = control,
            });
        }
        catch (SpawnException e) when (!Errno.IsShortage(e.Errno))
        {
            throw new TrampolineException(e.Message);
        }
        catch (SpawnException e)
        {
            throw new SpawnException($"cannot start {options.Path}: {Errno.Describe(e.Errno)}", e.Errno);
        }
    }

    private static async Task TellAsync(PolledDescriptor control, byte[] message, List<byte> said)
    {
        var answer = control.ReadToEndAsync(chunk =>
        {
            // Two words at most; a trampoline that says more is none of ours.
            if (said.Count < 2 * sizeof(int))
                said.AddRange(chunk);
            return ValueTask.CompletedTask;
        });
        try
        {
            await control.SendAsync(message).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It died before it had read. Its answer ends too.
        }
        await answer.ConfigureAwait(false);
    }

    private static async Task GiveUpAsync(ChildProcess child, PolledDescriptor control, Task exchange)
    {
        child.SignalGroup(Signalling.Signals.Kill);
        control.Dispose();
        await exchange.ConfigureAwait(false);
        await EventLoop.LeaveAsync();
        await Task.WhenAny(child.Exited, Task.Delay(KillLimit)).ConfigureAwait(false);
    }

    private static async Task<ChildProcess> OutcomeAsync(ChildProcess child, SpawnOptions options, List<byte> said)
    {
        var words = said.ToArray();
        if (words.Length == sizeof(int) && BinaryPrimitives.ReadInt32LittleEndian(words) == 0)
            return child;
        // Nothing was executed: it is ending by itself. One that does not is ended, since nobody reads what it would print.
        if (await Task.WhenAny(child.Exited, Task.Delay(KillLimit)).ConfigureAwait(false) != child.Exited)
            child.SignalGroup(Signalling.Signals.Kill);
        var exit = await child.Exited.ConfigureAwait(false);
        if (words.Length < sizeof(int))
            throw new TrampolineException($"{options.Path} was not started: the process that was to become it ended before ({exit})");
        throw SpawnArguments.Explain(options, BinaryPrimitives.ReadInt32LittleEndian(words.AsSpan(words.Length - sizeof(int))));
    }
}

/// <summary>A process cannot be started through a trampoline here. The message is one line.</summary>
public sealed class TrampolineException(string message) : IOException(message);
