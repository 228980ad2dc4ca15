using System.Globalization;
using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>Reads what of a board waits for a person, or for the landing of its change.</summary>
/// <param name="board">The board.</param>
public sealed class BoardReview(TaskBoard board)
{
    // More would make one text too long.
    private const int Asked = 1_000;

    /// <summary>The tasks that are over and whose change is open or in conflict, the latest created first.</summary>
    /// <param name="limit">At most so many.</param>
    public Task<IReadOnlyList<BoardTask>> ChangesAsync(int limit) => board.ReadAsync(connection => ReviewVerbs.ListChanges(connection, limit));

    /// <summary>The tasks that are done and whose change is open in one of the workspaces, the first created first.</summary>
    /// <param name="workspaces">The changes' own workspaces.</param>
    /// <param name="limit">At most so many.</param>
    public Task<IReadOnlyList<BoardTask>> ToLandAsync(IReadOnlyList<string> workspaces, int limit) =>
        board.ReadAsync(connection => ReviewVerbs.ListToLand(connection, workspaces, limit));

    /// <summary>How many tasks that have not failed are over and have a change that is open or in conflict.</summary>
    public Task<long> CountAsync() => board.ReadAsync(ReviewVerbs.CountChanges);

    /// <summary>Those of the tasks of a workspace that are over.</summary>
    /// <param name="workspace">The workspace.</param>
    /// <param name="numbers">The tasks.</param>
    public async Task<IReadOnlyList<BoardTask>> EndedAsync(string workspace, IReadOnlyCollection<long> numbers)
    {
        var found = new List<BoardTask>();
        foreach (var some in numbers.Chunk(Asked))
        {
            var json = $"[{string.Join(',', some.Select(number => number.ToString(CultureInfo.InvariantCulture)))}]";
            found.AddRange(await board.ReadAsync(connection => ReviewVerbs.ListEnded(connection, workspace, json)).ConfigureAwait(false));
        }
        return found;
    }
}
