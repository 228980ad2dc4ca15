using Colibri.Core.Cost;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>Withholds a task whose earlier attempts have spent its budget from every agent; an interrupted attempt may have spent it all.</summary>
internal sealed class BudgetStep(Budgets budgets) : IRunStep
{
    public Task<TaskError?> RunAsync(Run run) =>
        Task.FromResult(run.Task is { } task && budgets.IsOverTask(task.Usage.CostMicrocents, run.Rules?.BudgetMicrocents) ? ErrorOf(task.Usage.CostMicrocents, budgets, run.Rules) : null);

    /// <summary>The error of a task over its budget.</summary>
    public static TaskError ErrorOf(long spent, Budgets budgets, RunRules? rules) => new(
        RunVerdict.Budget,
        $"the task has cost {Dollars.Of(spent)} and may cost {Dollars.Of(rules?.BudgetMicrocents ?? budgets.TaskMicrocents ?? 0)} ({rules?.NameOf(Setting) ?? Setting})");

    private const string Setting = "COLIBRI_BUDGET_TASK_USD";
}
