using Colibri.Core.Board;
using Colibri.Core.Panes;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>
/// One attempt at one task by one agent, from the claim to the outcome on disk. Every rule (limits, money, verdict) applies to the run and not
/// to its agent: a one-shot agent has one run in its life, a resident agent many. An operator's prompt is a run without a task.
/// </summary>
/// <param name="begun">The claim's answer; null for a run without a task.</param>
/// <param name="sessionId">The session that it is logged to.</param>
/// <param name="baseline">The agent's counters before the run.</param>
/// <param name="since">When it began, on the monotonic clock.</param>
internal sealed class Run(RunBegun? begun, string sessionId, RunBaseline baseline, long since)
{
    private readonly Lock _gate = new();
    private RunState _state;
    private volatile string? _refusal;
    private volatile LastWords? _lastWords;
    private long _toldAt;

    /// <summary>The whole task as the claim returned it; null for an operator's prompt.</summary>
    public BoardTask? Task { get; } = begun?.Task;

    public string? TaskId => Task?.Id;

    /// <summary>The token that every statement about this run names; null without a task.</summary>
    public RunClaim? Claim { get; } = begun?.Claim;

    public string SessionId { get; } = sessionId;

    /// <summary>Its place in a trace; null without a task.</summary>
    public RunTrace? Trace { get; } = begun?.Trace;

    /// <summary>From 1.</summary>
    public int Attempt => Task?.Attempts ?? 1;

    /// <summary>When it began, on the monotonic clock.</summary>
    public long Since { get; } = since;

    /// <summary>When its agent was given the prompt, on the monotonic clock; null before.</summary>
    public long? ToldAt => Volatile.Read(ref _toldAt) is not 0 and var at ? at : null;

    /// <summary>Why the agent did not take the prompt.</summary>
    public string? Refusal
    {
        get => _refusal;
        set => _refusal = value;
    }

    /// <summary>Its own limits.</summary>
    public RunRules? Rules { get; set; }

    /// <summary>Where it works; null before the step that places it, and for an operator's prompt.</summary>
    public RunPlace? Place { get; set; }

    /// <summary>
    /// Whether its agent has to end with it: its place is given back then, or something is run there in the agent's name.
    /// </summary>
    public bool NeedsAgentsEnd { get; set; }

    /// <summary>Its agent's directory, where its agent lives already or its request states one; null where the task decides.</summary>
    public string? FixedDirectory { get; init; }

    /// <summary>Whether its agent lived before it, so that the task is told and nothing is started.</summary>
    public bool IsOfLivingAgent { get; init; }

    /// <summary>The agent's own session of the task's runs before; null where there is none, and where the run begins anew.</summary>
    public EarlierSession? Earlier { get; set; }

    /// <summary>The agent's own session that it goes on in; null where it begins anew.</summary>
    public Conversation? TakenUp { get; set; }

    /// <summary>What its steps may do in its agent's name.</summary>
    public IRunSite? Site { get; set; }

    /// <summary>What it left in its workspace.</summary>
    public WorkChange? Change { get; set; }

    /// <summary>How its check ended.</summary>
    public TaskCheck? Check { get; set; }

    /// <summary>What its agent is to be told, in another run; null where nothing is.</summary>
    public string? Feedback { get; set; }

    /// <summary>The agent has said something in it. Called by the thread that reads the agent's output.</summary>
    public void Heard(string words) => _lastWords = new LastWords(words);

    /// <summary>What the agent said last in it; null where it said nothing.</summary>
    /// <param name="secrets">The keys to redact.</param>
    public TaskResult? Result(Secrets secrets) => _lastWords?.Result(secrets);

    public RunState State
    {
        get
        {
            lock (_gate) return _state;
        }
    }

    public bool IsOver => State >= RunState.Ended;

    /// <summary>How long its agent had waited for answers before it.</summary>
    public TimeSpan WaitedBefore { get; } = baseline.Waited;

    /// <summary>Takes the step of <see cref="RunTable"/>.</summary>
    /// <returns>The action that the caller has to perform. Of several concurrent callers one gets it.</returns>
    public RunAction On(RunEvent happened)
    {
        lock (_gate)
        {
            var from = _state;
            _state = RunTable.Next(from, happened);
            return RunTable.ActionOf(from, _state);
        }
    }

    /// <summary>Its agent was given the prompt.</summary>
    /// <param name="now">On the monotonic clock.</param>
    public void Told(long now)
    {
        Interlocked.CompareExchange(ref _toldAt, now, 0);
        On(RunEvent.Told);
    }

    /// <summary>What the agent's events say about this run, without those of earlier runs.</summary>
    public RunReport Of(RunReport report)
    {
        var signs = report.Signs;
        if (baseline.Runs is { } before && report.Runs <= before)
            report = new RunReport(RunOutcome.Idle, IsSettled: false, default, null, report.LastEvent) { Runs = report.Runs, Events = report.Events, Answers = report.Answers };
        if (baseline.Runs is not null)
            report = report with { Signs = signs.Since(baseline.Signs, baseline.Events) };
        return Refusal is { } refusal && report.Outcome is RunOutcome.Silent or RunOutcome.Idle ? report with { PromptRefused = refusal } : report;
    }

    /// <summary>How many events its agent has printed since the run began.</summary>
    public long EventsOf(RunReport report) => report.Events - baseline.Events;

    /// <summary>Whether the model has answered since the run began.</summary>
    public bool HasAnswerIn(RunReport report) => report.Answers > baseline.Answers;

    /// <summary>Whether the answer was told to whom it concerns. Set by the thread that reads the agent's output.</summary>
    public bool IsAnswerTold { get; set; }

    /// <summary>What the task has cost by now, in micro-cents: its earlier attempts, and what its agent has used in this one.</summary>
    /// <param name="agentSpent">What the agent has used in all.</param>
    public long Spent(long agentSpent) => (Task?.Usage.CostMicrocents ?? 0) + agentSpent - baseline.Spent;
}

/// <summary>An agent's counters when a run began; default for the run that it was started with.</summary>
/// <param name="Runs">How often it had gone to work; null for the run that it was started with.</param>
/// <param name="Events">How many events it had printed.</param>
/// <param name="Spent">What it had cost, in micro-cents.</param>
/// <param name="Signs">What its events had shown.</param>
/// <param name="Answers">How often the model had answered.</param>
internal readonly record struct RunBaseline(long? Runs, long Events, long Spent, RunSigns Signs = default, long Answers = 0)
{
    /// <summary>How long it had waited for answers.</summary>
    public TimeSpan Waited { get; init; }

    public static RunBaseline Of(RunReport report, Usage usage) => new(report.Runs, report.Events, usage.CostMicrocents, report.Signs, report.Answers);
}
