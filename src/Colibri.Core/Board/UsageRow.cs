using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>What one agent used of one model on one day in one run, all of it so far: booking a row again replaces it.</summary>
/// <param name="RunId">The run; empty for what a long-lived agent did besides its runs.</param>
/// <param name="Day">In UTC.</param>
/// <param name="Provider">Whose model; <see cref="Unknown"/> where nobody said.</param>
/// <param name="Model">The model; <see cref="Unknown"/> where nobody said.</param>
/// <param name="Requests">Reports of usage, which is requests answered or billed.</param>
/// <param name="Usage">The sum of the reports.</param>
public sealed record UsageRow(string RunId, DateOnly Day, string Provider, string Model, long Requests, Usage Usage)
{
    public const string Unknown = "unknown";
}
