using Colibri.Core.Agents.Kinds;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Panes;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>The facts about a run at its end.</summary>
internal readonly record struct RunFacts
{
    /// <summary>Null for an agent that ends between two runs.</summary>
    public required Run? Run { get; init; }

    /// <summary>What the agent's events say about the run.</summary>
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

/// <summary>
/// Derives a run's end from its facts: verdict, error, and whether and when its task is tried again. Reports to the router how the provider did.
/// </summary>
internal sealed class RunJudge(AgentProfile profile, string? provider, string? model, Budgets budgets, ProviderRouter? router, RetryBackoff backoff, Secrets secrets)
{
    /// <summary>The code of a run that the daemon's end interrupted.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>The error code of a run that a fault of the daemon's own cut short; its verdict is <see cref="Interrupted"/>.</summary>
    public const string Internal = "internal";

    public RunEnd Judge(string agentId, in RunFacts facts)
    {
        var (run, report, cause) = (facts.Run, facts.Report, facts.Cause);
        var verdict = RunVerdict.Judge(report, facts.Exit, cause != StopCause.None, profile.PrintsEvents, facts.Stderr.LastLine(secrets), secrets);
        var isDone = verdict.Error is null;
        // No retry after a budget is spent, whatever ended the run: another attempt would cost still more.
        var overBudget = !isDone && run?.Task is not null && budgets.IsOverTask(run.Spent(facts.AgentSpent));
        var interrupted = cause is StopCause.DaemonStopping or StopCause.Unrecorded && !isDone && !overBudget;
        var providerFailure = isDone ? ProviderFailure.None : ProviderFailures.Of(StatusOf(report, cause, verdict), verdict.Error?.Message);
        if (provider is not null && (isDone || providerFailure != ProviderFailure.None))
            router?.Report(provider, model, providerFailure, verdict.Error?.Message, report.ResumeAt);
        // A refused key is no fault of the task. If another route is ready, the task goes there at once, and the attempt is given back.
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

    /// <summary>The end of a run whose agent got no prompt, or whose work failed a check. Its task is tried again only where that may help.</summary>
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

    // Without routes the same provider is asked again, so its time counts. With routes the router keeps that time.
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
