using System.Globalization;
using Colibri.Core.Cost;
using Colibri.Core.Panes;
using Colibri.Core.Settings;

namespace Colibri.Core.Runs;

/// <summary>The facts that limits depend on. Every length of time is measured on the monotonic clock.</summary>
internal readonly record struct RunLook
{
    public required Run Run { get; init; }

    /// <summary>What the agent's events say about this run.</summary>
    public required RunReport Report { get; init; }

    public required DaemonConfiguration Settings { get; init; }

    public required Budgets Budgets { get; init; }

    /// <summary>Since the run began.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>Since the agent was given the prompt; null before.</summary>
    public TimeSpan? Told { get; init; }

    /// <summary>Since the agent's latest sign of work, of this run or an earlier one.</summary>
    public TimeSpan Silent { get; init; }

    /// <summary>For how long it has reported nothing but errors; zero while it reports other things.</summary>
    public TimeSpan Failing { get; init; }

    /// <summary>What the task has cost, in micro-cents, with all of its attempts.</summary>
    public long Spent { get; init; }

    /// <summary>Whether its kind prints events; else only the limit of the whole run applies.</summary>
    public bool PrintsEvents { get; init; }

    /// <summary>Whether it was given a prompt, of its task or of an operator.</summary>
    public bool HasPrompt { get; init; }

    /// <summary>Whether it takes prompts on its standard input, and lives on after a run.</summary>
    public bool IsRpc { get; init; }
}

/// <summary>The finding of a limit.</summary>
/// <param name="Cause">Why the agent has to end; <see cref="StopCause.None"/> if it need not.</param>
/// <param name="Words">For the task's error: the limit, and that the agent was stopped.</param>
/// <param name="IsOver">The run is over, and its agent may live on.</param>
/// <param name="LookAgain">Without a finding: the time until the limit has to be checked again.</param>
internal readonly record struct LimitFinding(StopCause Cause, string? Words, bool IsOver, TimeSpan LookAgain)
{
    /// <summary>The longest time between two looks.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static LimitFinding Nothing { get; } = new(StopCause.None, null, false, Longest);

    public static LimitFinding Over { get; } = new(StopCause.None, null, true, default);

    public bool Ends => Cause != StopCause.None || IsOver;

    public static LimitFinding In(TimeSpan time) => new(StopCause.None, null, false, time < Longest ? time : Longest);

    public static LimitFinding Missed(string words) => new(StopCause.Deadline, words, false, default);
}

/// <summary>
/// The limits of a run, as a list of rules. They are checked in order for the agent's current run, after each event that matters and when the
/// shortest of their times is over. The first rule that ends the run decides. A new limit is a method here and its line in the list.
/// </summary>
internal static class RunLimits
{
    /// <summary>
    /// How long an RPC agent is quiet after a run's end before that end is final. Some versions never say that they are settled, and would
    /// wait for the next prompt for good.
    /// </summary>
    internal static readonly TimeSpan QuietAfterEnd = TimeSpan.FromSeconds(5);

    /// <summary>Checks the budget alone.</summary>
    public static LimitFinding AskBudget(in RunLook look) => Budget(look);

    public static LimitFinding Ask(in RunLook look)
    {
        var soonest = LimitFinding.Longest;
        foreach (var rule in Rules)
        {
            var found = rule(look);
            if (found.Ends)
                return found;
            if (found.LookAgain < soonest)
                soonest = found.LookAgain;
        }
        return LimitFinding.In(soonest);
    }

    private delegate LimitFinding Rule(in RunLook look);

    private static readonly Rule[] Rules = [Budget, RunTime, NothingButErrors, QuietEnd, FirstSign, Silence];

    /// <summary>
    /// A task's budget. A run that has ended well is not ended for money, since its work is paid. A run that background work will wake has not ended.
    /// </summary>
    private static LimitFinding Budget(in RunLook look) =>
        look.Run.Task is null || look.Report is { Outcome: RunOutcome.Done, HasBackgroundWork: false } || !look.Budgets.IsOverTask(look.Spent)
            ? LimitFinding.Nothing
            : new LimitFinding(StopCause.Budget, null, false, default);

    private static LimitFinding RunTime(in RunLook look)
    {
        var limit = look.Settings.RunTimeout;
        return look.Age < limit
            ? LimitFinding.In(limit - look.Age)
            : LimitFinding.Missed($"the run took longer than {Words(limit)} (COLIBRI_RUN_TIMEOUT); it was stopped");
    }

