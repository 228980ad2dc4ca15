using System.Globalization;

namespace Colibri.Core.Processes;

/// <summary>The processes of an agent's tree that went on after the agent itself had exited. They are ended.</summary>
/// <param name="Count">How many; 0 also where that could not be told.</param>
/// <param name="First">The command name of the first; null where it is not known.</param>
public readonly record struct LeftProcesses(int Count, string? First)
{
    /// <summary>That the tree reached its limit of processes, in words; null where it did not.</summary>
    public string? Limit { get; init; }

    /// <summary>Such as "2 processes (sleep)".</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Count} {(Count == 1 ? "process" : "processes")}{(First is null ? "" : $" ({First})")}");
}
