namespace Colibri.Core.Retention;

/// <summary>The worktrees of failed and discarded runs, for retention. Connected by what makes them.</summary>
public interface IWorktreeRetention
{
    /// <summary>All that are there, whatever their age: retention decides which are due.</summary>
    Task<IReadOnlyList<KeptWorktree>> ListAsync(CancellationToken stopping);

    /// <summary>Removes one, unless it holds work that would be lost or a run is in it.</summary>
    /// <returns>Whether it is gone.</returns>
    Task<bool> RemoveAsync(KeptWorktree worktree, CancellationToken stopping);
}

/// <summary>A worktree that is kept for a while.</summary>
/// <param name="Workspace">Its workspace.</param>
/// <param name="Number">The number of its task.</param>
/// <param name="Path">Where it is.</param>
/// <param name="Since">When its run ended, or its change was discarded.</param>
public sealed record KeptWorktree(string Workspace, long Number, string Path, DateTimeOffset Since);
