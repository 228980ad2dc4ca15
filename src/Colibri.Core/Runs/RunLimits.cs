using Colibri.Core.Cost;
using Colibri.Core.Panes;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>The facts that limits depend on. Every length of time is measured on the monotonic clock.</summary>
internal readonly record struct RunLook
{
    public required Run Run { get; init; }

    /// <summary>What the agent's events say about this run.</summary>
    public required RunReport Report { get; init; }

    public required DaemonConfiguration Settings { get; init; }

    public required Budgets Budgets { get; init; }

    /// <summary>The run's own limits; null where the daemon's apply.</summary>
    public RunRules? Rules { get; init; }

    /// <summary>Where a limit is set, for a person.</summary>
    public string NameOf(string setting) => Rules?.NameOf(setting) ?? setting;

    /// <summary>Since the run began, without the time in which it waited for answers that could be given.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>Since the agent was given the prompt; null before.</summary>
    public TimeSpan? Told { get; init; }

    /// <summary>What the agent's events say about silence, tools and questions, of this run or an earlier one.</summary>
    public PaneTimes Times { get; init; }

    /// <summary>The open question; null where there is none, or none that has an id to answer it by.</summary>
    public AgentQuestion? Question { get; init; }

    /// <summary>What the task has cost, in micro-cents, with all of its attempts.</summary>
    public long Spent { get; init; }

    /// <summary>The limit of memory that a look has found its tree over; null where it keeps it, where the kernel keeps it, and without one.</summary>
    public MemoryExcess? Memory { get; init; }

    /// <summary>Whether what it has printed is being written to its session: <see cref="Times"/> says nothing then of silence and of tools.</summary>
    public bool IsTakenIn { get; init; }

    /// <summary>Whether its kind prints events; else only the limits of the whole run and of a question apply.</summary>
    public bool PrintsEvents { get; init; }

    /// <summary>Whether it was given a prompt, of its task or of an operator.</summary>
    public bool HasPrompt { get; init; }

    /// <summary>Whether it takes prompts and answers on its standard input, and lives on after a run.</summary>
    public bool IsRpc { get; init; }

    /// <summary>The last line on standard error, redacted; null where there is none, or where nobody asks.</summary>
    public Func<string?>? StderrLine { get; init; }

    /// <summary>Redacts and cuts what is quoted.</summary>
    public Secrets? Secrets { get; init; }

    /// <summary>Whether somebody can answer what it asks.</summary>
    public bool CanBeAnswered => IsRpc && Question is not null;

    /// <summary>Since its latest sign of work in this run, or the prompt.</summary>
    public TimeSpan Silent => Within(Times.Silent);

    /// <summary>For how long it has reported nothing but errors in this run.</summary>
    public TimeSpan Failing => Within(Times.Failing);

    /// <summary>From the first of those errors to the latest.</summary>
    public TimeSpan FailedFor => Failing - Within(Times.SinceFailure);

    private TimeSpan Within(TimeSpan time) => Told is { } told && told < time ? told : time;
}

/// <summary>The finding of a limit.</summary>
/// <param name="Cause">Why the agent has to end; <see cref="StopCause.None"/> if it need not.</param>
/// <param name="Words">For the task's error: the limit, that the agent was stopped, what it said last, and what to do.</param>
/// <param name="IsOver">The run is over, and its agent may live on.</param>
/// <param name="LookAgain">Without a finding: the time until the limit has to be checked again.</param>
internal readonly record struct LimitFinding(StopCause Cause, string? Words, bool IsOver, TimeSpan LookAgain)
{
    /// <summary>The longest time between two looks.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static LimitFinding Nothing { get; } = new(StopCause.None, null, false, Longest);

    public static LimitFinding Over { get; } = new(StopCause.None, null, true, default);

    /// <summary>The permission that the agent asks for is to be refused, because nobody has answered in time; the run goes on.</summary>
    public bool Rejects { get; private init; }

    public bool Ends => Cause != StopCause.None || IsOver || Rejects;

    /// <param name="words">For the task's error, where the refusal cannot be said.</param>
    public static LimitFinding Rejected(string words) => new(StopCause.None, words, false, default) { Rejects = true };

    public static LimitFinding In(TimeSpan time) => new(StopCause.None, null, false, time < Longest ? time : Longest);

    public static LimitFinding Missed(string words) => new(StopCause.Deadline, words, false, default);
}

