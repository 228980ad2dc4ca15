using System.Collections.Concurrent;
using Colibri.Core.Logging;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Workspaces;

/// <summary>What all work in repositories shares: git, the daemon's directories for it, and the order of the calls in each repository.</summary>
/// <param name="runner">Runs git.</param>
/// <param name="stateDirectory">Where the trees lie, in <c>trees/</c>; absolute.</param>
/// <param name="time">Names parked work.</param>
/// <param name="logger">Told of parked work and of what a killed daemon left.</param>
internal sealed class WorkspaceGit(GitRunner runner, string stateDirectory, TimeProvider time, ILogger logger)
{
    /// <summary>Where worktrees are, below the state directory.</summary>
    public const string TreesDirectory = "trees";

    private readonly ConcurrentDictionary<string, CallChain> _chains = new(StringComparer.Ordinal);

    public GitRunner Runner => runner;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    /// <summary>The worktrees, a directory for each workspace.</summary>
    public string Trees { get; } = Path.Combine(RealPath.Of(stateDirectory), TreesDirectory);

    /// <summary>What lasts no longer than one call: trees to merge in, indexes, trees on their way out. Begins with a dot, as no workspace does.</summary>
    public string Scratch => Path.Combine(Trees, ".scratch");

    /// <summary>Told of each step that is about to be taken, by its name. A test that throws here stops the sequence as a kill would.</summary>
    internal Action<string>? AtStep { get; init; }

    /// <summary>A test stopped the sequence: nothing is cleared up, as after a kill.</summary>
    internal bool IsStopped { get; private set; }

    /// <summary>Opens the repository of a workspace.</summary>
    /// <exception cref="GitException">It is none, or not as it should be.</exception>
    public Task<Repository> OpenAsync(string path, CancellationToken cancellation) => Repository.OpenAsync(runner, path, cancellation);

    /// <summary>
    /// Does the work when all that was given before for the same repository is done. Git's own locks make calls at the same time fail and not
    /// wait.
    /// </summary>
    public Task<T> InTurnAsync<T>(Repository repository, Func<Task<T>> work, CancellationToken cancellation) =>
        _chains.GetOrAdd(RealPath.Of(repository.CommonDirectory), _ => new CallChain()).RunAsync(() => SequenceAsync(repository, work), cancellation);

    private async Task<T> SequenceAsync<T>(Repository repository, Func<Task<T>> work)
    {
        MakePrivate(Trees);
        // Looked at again: it may have been opened before an agent worked in it.
        PlantedLinks.Refuse(repository.CommonDirectory);
        string? journal = null;
        try
        {
            journal = StaleLocks.Begin(Trees, repository.CommonDirectory);
            return await work().ConfigureAwait(false);
        }
        catch (GitException e) when (e.IsCutShort && !IsStopped)
        {
            StaleLocks.Remove(repository.CommonDirectory, journal!);
            throw;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitException(e is UnauthorizedAccessException ? GitFailureKind.PermissionDenied : GitFailureKind.Other, $"the work in {repository.Path} failed: {e.Message}");
        }
        finally
        {
            if (journal is not null && !IsStopped)
                File.Delete(journal);
        }
    }

    /// <summary>From here on it does nothing more, as a killed daemon does. For tests.</summary>
    internal void Stop() => IsStopped = true;

    internal void Step(string name)
    {
        try
        {
            AtStep?.Invoke(name);
        }
        catch
        {
            IsStopped = true;
            throw;
        }
    }

    /// <summary>A name in the scratch directory that nothing has, and the directory itself.</summary>
    public string NewScratch(string what)
    {
        MakePrivate(Trees);
        MakePrivate(Scratch);
        return Path.Combine(Scratch, $"{what}-{Guid.NewGuid():N}");
    }

    /// <summary>Makes a directory of mode 0700 where there is none. A link in its place is refused.</summary>
    /// <exception cref="GitException">It cannot be made.</exception>
    public static void MakePrivate(string path)
    {
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitException(GitFailureKind.Other, $"cannot make {path}: {e.Message}");
        }
        if (new DirectoryInfo(path).LinkTarget is not null)
            throw new GitException(GitFailureKind.Planted, $"{path} is a symbolic link, and trees are not made behind one: rm {GitFailure.Quoted(path)}");
    }

    /// <summary>Runs what clears up after a sequence; its failure is logged, since the sweep comes again at the next start.</summary>
    public async Task ClearUpAsync(string what, Func<Task> work)
    {
        if (IsStopped)
            return;
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            logger.WorkspaceNotCleared(what, e.Message);
        }
    }
}

/// <summary>Work that is done in the order in which it was given, one at a time. No lock is held while it runs.</summary>
internal sealed class CallChain
{
    private readonly Lock _gate = new();
    private Task _last = Task.CompletedTask;

    public Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken cancellation)
    {
        lock (_gate)
        {
            var mine = AfterAsync(_last, work, cancellation);
            _last = mine;
            return mine;
        }
    }

    private static async Task<T> AfterAsync<T>(Task before, Func<Task<T>> work, CancellationToken cancellation)
    {
        // Forced off the gate: the work must not begin under it.
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        cancellation.ThrowIfCancellationRequested();
        return await work().ConfigureAwait(false);
    }
}

/// <summary>A path without symbolic links, as git writes the places of worktrees.</summary>
internal static class RealPath
{
    // <sys/param.h>: MAXSYMLINKS is 40 on Linux, 32 on FreeBSD.
    private const int MaxLinks = 40;

    /// <summary>The path with every link in it resolved; what is not there stays as it is.</summary>
    /// <exception cref="IOException">There are too many links.</exception>
    public static string Of(string path)
    {
        var rest = new Stack<string>(Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var (real, links) = ("/", 0);
        while (rest.TryPop(out var part))
        {
            var next = Path.Combine(real, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }
            if (++links > MaxLinks)
                throw new IOException($"{path} has too many symbolic links in it");
            foreach (var step in Path.GetFullPath(target, real).Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                rest.Push(step);
            real = "/";
        }
        return real;
    }
}
