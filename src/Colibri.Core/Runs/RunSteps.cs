using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>Something that is done in every run: before its agent is told (placing), or after it has ended (checking). A step is one file.</summary>
internal interface IRunStep
{
    /// <summary>Does it.</summary>
    /// <returns>Why the run fails, or null where all is well. Before the prompt the agent is told nothing then; after the end the verdict is this error.</returns>
    Task<TaskError?> RunAsync(Run run);
}

/// <summary>The steps of every run, in order.</summary>
/// <param name="Placing">Between the claim and the prompt.</param>
/// <param name="Checking">Between a good end and its record; a run that has failed is not checked.</param>
internal sealed record RunSteps(IReadOnlyList<IRunStep> Placing, IReadOnlyList<IRunStep> Checking)
{
    /// <summary>Does the steps until one fails.</summary>
    /// <returns>Its error; null where all have succeeded.</returns>
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