/// <summary>
/// The limits of a run, as a list of rules. They are checked in order for the agent's current run, after each event that matters and when the
/// shortest of their times is over. The first rule that ends the run decides. A new limit is a method here and its line in the list.
/// </summary>
/// <remarks>
/// Silence, waiting and work are three things. An agent at work is silent for <c>COLIBRI_SILENCE_TIMEOUT</c> at most. A tool call has
/// <c>COLIBRI_TOOL_TIMEOUT</c>, whatever is printed meanwhile. A question that can be answered waits for <c>COLIBRI_QUESTION_TIMEOUT</c>, and
/// that time is no part of the run's; a question that nobody can answer is silence.
/// </remarks>
internal static class RunLimits
{
    /// <summary>
    /// How long an RPC agent is quiet after a run's end before that end is final. Some versions never say that they are settled, and would
    /// wait for the next prompt for good.
    /// </summary>
    internal static readonly TimeSpan QuietAfterEnd = TimeSpan.FromSeconds(5);

    /// <summary>The time to the next look while what the agent has printed is being written.</summary>
    internal static readonly TimeSpan WhileTakenIn = TimeSpan.FromSeconds(1);

    /// <summary>Checks the budget alone.</summary>
    public static LimitFinding AskBudget(in RunLook look) => Budget(look);

