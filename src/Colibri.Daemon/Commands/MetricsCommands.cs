using Colibri.Core;
using Colibri.Core.Board;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>What a monitoring program scrapes, beyond what <c>status</c> and <c>snapshot</c> have.</summary>
internal sealed class MetricsCommands(Engine engine, TimeProvider time)
{
    /// <summary>Queued tasks that are asked why they wait: a longer queue waits for the same reasons.</summary>
    private const int MostWaiting = 1_000;

    /// <summary>Characters of text of those tasks; the rest of the queue is not looked at.</summary>
    private const int MostCharacters = 4 * 1024 * 1024;

    /// <summary>The code of a task that nothing keeps from starting.</summary>
    private const string NoReason = "none";

    public IEnumerable<CommandHandler> Handlers => [new(WireCommand.GetMetrics, ReadAsync)];

    private async ValueTask<Reply> ReadAsync(CommandContext context)
    {
        var totals = await engine.Board.TotalsAsync().ConfigureAwait(false);
        var queued = engine.Queue.Show(await engine.Board.ListAsync(
            new TaskQuery { Status = TaskState.Queued, Limit = MostWaiting, MaxCharacters = MostCharacters }).ConfigureAwait(false)).Tasks;
        return Reply.Of(
            new MetricsReport
            {
                At = time.GetUtcNow(),
                RunsOpen = totals.RunsOpen,
                TasksHeld = totals.TasksHeld,
                Runs = totals.Runs,
                Usage = totals.Usage,
                Waits = [.. queued.CountBy(task => task.BlockedBy is [var first, ..] ? first.Code : NoReason).OrderBy(wait => wait.Key, StringComparer.Ordinal).Select(wait => new WaitTotal(wait.Key, wait.Value))],
                WaitsOf = queued.Count,
                Sessions = engine.Sessions.Measure(),
            },
            ProtocolJson.Wire.MetricsReport);
    }
}
