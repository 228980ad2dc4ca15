using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>The life of an agent on the board by its id: the claims, which the daemon keeps with the run, are remembered here.</summary>
internal static class BoardCalls
{
    private static readonly ConditionalWeakTable<TaskBoard, ConcurrentDictionary<string, RunClaim?>> Claims = [];

    public static async Task<RunBegun> BeginSpawnAsync(this TaskBoard board, RunStart start, string? taskId)
    {
        var begun = await board.BeginRunAsync(start with { TaskId = taskId });
        if (begun.Outcome == EdgeOutcome.Applied)
            Of(board)[start.AgentId] = begun.Claim;
        return begun;
    }

    public static async Task<BoardTask?> ProcessStartedAsync(this TaskBoard board, string agentId, int pid, long startTime, string bootId) =>
        await board.ProcessStartedAsync(agentId, await ClaimAsync(board, agentId), pid, startTime, bootId);

    /// <summary>The end of the agent and of its run.</summary>
    public static Task<BoardTask?> EndSpawnAsync(this TaskBoard board, string agentId, RunEnd end) => EndAsync(board, agentId, end with { AgentEnded = true });

    /// <summary>The end of the run of an agent that lives on.</summary>
    public static Task<BoardTask?> EndRunOfAsync(this TaskBoard board, string agentId, RunEnd end) => EndAsync(board, agentId, end);

    private static async Task<BoardTask?> EndAsync(TaskBoard board, string agentId, RunEnd end) =>
        (await board.EndRunAsync(end with { AgentId = agentId, Claim = await ClaimAsync(board, agentId) })).Task;

    private static async Task<RunClaim?> ClaimAsync(TaskBoard board, string agentId) => Of(board).TryGetValue(agentId, out var claim)
        ? claim
        : (await board.LiveSpawnsAsync()).FirstOrDefault(spawn => spawn.AgentId == agentId)?.Claim;

    private static ConcurrentDictionary<string, RunClaim?> Of(TaskBoard board) => Claims.GetValue(board, static _ => new(StringComparer.Ordinal));
}
