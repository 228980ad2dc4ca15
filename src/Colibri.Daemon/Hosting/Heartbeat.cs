using Colibri.Core;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Scheduling;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>
/// Tells the service manager that the daemon is ready once a client is answered, and from then on that it is alive as long as every
/// part answers. A daemon counts as alive only while clients can reach it and its parts work; a process that merely exists does not.
/// </summary>
/// <param name="manager">The service manager.</param>
/// <param name="ping">Pings the daemon as a client does, and returns when answered.</param>
/// <param name="parts">Probes of the other parts, by name; each returns when its part has answered.</param>
/// <param name="status">One line for people.</param>
internal sealed class Heartbeat(
    ServiceManager manager,
    Func<CancellationToken, Task> ping,
    IReadOnlyList<(string Name, Func<CancellationToken, Task> AskAsync)> parts,
    Func<string> status,
    TimeProvider time,
    ILogger logger)
{
    private static readonly TimeSpan ReadyRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(30);

    // Without a watchdog only the status line is kept up to date.
    private static readonly TimeSpan StatusPeriod = TimeSpan.FromSeconds(30);

    private string _told = "";
    private string? _missing;

    /// <summary>The heartbeat of a daemon: probes a client's ping, the board's writer and the scheduler.</summary>
    public static Heartbeat Of(
        ServiceManager manager, string socketPath, TaskBoard board, BoardScheduler scheduler, Func<string> status, TimeProvider time, ILogger logger) =>
        new(
            manager,
            cancellation => PingAsync(socketPath, cancellation),
            [
                ("the board's writer", _ => board.AnswerAsync()),
                // While the disk refuses, a start waits for it, and the scheduler waits for that start. A restart would not mend the disk.
                ("the scheduler", _ => board.Trouble is null ? scheduler.AnswerAsync() : Task.CompletedTask),
            ],
            status,
            time,
            logger);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (await MissingAsync([("the socket", ping)], ReadyDeadline, stopping).ConfigureAwait(false) is not null || !Tell("READY=1"))
                await Task.Delay(ReadyRetry, time, stopping).ConfigureAwait(false);
            while (true)
            {
                // The next sign of life comes after at most 5/6 of the watchdog's time: half of it, plus the time that the parts may take to answer.
                if (manager.Watchdog is { } watchdog && await LivesAsync(watchdog / 3, stopping).ConfigureAwait(false))
                    Tell("WATCHDOG=1");
                else
                    Tell();
                await Task.Delay(manager.Watchdog / 2 ?? StatusPeriod, time, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The daemon is stopping, which it reports itself.
        }
    }

    private async Task<bool> LivesAsync(TimeSpan deadline, CancellationToken stopping)
    {
        var missing = await MissingAsync([("the socket", ping), .. parts], deadline, stopping).ConfigureAwait(false);
        if (missing is not null && _missing is null)
            logger.NotAlive(missing, (long)deadline.TotalMilliseconds);
        _missing = missing;
        return missing is null;
    }

    /// <summary>The first part that does not answer in time, or null.</summary>
    private async Task<string?> MissingAsync(
        IReadOnlyList<(string Name, Func<CancellationToken, Task> AskAsync)> asked, TimeSpan deadline, CancellationToken stopping)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var answers = Task.WhenAll(asked.Select(part => AnswersAsync(part.AskAsync, late.Token)));
        if (!await FairWait.IsDoneAsync(answers, deadline, time).ConfigureAwait(false))
            await late.CancelAsync().ConfigureAwait(false);
        var answered = await answers.ConfigureAwait(false);
        stopping.ThrowIfCancellationRequested();
        var silent = Array.IndexOf(answered, false);
        return silent < 0 ? null : asked[silent].Name;
    }

    private static async Task PingAsync(string socketPath, CancellationToken cancellation)
    {
        using var client = await ColibriClient.ConnectAsync(socketPath, cancellation).ConfigureAwait(false);
        // That all connections are taken is an answer, too.
        await client.SendAsync(new CommandRequest { Cmd = WireCommand.Ping.Name }, null, cancellation).ConfigureAwait(false);
    }

    private static async Task<bool> AnswersAsync(Func<CancellationToken, Task> ask, CancellationToken giveUp)
    {
        try
        {
            await ask(giveUp).WaitAsync(giveUp).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return false;
        }
    }

    private bool Tell(params ReadOnlySpan<string> assignments)
    {
        var line = _missing is null ? status() : $"{_missing} does not answer";
        if (line == _told && assignments.IsEmpty)
            return true;
        _told = line;
        return manager.Tell([.. assignments, $"STATUS={line.ReplaceLineEndings(" ")}"]);
    }
}
