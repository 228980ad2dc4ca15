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

    /// <summary>What was left of the agent's tree after its process had ended.</summary>
    public LeftProcesses Left { get; init; }

    /// <summary>Which deadline it missed, in words.</summary>
    public string? Missed { get; init; }

    /// <summary>The limit of memory at which the kernel ended its tree; null where it did not.</summary>
    public MemoryExcess? Memory { get; init; }

    /// <summary>What its agent has used in all, in micro-cents.</summary>
    public long AgentSpent { get; init; }

    /// <summary>Since the run began.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>How long the provider asks to wait, from a field; zero for nothing.</summary>
    public TimeSpan Stated { get; init; }
}

/// <summary>
/// Derives a run's end from its facts: verdict, error, and whether and when its task is tried again. Reports how the provider did.
/// </summary>
internal sealed class RunJudge(
    AgentProfile profile, string? provider, ProviderSource source, Budgets budgets, ProviderRouter? router, ProviderHolds? holds, RetryBackoff backoff, Secrets secrets)
{
    /// <summary>The code of a run that the daemon's end interrupted.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>The error code of a run that a fault of the daemon's own cut short; its verdict is <see cref="Interrupted"/>.</summary>
    public const string Internal = "internal";

    public RunEnd Judge(string agentId, in RunFacts facts)
    {
        var (run, cause, stderr) = (facts.Run, facts.Cause, facts.Stderr.Text(secrets));
        var report = WithRefusals(facts.Report, stderr);
        var verdict = RunVerdict.Judge(report, facts.Exit, cause != StopCause.None, profile.PrintsEvents, LastWords(facts), secrets, facts.Left);
        var isDone = verdict.Error is null;
        // No retry after a budget is spent, whatever ended the run: another attempt would cost still more.
        var overBudget = !isDone && run?.Task is not null && budgets.IsOverTask(run.Spent(facts.AgentSpent), run.Rules?.BudgetMicrocents);
        var interrupted = cause is StopCause.DaemonStopping or StopCause.Unrecorded or StopCause.Defect && !isDone && !overBudget && !verdict.IsFinal;
        // Finished work and refused tools come before the provider: another attempt would come to the same, or do the work again.
        var fault = isDone || interrupted || run is null || verdict.IsFinal ? default : FaultOf(facts, verdict);
        var ruling = Report(facts, hasAnswered: isDone || verdict.IsFinished || verdict.Verdict == RunVerdict.Denied, fault, verdict.Error?.Message);
        // What is the provider's fault costs the task no attempt, though not more money than it may spend.
        var isProviders = ruling.IsProviders && !overBudget && run?.Task is not null;
        // A refused key is no fault of the task. If another route is ready, the task goes there at once, and the attempt is given back.
        var isMoved = fault.Failure == ProviderFailure.Authentication && !overBudget && provider is not null && run?.Task is not null
            && router is { IsUsed: true } && router.Choose(profile.Providers) is not null;
        var error = isDone ? null : overBudget ? BudgetStep.ErrorOf(run!.Spent(facts.AgentSpent), budgets, run.Rules) : ErrorFor(facts, verdict);
        if (isProviders)
            error = new TaskError(RunVerdict.Provider, error!.Message);
        // What could not be started may be why it failed.
        if (error is not null && facts.Left.Limit is { } limit)
            error = error with { Message = $"{error.Message}; {limit}" };
        return new RunEnd
        {
            AgentId = agentId,
            Claim = run?.Claim,
            Ending = interrupted || isProviders || isMoved ? RunEnding.Interrupted : isDone ? RunEnding.Done : RunEnding.Failed,
            Verdict = interrupted ? Interrupted : error?.Code ?? verdict.Verdict,
            Error = error,
            StderrTail = stderr,
            Denied = report.Signs.Denied,
            Remark = RemarkOf(report, facts.Left, verdict),
            RetryAt = isDone || overBudget || run?.Task is null || verdict.IsFinal
                ? null
                : interrupted || isMoved ? null
                : isProviders ? RetryAfter(ruling, StatedBy(facts, fault) > TimeSpan.Zero ? report.ResumeAt : null)
                : NextAttemptAt(run.Attempt, fault.Failure is ProviderFailure.Overload or ProviderFailure.Limit ? report.ResumeAt : null),
        };
    }

    private string? LastWords(in RunFacts facts) => facts.Stderr.LastLine(secrets) is { } line ? profile.WordsIn?.Invoke(line) ?? line : null;

    // Of an agent whose events tell of no refusal, the lines on standard error are all there is. When each call was refused they do not say, so they
    // decide only where no call succeeded at all.
    private RunReport WithRefusals(in RunReport report, string? stderr)
    {
        if (profile.RefusalIn is not { } refusalIn || stderr is null || report.Signs.Denied is not null)
            return report;
        IReadOnlyList<DeniedTool>? denied = null;
        foreach (var line in stderr.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (refusalIn(line) is { } refusal)
                denied = DeniedCalls.With(denied, refusal.Tool, secrets.Excerpt(refusal.Reason, DeniedCalls.MaxReasonChars));
        }
        return denied is null ? report : report with { Signs = report.Signs with { Denied = denied, MovesAtDenial = 0 } };
    }

    /// <summary>What the verdict does not say.</summary>
    private static string? RemarkOf(in RunReport report, LeftProcesses left, in RunVerdict verdict)
    {
        List<string> remarks = [];
        if (report.Signs.Denied is { } denied && verdict.Verdict != RunVerdict.Denied)
            remarks.Add($"refused: {string.Join(", ", denied.Select(tool => $"{tool.Tool} ({tool.Count})"))}");
        if (report.Signs.Overcome is { } overcome && verdict.Error is null)
            remarks.Add($"an error was overcome: {overcome.ReplaceLineEndings(" ")}");
        if (left.Count > 0 && verdict.Verdict != RunVerdict.Background)
            remarks.Add($"left when it exited, and ended: {left}");
        if (left.Limit is { } limit && verdict.Error is null)
            remarks.Add(limit);
        return remarks.Count == 0 ? null : string.Join("; ", remarks);
    }

    /// <summary>Tells who holds the provider how it did.</summary>
    private ProviderRuling Report(in RunFacts facts, bool hasAnswered, ProviderFault fault, string? error)
    {
        if (holds is null || facts.Run is not { } run)
            return default;
        if (fault.IsProviders)
            return holds.Failed(source, fault, error, run.TaskId, facts.Age, StatedBy(facts, fault));
        if (hasAnswered)
            holds.Answered(source, run.TaskId, facts.Age, isDone: true);
        else
            holds.Release(source, run.TaskId);
        return default;
    }

    /// <summary>
    /// What a failed run says of its provider. Only the error that its kind reports counts, and the last line of standard error of a program that
    /// began no run. An operator's stop, a spent budget and a limit of memory say nothing.
    /// </summary>
    private ProviderFault FaultOf(in RunFacts facts, RunVerdict verdict)
    {
        var report = facts.Report;
        if (!profile.PrintsEvents || facts.Cause is StopCause.Requested or StopCause.Budget or StopCause.Memory || facts.Memory is not null)
            return default;
        var hasWorked = facts.Run!.HasAnswerIn(report);
        // An agent with a refused key may say so in its answer to the prompt already.
        if (report.PromptRefused is { } refused)
            return ProviderFailures.Fault(report.ProviderStatus, refused, hasWorked);
        if (report.Outcome == RunOutcome.Failed && verdict.Verdict is RunVerdict.AgentError or RunVerdict.Stopped)
            return ProviderFailures.Fault(StatusOf(report, facts.Cause, verdict), report.Error, hasWorked) is { IsProviders: true } said ? said with { IsStated = said.IsStated || facts.Stated >= ProviderHold.FirstWait } : default;
        if (facts.Cause == StopCause.Deadline)
        {
            return report.ProviderStatus != 0 ? ProviderFailures.Fault(report.ProviderStatus, null, hasWorked)
                : report.IsRetrying || report is { IsFailing: true, Error: null } ? new ProviderFault(ProviderFailure.Unreachable, IsStated: false)
                : report.IsFailing ? ProviderFailures.Fault(0, report.Error, hasWorked)
                : report.Outcome is RunOutcome.Silent or RunOutcome.Idle ? new ProviderFault(ProviderFailure.Silence, IsStated: false)
                : default;
        }
        return report.Outcome is RunOutcome.Silent or RunOutcome.Idle && verdict.Verdict is RunVerdict.ExitCode or RunVerdict.NoResult
            ? ProviderFailures.Fault(0, LastWords(facts), hasWorked: true)
            : default;
    }

    // A wait of seconds beside words alone is the agent's own back-off between its tries, as Claude Code tells it.
    private static TimeSpan StatedBy(in RunFacts facts, ProviderFault fault) => fault.IsStated ? facts.Stated : TimeSpan.Zero;

    // Without routes the time that the provider states counts, so that the board shows it. With routes the router keeps that time.
    private DateTimeOffset? RetryAfter(ProviderRuling ruling, DateTimeOffset? resumeAt) => provider is null && resumeAt is not null ? resumeAt : ruling.RetryAt;

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
        StopCause.DaemonStopping when !verdict.IsFinal => new TaskError(Interrupted, "the daemon stopped while the agent was running"),
        StopCause.Unrecorded when !verdict.IsFinal => new TaskError(Interrupted, "the agent's start could not be put on record"),
        StopCause.Defect when !verdict.IsFinal => new TaskError(Internal, "the daemon failed while it read the agent's output; its log says how"),
        StopCause.OutputClosed when verdict.Verdict == RunVerdict.Stopped =>
            new TaskError(RunVerdict.Stopped, "closed its standard output and stayed; it was stopped"),
        StopCause.InputUnread when facts.Missed is { } unread && verdict.Verdict == RunVerdict.Stopped => new TaskError(RunVerdict.Stopped, $"{unread}; it was stopped"),
        StopCause.Deadline when facts.Missed is { } missed => new TaskError(RunVerdict.Deadline, missed),
        StopCause.Memory when facts.Missed is { } over => new TaskError(RunVerdict.Memory, over),
        StopCause.None when facts.Memory is { } excess => new TaskError(RunVerdict.Memory, excess.Words),
        _ => verdict.Error,
    };
}
