using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>What one agent used of one model on one day, all of it so far: booking a row again replaces it.</summary>
/// <param name="Day">In UTC.</param>
/// <param name="Provider">Whose model; <see cref="Unknown"/> where nobody said.</param>
/// <param name="Model">The model; <see cref="Unknown"/> where nobody said.</param>
/// <param name="Requests">Reports of usage, which is requests answered or billed.</param>
/// <param name="Usage">The sum of the reports.</param>
public sealed record UsageRow(DateOnly Day, string Provider, string Model, long Requests, Usage Usage)
{
    public const string Unknown = "unknown";
}
