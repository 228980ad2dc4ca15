using Colibri.Core.Panes;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>A task in an agent's hands, from the claim to the run's end.</summary>
internal sealed class Assignment(string taskId, string runId, long since)
{
    private int _isEnding;

    public string TaskId { get; } = taskId;

    public string RunId { get; } = runId;

    /// <summary>When it was given the task, on the monotonic clock.</summary>
    public long Since { get; } = since;

    /// <summary>From 1; until the task is claimed, the first.</summary>
    public int Attempt { get; private set; } = 1;

    /// <summary>What earlier attempts at the task have cost, in micro-cents; until the task is claimed, nothing.</summary>
    public long SpentBefore { get; private set; }

    /// <summary>What the agent had cost when it was given the task, in micro-cents.</summary>
    public long AgentSpentBefore { get; init; }

    /// <summary>How often the agent had gone to work by then; null for the task it was started on.</summary>
    public long? RunsBefore { get; init; }

    /// <summary>Why the agent did not take the prompt.</summary>
    public string? Refusal { get; set; }

    /// <summary>Takes over what is known of the task once it is claimed.</summary>
    /// <param name="task">As the claiming statement returned it.</param>
    public void Claimed(BoardTask task) => (Attempt, SpentBefore) = (task.Attempts, task.Usage.CostMicrocents);

    /// <summary>True for the first caller.</summary>
    public bool TryEnd() => Interlocked.Exchange(ref _isEnding, 1) == 0;

    /// <summary>What the agent's events say about this run: those of an earlier one say nothing.</summary>
    public RunState Of(RunState run)
    {
        if (RunsBefore is { } before && run.Runs <= before)
            run = new RunState(RunOutcome.Idle, IsSettled: false, default, null, run.LastEvent) { Runs = run.Runs };
        return Refusal is { } refusal && run.Outcome is RunOutcome.Silent or RunOutcome.Idle ? run with { PromptRefused = refusal } : run;
    }
}
