using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

/// <summary>Stops a sequence at each of its steps in turn, as a kill would: nothing after that step is done, clearing up included.</summary>
internal static class Stops
{
    /// <param name="fixture">Its daemon is opened anew for each.</param>
    /// <param name="act">The sequence. Steps count from its call of the second argument.</param>
    /// <param name="verify">Run by another daemon after each stop, and after the run that was not stopped; gets the step's name.</param>
    /// <returns>At how many steps it was stopped.</returns>
    public static async Task<int> AtEach(GitFixture fixture, Func<WorkspaceGit, Action, Task> act, Func<string?, Task> verify)
    {
        for (var wanted = 0; ; wanted++)
        {
            var (seen, at, isArmed) = (0, (string?)null, false);
            var git = fixture.Open(step =>
            {
                if (isArmed && seen++ == wanted)
                    throw new StoppedException(at = step);
            });
            try
            {
                await act(git, () => isArmed = true);
            }
            catch (StoppedException)
            {
                // As after a kill.
            }
            fixture.Open();
            try
            {
                await verify(at);
            }
            catch (Exception e) when (e is not StoppedException)
            {
                throw new InvalidOperationException($"stopped at step {wanted}, '{at ?? "none"}': {e.Message}", e);
            }
            if (at is null)
                return wanted;
        }
    }

    private sealed class StoppedException(string step) : Exception(step);
}
