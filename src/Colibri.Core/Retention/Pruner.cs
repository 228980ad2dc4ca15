using System.Globalization;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Sessions;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Posix.Files;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Retention;

/// <summary>
/// Deletes what is older than the configuration keeps: worktrees, ended tasks, sessions, and the directories of tasks that are gone. What waits for a person is never among it.
/// Each part is found and then deleted in small steps, so that it holds up nothing, and a kill between two of them leaves the rest to the next time.
/// </summary>
public sealed class Pruner
{
    /// <summary>Where tasks have directories of their own, below the state directory; each has the number of its task.</summary>
    public const string WorkDirectory = "work";

    /// <summary>The longest age that can be asked for.</summary>
    public static readonly TimeSpan OldestAge = TimeSpan.FromDays(36_500);

    private const int SessionsAtOnce = 50;

    private static readonly TimeSpan KeepOfUnknown = new WorkspaceSettings { Name = "", Path = "" }.Keep;

    private readonly BoardRetention _board;
    private readonly SessionStore _sessions;
    private readonly Func<ColibriSettings> _settings;
    private readonly ILogger _logger;
    private readonly AgeClock _clock;
    private readonly string _work;
    private readonly TreeRemover _sessionTrees;
    private readonly TreeRemover _workTrees;

    // One at a time: two would find the same things due.
    private readonly CallChain _turn = new();

    /// <param name="board">The board.</param>
    /// <param name="sessions">The sessions.</param>
    /// <param name="state">The directory of the daemon's state.</param>
    /// <param name="settings">What is kept, as it is configured now.</param>
    /// <param name="time">The clock that dates what is on the board.</param>
    /// <param name="logger">The log.</param>
    public Pruner(TaskBoard board, SessionStore sessions, string state, Func<ColibriSettings> settings, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(sessions);
        (_sessions, _settings, _logger) = (sessions, settings, logger);
        _board = new BoardRetention(board) { AfterBatch = () => AtStep?.Invoke(PruneStep.BatchDeleted) };
        _clock = new AgeClock(time);
        _work = Path.Combine(state, WorkDirectory);
        _sessionTrees = new TreeRemover(sessions.Root, mayBeLink: true);
        _workTrees = new TreeRemover(_work);
    }

    /// <summary>The worktrees of failed and discarded runs; null where nothing makes any.</summary>
    public IWorktreeRetention? Worktrees { get; set; }

    /// <summary>Called after each step; for tests that stop there.</summary>
    internal Action<PruneStep>? AtStep { get; set; }

    /// <summary>Reads an age as the configuration file has it: <c>30d</c>.</summary>
    public static bool TryParseAge(string text, out TimeSpan age) => EnvironmentReader.TryParseDuration(text, out age);

    /// <summary>Deletes what is due, or says what would be deleted. A part that cannot be deleted now is logged and left to the next time.</summary>
    /// <param name="olderThan">In place of every age of the configuration; the limit of bytes holds all the same. Null is as configured.</param>
    /// <param name="isDry">Deletes nothing.</param>
    /// <param name="stopping">Ends it between two steps.</param>
    public Task<PruneReport> PruneAsync(TimeSpan? olderThan, bool isDry, CancellationToken stopping) =>
        _turn.RunAsync(() => Task.Run(() => RunAsync(new Ages(_settings(), _clock.Now(), olderThan), isDry, stopping), stopping), stopping);

    private async Task<PruneReport> RunAsync(Ages ages, bool isDry, CancellationToken stopping)
    {
        var found = new Found();
        if (!isDry)
        {
            // What an earlier prune was killed over.
            Empty(_sessionTrees, found, stopping);
            Empty(_workTrees, found, stopping);
        }
        // Worktrees first, while the tasks that say how old they are can be asked.
        await TryAsync(found, () => WorktreesAsync(ages, isDry, found, stopping)).ConfigureAwait(false);
        await TryAsync(found, () => TasksAsync(ages, isDry, found, stopping)).ConfigureAwait(false);
        await TryAsync(found, () => SessionsAsync(ages, isDry, found, stopping)).ConfigureAwait(false);
        await TryAsync(found, () => DirectoriesAsync(isDry, found, stopping)).ConfigureAwait(false);
        var sessionBytes = found.Sessions.Sum(session => session.Bytes);
        return new PruneReport(
            isDry, PrunedNumbers.Of(found.Tasks), PrunedIds.Of([.. found.Sessions.Select(session => session.Id)]), sessionBytes, Named(found.Worktrees), Named(found.Directories),
            sessionBytes + found.Directories.Sum(tree => tree.Bytes) + found.Worktrees.Sum(tree => tree.Bytes), found.Problem);

        static PrunedNumbers Named(List<PrunedTree> trees) => PrunedNumbers.Of([.. trees.Select(tree => tree.Number)]);
    }

