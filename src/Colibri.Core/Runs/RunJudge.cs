using Colibri.Core.Agents.Kinds;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Panes;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>What is known of a run when it has ended.</summary>
internal readonly record struct RunFacts
{
    /// <summary>Null for an agent that ends between two runs.</summary>
    public required Run? Run { get; init; }

    /// <summary>What the events say about it.</summary>
    public required RunReport Report { get; init; }

    public required StopCause Cause { get; init; }

    /// <summary>How the process ended; exit code 0 where it lives on.</summary>
    public required ProcessExit Exit { get; init; }

    public required StderrTail Stderr { get; init; }

    /// <summary>Which deadline it missed, in words.</summary>
    public string? Missed { get; init; }

    /// <summary>What its agent has used in all, in micro-cents.</summary>
    public long AgentSpent { get; init; }
}

/// <summary>Makes a run's end of what is known of it: verdict, error, and whether and when its task is tried again. Tells the router how the provider did.</summary>
internal sealed class RunJudge(AgentProfile profile, string? provider, string? model, Budgets budgets, ProviderRouter? router, RetryBackoff backoff, Secrets secrets)
{
    /// <summary>The code of a run that a daemon's end cut short.</summary>
    public const string Interrupted = "interrupted";

    public RunEnd Judge(string agentId, in RunFacts facts)
    {
        var (run, report, cause) = (facts.Run, facts.Report, facts.Cause);
        var verdict = RunVerdict.Judge(report, facts.Exit, cause != StopCause.None, profile.PrintsEvents, facts.Stderr.LastLine(secrets), secrets);
        var isDone = verdict.Error is null;
        // Whatever ended it: another attempt would cost still more.
        var overBudget = !isDone && run?.Task is not null && budgets.IsOverTask(run.Spent(facts.AgentSpent));
        var interrupted = cause is StopCause.DaemonStopping or StopCause.Unrecorded && !isDone && !overBudget;
        var providerFailure = isDone ? ProviderFailure.None : ProviderFailures.Of(StatusOf(report, cause, verdict), verdict.Error?.Message);
        if (provider is not null && (isDone || providerFailure != ProviderFailure.None))
            router?.Report(provider, model, providerFailure, verdict.Error?.Message, report.ResumeAt);
        // A refused key is no fault of the task's: where another route is ready it goes there at once, the attempt given back.
        interrupted |= providerFailure == ProviderFailure.Authentication && !overBudget && provider is not null && run?.Task is not null
            && router is { IsUsed: true } && router.Choose(profile.Providers) is not null;
        var error = isDone ? null : overBudget ? BudgetStep.ErrorOf(run!.Spent(facts.AgentSpent), budgets) : ErrorFor(facts, verdict);
        return new RunEnd
        {
            AgentId = agentId,
            Claim = run?.Claim,
            Ending = interrupted ? RunEnding.Interrupted : isDone ? RunEnding.Done : RunEnding.Failed,
            Verdict = interrupted && providerFailure == ProviderFailure.None ? Interrupted : error?.Code ?? verdict.Verdict,
            Error = error,
            StderrTail = facts.Stderr.Text(secrets),
            RetryAt = isDone || overBudget || run?.Task is null || verdict.Verdict == RunVerdict.Usage
                ? null
                : interrupted ? null : NextAttemptAt(run.Attempt, providerFailure == ProviderFailure.Overload ? report.ResumeAt : null),
        };
    }

    /// <summary>The end of a run whose agent was never told, or whose work did not pass: its task is tried again only where that may help.</summary>
    public RunEnd Fail(string agentId, Run? run, TaskError error, bool mayPass) => new()
    {
        AgentId = agentId,
        Claim = run?.Claim,
        Ending = RunEnding.Failed,
        Verdict = error.Code,
        Error = error,
        RetryAt = mayPass && run?.Task is not null ? backoff.NextAttemptAt(run.Attempt) : null,
    };

    // If we stopped an agent that its provider refuses, we are the cause, and what the provider said is not.
    private static int StatusOf(RunReport report, StopCause cause, RunVerdict verdict) =>
        verdict.Verdict == RunVerdict.AgentError || cause == StopCause.Deadline ? report.ProviderStatus : 0;

    // Without a route it is the same provider that will be asked; with one, the router keeps the time.
    private DateTimeOffset NextAttemptAt(int attempt, DateTimeOffset? resumeAt)
    {
        var ours = backoff.NextAttemptAt(attempt);
        return provider is null && resumeAt is { } stated && stated > ours ? stated : ours;
    }

    private static TaskError? ErrorFor(in RunFacts facts, RunVerdict verdict) => facts.Cause switch
    {
        StopCause.DaemonStopping => new TaskError(Interrupted, "the daemon stopped while the agent was running"),
        StopCause.Unrecorded => new TaskError(Interrupted, "the agent's start could not be put on record"),
        StopCause.OutputClosed when verdict.Verdict == RunVerdict.Stopped =>
            new TaskError(RunVerdict.Stopped, "closed its standard output and stayed; it was stopped"),
        StopCause.Deadline when facts.Missed is { } missed => new TaskError(RunVerdict.Deadline, missed),
        _ => verdict.Error,
    };
}
