using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>A step of every run: before its agent gets the prompt (placing), or after the run has ended (leaving, checking). Each step is one file.</summary>
internal interface IRunStep
{
    /// <summary>Performs the step.</summary>
    /// <returns>Why the run fails, or null. A failure before the prompt withholds the prompt; a failure after the end is the verdict.</returns>
    Task<TaskError?> RunAsync(Run run);
}

/// <summary>The steps of every run, in order.</summary>
/// <param name="Placing">Between the claim and the prompt.</param>
/// <param name="Checking">Between a successful end and its recording; a failed run is not checked.</param>
internal sealed record RunSteps(IReadOnlyList<IRunStep> Placing, IReadOnlyList<IRunStep> Checking)
{
    /// <summary>After every end of a run that was placed, before the checks: what it did is kept whatever its verdict.</summary>
    public IReadOnlyList<IRunStep> Leaving { get; init; } = [];

    /// <summary>Performs the steps until one fails.</summary>
    /// <returns>The error of the step that failed; null if all succeeded.</returns>
    public static async Task<TaskError?> DoAsync(IReadOnlyList<IRunStep> steps, Run run)
    {
        foreach (var step in steps)
        {
            if (await step.RunAsync(run).ConfigureAwait(false) is { } error)
                return error;
        }
        return null;
    }
}
