namespace Colibri.Core.Retention;

/// <summary>The worktrees of tasks that are over, for retention. Connected by what makes them.</summary>
public interface IWorktreeRetention
{
    /// <summary>All in which no run is, whatever their age: retention decides which are due.</summary>
    Task<IReadOnlyList<KeptWorktree>> ListAsync(CancellationToken stopping);

    /// <summary>Removes one, unless it holds work that would be lost or a run is in it.</summary>
    /// <param name="worktree">One that was listed.</param>
    /// <param name="isDry">Removes nothing.</param>
    /// <param name="stopping">Ends it between two steps.</param>
    /// <returns>Whether it is gone, or would be.</returns>
    Task<bool> RemoveAsync(KeptWorktree worktree, bool isDry, CancellationToken stopping);
}

/// <summary>A worktree that is kept for a while.</summary>
/// <param name="Workspace">Its workspace.</param>
/// <param name="Number">The number of its task.</param>
/// <param name="Path">Where it is.</param>
/// <param name="Since">When its task ended, or was touched after that, as by a discard. Where the task is gone: when its directory was written to.</param>
public sealed record KeptWorktree(string Workspace, long Number, string Path, DateTimeOffset Since);