    private async Task TasksAsync(Ages ages, bool isDry, Found found, CancellationToken stopping)
    {
        var due = await _board.DueTasksAsync(ages.Tasks).ConfigureAwait(false);
        if (isDry)
        {
            found.Tasks.AddRange(due);
            return;
        }
        await _board.DeleteAsync(due, ages.Tasks, found.Tasks, stopping).ConfigureAwait(false);
        await _board.DeleteAgentsAsync(ages.Tasks, stopping).ConfigureAwait(false);
    }

    private async Task SessionsAsync(Ages ages, bool isDry, Found found, CancellationToken stopping)
    {
        var all = StoredSession.All(_sessions.Root);
        var due = StoredSession.Due(all, await KeptSessionsAsync().ConfigureAwait(false), ages.Sessions, ages.MostSessionBytes);
        if (isDry)
        {
            found.Sessions.AddRange(due);
            return;
        }
        foreach (var some in due.Chunk(SessionsAtOnce))
        {
            stopping.ThrowIfCancellationRequested();
            // Asked again: a task may name the session by now.
            var kept = await KeptSessionsAsync().ConfigureAwait(false);
            foreach (var session in some.Where(session => !kept.Contains(session.Id)))
            {
                if (Try(found, () => _sessions.TryTake(session.Id, () => StoredSession.Of(_sessions.Root, session.Id) == session && _sessionTrees.TakeOut(session.Id))))
                    found.Sessions.Add(session);
                AtStep?.Invoke(PruneStep.SessionTaken);
            }
            Empty(_sessionTrees, found, stopping);
        }
    }

    // A session that is followed stays, so that no client sees it go.
    private async Task<IReadOnlySet<string>> KeptSessionsAsync() =>
        (await _board.KeptSessionsAsync().ConfigureAwait(false)).Concat(_sessions.Followed()).ToHashSet(StringComparer.Ordinal);

    private async Task DirectoriesAsync(bool isDry, Found found, CancellationToken stopping)
    {
        if (!Directory.Exists(_work))
            return;
        // The directories are listed before the board is asked: a task is on the board before it has a directory.
        var numbers = Directory.EnumerateFileSystemEntries(_work).Select(NumberOf).OfType<long>().Order().ToList();
        var gone = new HashSet<long>(await _board.GoneAsync(numbers).ConfigureAwait(false));
        if (isDry)
            gone.UnionWith(found.Tasks);
        var used = await UsedNamesAsync().ConfigureAwait(false);
        foreach (var number in numbers.Where(gone.Contains))
        {
            stopping.ThrowIfCancellationRequested();
            var name = number.ToString(CultureInfo.InvariantCulture);
            var path = Path.Combine(_work, name);
            if (used.Contains(name))
                continue;
            var bytes = FileLook.AtName(path).IsLink ? 0 : TreeBytes.Of(path);
            if (!isDry)
            {
                if (!Try(found, () => _workTrees.TakeOut(name)))
                    continue;
                AtStep?.Invoke(PruneStep.DirectoryTaken);
            }
            found.Directories.Add(new PrunedTree(number, bytes));
        }
        if (!isDry && found.Directories.Count > 0)
            Empty(_workTrees, found, stopping);
    }

