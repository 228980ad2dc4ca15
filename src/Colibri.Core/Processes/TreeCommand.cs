using Colibri.Core.Logging;
using Colibri.Posix.Polling;
using Colibri.Posix.Spawning;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Processes;

/// <summary>
/// A command with an end: a workspace's setup, a check. It runs as an agent's process does, with the agent's marker and in a cgroup of the agent's
/// name, so that a killed daemon's successor finds it. All that it started is gone when it returns.
/// </summary>
internal sealed class TreeCommand(ChildProcesses processes, EventLoop loop, AgentCgroups? cgroups, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OutputDeadline = TimeSpan.FromSeconds(2);

    /// <summary>Runs the command to its end, its limit or its stop.</summary>
    /// <param name="start">What is executed.</param>
    /// <param name="agentId">The agent whose run it belongs to; no process of that agent may live.</param>
    /// <param name="privileged">Signals processes of a jail; null outside.</param>
    /// <param name="limit">The command's time.</param>
    /// <param name="stopping">Completes when the run is to end.</param>
    /// <param name="memory">What its processes may hold together; null is no limit.</param>
    /// <param name="processLimit">How many there may be at once; null is no limit.</param>
    /// <exception cref="SpawnException">It cannot be started.</exception>
    public async Task<CommandOutcome> RunAsync(CommandStart start, string agentId, IPrivilegedSignals? privileged, TimeSpan limit, Task stopping, MemoryLimit? memory = null, ProcessLimit? processLimit = null)
    {
        var since = time.GetTimestamp();
        using var process = await AgentProcess.StartAsync(
            processes, loop, start.Program, start.Arguments, keepsInput: false, start.Environment, start.Directory, agentId, cgroups, privileged, time, logger, memory, processLimit).ConfigureAwait(false);
        // One tail for both streams, in the order of arrival: people read a check's output as a terminal shows it.
        var output = process.ReadOutputAsync(chunk =>
        {
            process.StderrTail.Add(chunk);
            return ValueTask.CompletedTask;
        });
        var errors = process.ReadErrorsAsync();
        using var watching = new CancellationTokenSource();
        var overMemory = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var memoryWatch = process.Memory?.WatchAsync(overMemory.SetResult, watching.Token) ?? Task.CompletedTask;
        var ending = Task.WhenAny(process.Exited, stopping, overMemory.Task);
        var isInTime = await FairWait.IsDoneAsync(ending, limit, time).ConfigureAwait(false);
        var isStopped = !process.Exited.IsCompleted && stopping.IsCompleted;
        if (!process.Exited.IsCompleted)
        {
            process.Ender.KillAfter(Grace);
            await process.Ender.EndAsync(polite: null).ConfigureAwait(false);
        }
        var exit = await process.Exited.ConfigureAwait(false);
        var left = default(LeftProcesses);
        if (process.MayHaveStrays())
        {
            left = isInTime && !isStopped ? await process.LookAtStraysAsync(time).ConfigureAwait(false) : default;
            process.Ender.KillAfter(Grace);
            await process.Ender.EndAsync(polite: null).ConfigureAwait(false);
        }
        await watching.CancelAsync().ConfigureAwait(false);
        await memoryWatch.ConfigureAwait(false);
        var excess = process.Memory?.AtEnd();
        left = left with { Limit = process.ProcessLimitReached() };
        await process.RemoveCgroupAsync().ConfigureAwait(false);
        // The tree is gone, so its streams end, unless a descriptor was passed out of it.
        if (!await FairWait.IsDoneAsync(Task.WhenAll(output, errors), OutputDeadline, time).ConfigureAwait(false))
            logger.OutputGivenUp(agentId);
        return new CommandOutcome(exit, HasMissedItsLimit: !isInTime && !isStopped, isStopped, time.GetElapsedTime(since), process.StderrTail, left) { Memory = excess };
    }
}

/// <summary>What a <see cref="TreeCommand"/> executes.</summary>
/// <param name="Program">Absolute path.</param>
/// <param name="Arguments">Without the program.</param>
/// <param name="Environment">All of it.</param>
/// <param name="Directory">Where; null where the program itself goes there.</param>
internal sealed record CommandStart(string Program, IReadOnlyList<string> Arguments, EnvironmentBlock Environment, string? Directory);

/// <summary>How a <see cref="TreeCommand"/> ended.</summary>
/// <param name="Exit">Exit code or signal.</param>
/// <param name="HasMissedItsLimit">It was ended because its time was over.</param>
/// <param name="IsStopped">It was ended because its run was stopped.</param>
/// <param name="Duration">On the monotonic clock.</param>
/// <param name="Output">The last of what it wrote, of both streams.</param>
/// <param name="Left">What it left running, and what was ended then.</param>
internal sealed record CommandOutcome(ExitStatus Exit, bool HasMissedItsLimit, bool IsStopped, TimeSpan Duration, StderrTail Output, LeftProcesses Left)
{
    /// <summary>The limit of memory that it went over; null where it kept it.</summary>
    public MemoryExcess? Memory { get; init; }

    public bool IsGood => !HasMissedItsLimit && !IsStopped && Memory is null && Exit.Code == 0;
}
