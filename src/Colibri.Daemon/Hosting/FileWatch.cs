using Colibri.Core.Agents.Launch;
using Colibri.Core.Logging;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>
/// Looks every second whether the daemon's own files are still there and still its own. What can be made anew is; the rest is told, in the log once at its
/// begin and once at its end, and by <c>status</c> while it lasts.
/// </summary>
/// <param name="looks">Each returns what is wrong with its files. They take turns on one thread of the pool, so a file system that hangs holds up nothing else.</param>
/// <param name="throttle">Told to tell of repetitions that are over.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed class FileWatch(IReadOnlyList<Func<IEnumerable<StatusFile>>> looks, LogThrottle throttle, TimeProvider time, ILogger logger)
{
    /// <summary>How long a stop waits for a look under way: a file system that hangs must not keep the daemon from ending.</summary>
    public static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private volatile StatusFile[] _found = [];

    /// <summary>What was wrong at the last look; null where nothing was.</summary>
    public IReadOnlyList<StatusFile>? Found => _found is { Length: > 0 } found ? found : null;

    /// <summary>The daemon's working directory, which agents that name none are started in.</summary>
    public static IEnumerable<StatusFile> LookAtWorkingDirectory()
    {
        _ = WorkingDirectory.Current;
        if (WorkingDirectory.Lost is { } lost)
            yield return new StatusFile("working-directory", lost, StatusFile.Gone, $"the daemon's directory {lost} was removed: agents that name none are started in {WorkingDirectory.Current}; restart the daemon in a directory that stays");
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                Look();
                await Task.Delay(Interval, time, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The daemon is stopping.
        }
    }

    /// <summary>Looks at all files once.</summary>
    public void Look()
    {
        var before = _found;
        var found = new List<StatusFile>();
        foreach (var look in looks)
        {
            try
            {
                found.AddRange(look());
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                logger.UnexpectedFailure("looking at the daemon's files", e);
            }
        }
        var now = time.GetUtcNow();
        _found = [.. found.Select(file => file with { Since = Array.Find(before, IsSame(file))?.Since ?? now })];
        foreach (var file in found.Where(file => !Array.Exists(before, IsSame(file))))
            logger.FileTrouble(file.What, file.Path, file.State, file.Reason);
        foreach (var file in before.Where(file => !found.Exists(IsSame(file))))
            logger.FileInOrder(file.What, file.Path);
        throttle.Sweep();
    }

    private static Predicate<StatusFile> IsSame(StatusFile file) => other => other.What == file.What && other.Path == file.Path && other.State == file.State;
}
