using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>Sums over the whole life of the board, all of one instant.</summary>
/// <param name="RunsOpen">Runs that are under way.</param>
/// <param name="TasksHeld">Queued tasks that wait for their release.</param>
/// <param name="Runs">Runs that have ended, by profile and verdict.</param>
/// <param name="Usage">The ledger, by provider, model and profile.</param>
public sealed record BoardTotals(long RunsOpen, long TasksHeld, IReadOnlyList<RunTotal> Runs, IReadOnlyList<UsageTotal> Usage);