    // An agent, or a task that names it, may be in the directory of another task, by any of its names.
    private async Task<IReadOnlySet<string>> UsedNamesAsync()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var roots = new[] { _work + "/", RealPath.Of(_work) + "/" };
        foreach (var directory in await _board.UsedDirectoriesAsync().ConfigureAwait(false))
        {
            foreach (var name in new[] { directory, RealOf(directory) })
            {
                if (Array.Find(roots, root => name.StartsWith(root, StringComparison.Ordinal)) is { } below)
                    names.Add(name[below.Length..].Split('/')[0]);
            }
        }
        return names;

        static string RealOf(string directory)
        {
            try
            {
                return RealPath.Of(directory);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return directory;
            }
        }
    }

    private async Task WorktreesAsync(Ages ages, bool isDry, Found found, CancellationToken stopping)
    {
        if (Worktrees is not { } worktrees)
            return;
        var old = (await worktrees.ListAsync(stopping).ConfigureAwait(false)).Where(worktree => worktree.Since < ages.WorktreesOf(worktree.Workspace)).ToList();
        var waiting = await _board.WaitingAsync([.. old.Select(worktree => worktree.Number)]).ConfigureAwait(false);
        foreach (var worktree in old.Where(worktree => !waiting.Contains(worktree.Number)).OrderBy(worktree => worktree.Number))
        {
            stopping.ThrowIfCancellationRequested();
            var bytes = TreeBytes.Of(worktree.Path);
            var isGone = false;
            await TryAsync(found, async () => isGone = await worktrees.RemoveAsync(worktree, isDry, stopping).ConfigureAwait(false)).ConfigureAwait(false);
            if (isGone)
                found.Worktrees.Add(new PrunedTree(worktree.Number, bytes));
            AtStep?.Invoke(PruneStep.WorktreeTaken);
        }
    }

    // One part that fails, such as the board of a full disk, must not keep the others from making room.
    private async Task TryAsync(Found found, Func<Task> part)
    {
        try
        {
            await part().ConfigureAwait(false);
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            Tell(found, e.Message);
        }
    }

    private bool Try(Found found, Func<bool> part)
    {
        try
        {
            return part();
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            Tell(found, e.Message);
            return false;
        }
    }

    private void Tell(Found found, string problem)
    {
        var line = problem.ReplaceLineEndings(" ");
        found.Problem ??= line;
        _logger.NotPruned(line);
    }

    private static bool IsOfTheDisk(Exception e) => e is BoardUnavailableException or IOException or UnauthorizedAccessException;

    private void Empty(TreeRemover trees, Found found, CancellationToken stopping)
    {
        try
        {
            if (trees.EmptyTrash(stopping) is { } problem)
                Tell(found, problem);
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            Tell(found, e.Message);
        }
    }

    private static long? NumberOf(string path) =>
        Path.GetFileName(path) is var name && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && name == number.ToString(CultureInfo.InvariantCulture) ? number : null;

    private readonly record struct PrunedTree(long Number, long Bytes);

    /// <summary>What one prune has deleted so far, or would.</summary>
    private sealed class Found
    {
        public List<long> Tasks { get; } = [];

        public List<StoredSession> Sessions { get; } = [];

        public List<PrunedTree> Directories { get; } = [];

        public List<PrunedTree> Worktrees { get; } = [];

        /// <summary>Why something that is due stays; the first reason.</summary>
        public string? Problem { get; set; }
    }

    /// <summary>What is older than each of these is due.</summary>
    private sealed class Ages(ColibriSettings settings, DateTimeOffset now, TimeSpan? olderThan)
    {
        public DateTimeOffset Tasks => Before(settings.Retention.Tasks);

        public DateTimeOffset Sessions => Before(settings.Retention.Sessions);

        public long? MostSessionBytes => settings.Retention.SessionsBytes;

        public DateTimeOffset WorktreesOf(string workspace) => Before(settings.Workspace(workspace)?.Keep ?? KeepOfUnknown);

        private DateTimeOffset Before(TimeSpan age) => now - (olderThan ?? age);
    }
}

/// <summary>The steps of a prune. The daemon may be killed after each.</summary>
internal enum PruneStep
{
    /// <summary>One batch of tasks or agents is deleted.</summary>
    BatchDeleted,
    SessionTaken,
    DirectoryTaken,
    WorktreeTaken,
}