    /// <summary>Checks the memory alone.</summary>
    public static LimitFinding AskMemory(in RunLook look) => Memory(look);

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
        // What it waits for is not counted meanwhile, and nothing may tell when that is over.
        return LimitFinding.In(look.IsTakenIn && soonest > WhileTakenIn ? WhileTakenIn : soonest);
    }

    private delegate LimitFinding Rule(in RunLook look);

    private static readonly Rule[] Rules = [Budget, Memory, RunTime, NothingButErrors, QuietEnd, FirstSign, ToolTime, Question, Silence];

    /// <summary>
    /// A task's budget. A run that has ended well is not ended for money, since its work is paid. A run that background work will wake has not ended.
    /// </summary>
    private static LimitFinding Budget(in RunLook look) =>
        look.Run.Task is null || look.Report is { Outcome: RunOutcome.Done, HasBackgroundWork: false } || !look.Budgets.IsOverTask(look.Spent, look.Rules?.BudgetMicrocents)
            ? LimitFinding.Nothing
            : new LimitFinding(StopCause.Budget, null, false, default);

    /// <summary>The memory of the agent's tree. What it printed does not change it, so it is asked for at once when a look has found it.</summary>
    private static LimitFinding Memory(in RunLook look) =>
        look.Memory is { } excess ? new LimitFinding(StopCause.Memory, excess.Words, false, default) : LimitFinding.Nothing;

    private static LimitFinding RunTime(in RunLook look)
    {
        var limit = look.Settings.RunTimeout;
        return look.Age < limit ? LimitFinding.In(limit - look.Age) : LimitFinding.Missed(DeadlineWords.OfRun(look, limit));
    }

    /// <summary>
    /// An agent that lives on says when a run is over for good, or that it did not take the prompt. Asked after each chunk of output, once its
    /// words are in the session.
    /// </summary>
    public static bool IsSettled(in RunReport report, bool isRpc) =>
        isRpc && !report.HasBackgroundWork && (report.IsSettled || report.PromptRefused is not null);

    /// <summary>
    /// Codex without a network says that it reconnects, for ever; Claude Code and Pi say that they try again. A wait that the agent states, as
    /// its provider asked for, is added to the time. An agent at work is measured to its latest error: what follows may be the wait for a long
    /// answer, and <see cref="Silence"/> bounds it.
    /// </summary>
    private static LimitFinding NothingButErrors(in RunLook look)
    {
        var isQuiet = look.Report.Outcome == RunOutcome.Failed && look.Times.Quiet >= QuietOf(look);
        if (look.Report.Outcome is not (RunOutcome.Failed or RunOutcome.Working) || look.Failing == TimeSpan.Zero || isQuiet || look.Report.IsCompacting)
            return LimitFinding.Nothing;
        var limit = look.Settings.FirstEventTimeout + look.Times.StatedWait;
        var failing = look.Report.Outcome == RunOutcome.Working ? look.FailedFor : look.Failing;
        return failing < limit ? LimitFinding.In(limit - failing) : LimitFinding.Missed(DeadlineWords.OfErrors(look, limit));
    }

    /// <summary>Some agents never say that a run is settled, and some never exit, so an end followed by quiet is final.</summary>
    private static LimitFinding QuietEnd(in RunLook look)
    {
        // A compaction may take the model minutes. The run goes on after it, and also after background work.
        if (look.Report.Outcome is not (RunOutcome.Done or RunOutcome.Failed) || look.Report.IsCompacting || look.Report.HasBackgroundWork)
            return LimitFinding.Nothing;
        var quiet = QuietOf(look);
        return look.Times.Quiet < quiet ? LimitFinding.In(quiet - look.Times.Quiet) : LimitFinding.Over;
    }

    /// <summary>An agent that was given a prompt has to begin work. Until then every silence is bounded, also the one after an opening line.</summary>
    private static LimitFinding FirstSign(in RunLook look)
    {
        if (!look.PrintsEvents || !look.HasPrompt || look.Told is null || look.Report.Outcome is not (RunOutcome.Silent or RunOutcome.Idle))
            return LimitFinding.Nothing;
        var limit = look.Settings.FirstEventTimeout;
        return look.Silent < limit ? LimitFinding.In(limit - look.Silent) : LimitFinding.Missed(DeadlineWords.OfFirstSign(look, limit));
    }

    /// <summary>
    /// One tool call, however much is printed meanwhile. The time in which a question waits for its answer is not the tool's.
    /// </summary>
    private static LimitFinding ToolTime(in RunLook look)
    {
        if (!look.PrintsEvents || look.Told is null || look.Times.Tool is not { } tool || IsAsked(look))
            return LimitFinding.Nothing;
        var limit = look.Settings.ToolTimeout;
        return tool < limit ? LimitFinding.In(limit - tool) : LimitFinding.Missed(DeadlineWords.OfTool(look, limit));
    }

    /// <summary>A question. One that nobody can answer is bounded as silence is.</summary>
    private static LimitFinding Question(in RunLook look)
    {
        if (look.Told is null || !IsAsked(look))
            return LimitFinding.Nothing;
        if ((look.CanBeAnswered ? look.Settings.QuestionTimeout : SilenceOf(look)) is not { } limit)
            return LimitFinding.Nothing;
        if (look.Times.Asked < limit)
            return LimitFinding.In(limit - look.Times.Asked);
        return look.Question?.Method == AgentQuestion.Permission ? LimitFinding.Rejected(DeadlineWords.OfQuestion(look, limit)) : LimitFinding.Missed(DeadlineWords.OfQuestion(look, limit));
    }

    /// <summary>No sign of work, while no tool of its own explains it.</summary>
    private static LimitFinding Silence(in RunLook look)
    {
        if (!look.PrintsEvents || look.Told is null || look.Times.Tool is not null || IsAsked(look) || !IsAtWork(look))
            return LimitFinding.Nothing;
        // An agent that waits for its background work may say nothing for as long as a tool. One that waits for its provider has said for how long.
        var limit = look.Report.HasBackgroundWork ? look.Settings.ToolTimeout : SilenceOf(look) + look.Times.StatedWait;
        return look.Silent < limit ? LimitFinding.In(limit - look.Silent) : LimitFinding.Missed(DeadlineWords.OfSilence(look, limit));
    }

    /// <summary>How long an agent at work may be silent.</summary>
    internal static TimeSpan SilenceOf(in RunLook look) => IsByStall(look) ? look.Settings.StallAfter : look.Settings.SilenceTimeout;

    /// <summary>Whether <c>COLIBRI_STALL_AFTER</c> ends an agent sooner.</summary>
    internal static bool IsByStall(in RunLook look) => look.Settings.StallKill && look.Settings.StallAfter < look.Settings.SilenceTimeout;

    // A question that was answered is none: the agent has to go on.
    private static bool IsAsked(in RunLook look) => look.Report.Outcome == RunOutcome.Blocked && (!look.IsRpc || look.Question is not null);

    // A run that waits after its end for a compaction or for background work is not over. Apart from this, only the run's own limit bounds it.
    private static bool IsAtWork(in RunLook look) => look.Report.Outcome switch
    {
        RunOutcome.Working or RunOutcome.Blocked => true,
        // After its opening line. A long-lived agent without a prompt waits for one.
        RunOutcome.Idle => (look.HasPrompt || !look.IsRpc) && look.Run.EventsOf(look.Report) > 0,
        RunOutcome.Silent => false,
        _ => look.Report.IsCompacting || look.Report.HasBackgroundWork,
    };

    // An agent that announces another try, such as Codex with "Reconnecting...", has not ended: it may wait as long as its provider asks.
    private static TimeSpan QuietOf(in RunLook look)
    {
        var quiet = look.IsRpc ? QuietAfterEnd : look.Settings.ExitTimeout;
        var retry = look.Settings.FirstEventTimeout + look.Times.StatedWait;
        return look.Report.IsRetrying && retry > quiet ? retry : quiet;
    }
}
