using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Runs;

/// <summary>The only access of runs to the board: every agent's runs begin with <see cref="BeginAsync"/> and end with <see cref="EndAsync"/>.</summary>
internal sealed class RunStore(TaskBoard board, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private int _leftOpen;

    /// <summary>Runs whose end the disk refused while the daemon stopped: the next one closes them.</summary>
    public int LeftOpen => Volatile.Read(ref _leftOpen);

    /// <exception cref="BoardUnavailableException">Nothing could be put on record, so nothing was begun.</exception>
    /// <exception cref="InvalidOperationException">The agent was to live already and has ended.</exception>
    public Task<RunBegun> BeginAsync(RunStart start) => board.BeginRunAsync(start);

    /// <summary>Puts the end on disk, in one try.</summary>
    /// <exception cref="BoardUnavailableException">The disk refuses now; the run stays open.</exception>
    public async Task<RunClosed> EndAsync(RunEnd end)
    {
        var closed = await board.EndRunAsync(end).ConfigureAwait(false);
        if (closed.IsLost)
            logger.RunLost(end.AgentId, end.Claim!.TaskId);
        return closed;
    }

    /// <summary>Puts the end on disk. A full disk keeps the run open, and its agent's slot taken, until there is room.</summary>
    /// <param name="end">What became of it.</param>
    /// <param name="mayWait">False once the daemon stops: the next one finds the run open and its process gone, and closes it.</param>
    public async Task EndAsync(RunEnd end, Func<bool> mayWait)
    {
        while (true)
        {
            try
            {
                await EndAsync(end).ConfigureAwait(false);
                return;
            }
            catch (BoardUnavailableException e)
            {
                logger.BoardUnavailable(e.Message);
                if (!mayWait())
                {
                    Interlocked.Increment(ref _leftOpen);
                    return;
                }
                await Task.Delay(Retry, time).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The line about a run's end in its session.</summary>
    public static SessionEntry NoteOf(RunEnd end) => new()
    {
        Kind = SessionEntryKind.Note,
        Text = $"run ended: {end.Verdict}{(end.Error is { } error ? $" ({error.Message})" : "")}{(end.Remark is { } remark ? $"; {remark}" : "")}"
            + (end.SessionEntriesDropped > 0 ? $"; {end.SessionEntriesDropped} entries of this run are not in its session" : ""),
    };
}