    /// <summary>
    /// An agent that lives on says when a run is over for good, or that it did not take the prompt. Asked after each chunk of output, once its
    /// words are in the session.
    /// </summary>
    public static bool IsSettled(in RunReport report, bool isRpc) =>
        isRpc && !report.HasBackgroundWork && (report.IsSettled || report.PromptRefused is not null);

    /// <summary>Codex without a network says that it reconnects, for ever.</summary>
    private static LimitFinding NothingButErrors(in RunLook look)
    {
        var limit = look.Settings.FirstEventTimeout;
        if (look.Report.Outcome != RunOutcome.Failed || look.Failing == TimeSpan.Zero || look.Silent >= QuietOf(look))
            return LimitFinding.Nothing;
        return look.Failing < limit
            ? LimitFinding.In(limit - look.Failing)
            : LimitFinding.Missed($"said nothing but errors for {Words(limit)} (COLIBRI_FIRST_EVENT_TIMEOUT), the last one: {look.Report.Error ?? "without words"}; it was stopped");
    }

    /// <summary>Some agents never say that a run is settled, and some never exit, so an end followed by quiet is final.</summary>
    private static LimitFinding QuietEnd(in RunLook look)
    {
        // A compaction may take the model minutes. The run goes on after it, and also after background work.
        if (look.Report.Outcome is not (RunOutcome.Done or RunOutcome.Failed) || look.Report.IsCompacting || look.Report.HasBackgroundWork)
            return LimitFinding.Nothing;
        var quiet = QuietOf(look);
        return look.Silent < quiet ? LimitFinding.In(quiet - look.Silent) : LimitFinding.Over;
    }

    /// <summary>An agent that was given a prompt has to begin work. Until then every silence is bounded, also the one after an opening line.</summary>
    private static LimitFinding FirstSign(in RunLook look)
    {
        if (!look.PrintsEvents || !look.HasPrompt || look.Told is not { } told || look.Report.Outcome is not (RunOutcome.Silent or RunOutcome.Idle))
            return LimitFinding.Nothing;
        var limit = look.Settings.FirstEventTimeout;
        var silent = told < look.Silent ? told : look.Silent;
        if (silent < limit)
            return LimitFinding.In(limit - silent);
        return LimitFinding.Missed(look.Run.EventsOf(look.Report) == 0
            ? $"printed no event within {Words(limit)} (COLIBRI_FIRST_EVENT_TIMEOUT); it was stopped"
            : $"went silent after {look.Report.LastEvent} and did not begin to work for {Words(limit)} (COLIBRI_FIRST_EVENT_TIMEOUT); it was stopped");
    }

    private static LimitFinding Silence(in RunLook look)
    {
        if (!look.Settings.StallKill || !look.PrintsEvents || look.Told is null || !IsAtWork(look.Report))
            return LimitFinding.Nothing;
        // A running tool may print nothing for as long as a build or a test takes, and so may an agent that waits for its background work.
        var isTool = (look.Report.HasToolRunning || look.Report.HasBackgroundWork) && look.Settings.ToolTimeout > look.Settings.StallAfter;
        var limit = isTool ? look.Settings.ToolTimeout : look.Settings.StallAfter;
        if (look.Silent < limit)
            return LimitFinding.In(limit - look.Silent);
        return LimitFinding.Missed(isTool
            ? $"printed nothing for {Words(limit)} while {(look.Report.HasToolRunning ? "a tool" : "its background work")} ran (COLIBRI_TOOL_TIMEOUT, COLIBRI_STALL_KILL); it was stopped"
            : $"printed nothing for {Words(limit)} while it worked (COLIBRI_STALL_AFTER, COLIBRI_STALL_KILL); it was stopped");
    }

    // A run that waits after its end for a compaction or for background work is not over. Apart from this, only the run's own limit bounds it.
    private static bool IsAtWork(in RunReport report) => report.Outcome == RunOutcome.Working
        || (report.Outcome is RunOutcome.Done or RunOutcome.Failed && (report.IsCompacting || report.HasBackgroundWork));

    // An agent that announces another try, such as Codex with "Reconnecting...", has not ended: it may wait as long as its provider asks.
    private static TimeSpan QuietOf(in RunLook look)
    {
        var quiet = look.IsRpc ? QuietAfterEnd : look.Settings.ExitTimeout;
        return look.Report.IsRetrying && look.Settings.FirstEventTimeout > quiet ? look.Settings.FirstEventTimeout : quiet;
    }

    private static string Words(TimeSpan span) => span.TotalSeconds < 120
        ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.###} s")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0.#} min");
}
