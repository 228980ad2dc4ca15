using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Agents.Transports;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Panes;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Prompts;
using Colibri.Core.Settings;
using Colibri.Posix.Polling;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

/// <summary>
/// The runs of one agent, one after another. Long because a run's way from the claim to the disk is told in one place. A one-shot agent has one, a resident many: all begin with <see cref="Enter"/> and end with
/// <see cref="EndRunAsync"/>, and what the agent prints acts on the run that it is at in <see cref="Take"/>.
/// </summary>
internal sealed class AgentRuns
{
    /// <summary>The grace of an agent over its budget or its memory is short, because what it does before its end still costs, or takes more.</summary>
    private static readonly TimeSpan ShortGrace = TimeSpan.FromMilliseconds(400);

    private readonly SupervisorParts _parts;
    private readonly AgentProfile _profile;
    private readonly SupervisedAgent _agent;
    private readonly AgentPane _pane;
    private readonly IAgentTransport? _transport;
    private readonly Action _rested;
    private readonly RunUsage _usage;
    private readonly RunJudge _judge;
    private readonly RunWatch _watch;
    private readonly string _ownSession;
    private readonly Func<string?> _stderrLine;
    private readonly string _givenSession = Guid.NewGuid().ToString();

    private SpawnRequest _request;
    private Run? _run;
    private RunPhase _seen;
    private volatile string? _missed;
    private int _isClosed;
    private long _lostBefore;
    private volatile Task _finishing = Task.CompletedTask;

    /// <param name="parts">The parts that the supervisor's agents share.</param>
    /// <param name="backoff">When a failed attempt is tried again.</param>
    /// <param name="request">The request that the agent was started with.</param>
    /// <param name="agent">The agent.</param>
    /// <param name="pane">The agent's pane.</param>
    /// <param name="transport">How it is told things on its standard input; null where it takes no prompts there.</param>
    /// <param name="rested">Called when the agent is free for another run; must not block.</param>
    public AgentRuns(SupervisorParts parts, RetryBackoff backoff, SpawnRequest request, SupervisedAgent agent, AgentPane pane, IAgentTransport? transport, Action rested)
    {
        (_parts, _request, _agent, _pane, _transport, _rested) = (parts, request, agent, pane, transport, rested);
        _profile = request.Kind;
        _ownSession = pane.SessionId!;
        var pricing = SupervisedAgent.PricingOf(parts, request);
        _usage = new RunUsage(parts.Board, parts.Budgets, pricing, agent.Id, parts.Logger)
        {
            CostIsAwaited = (provider, model) => parts.UnseenCosts.Report(agent.Id, agent.Name, CostWords, provider, model),
        };
        Source = ProviderSource.Of(request.Provider, request.Model, request.Arguments, _profile.Provider, agent.Record.Binary);
        _judge = new RunJudge(_profile, request.Provider, Source, parts.Budgets, parts.Router, parts.Holds, backoff, parts.Secrets);
        _watch = new RunWatch(parts.Time, Look, EndBy, agent.CatchUpAsync);
        _stderrLine = () => agent.StderrTail.LastLine(parts.Secrets);
        Recorder = new SessionRecorder(parts.Sessions);
    }

    /// <summary>The agent's current run; null while it is at rest.</summary>
    public Run? Current => Volatile.Read(ref _run);

    /// <summary>The session of the current run, else the agent's own; for an agent that has ended, that of its last run.</summary>
    public string SessionId => _pane.SessionId!;

    /// <summary>Whether a prompt is held, which may take megabytes.</summary>
    public bool HoldPrompt => Current is not null || _request.Prompt is not null;

    /// <summary>Whom the agent asks.</summary>
    public ProviderSource Source { get; }

    /// <summary>Writes what the agent says into its session.</summary>
    public SessionRecorder Recorder { get; }

    private StopCause Cause => _agent.Cause;

    private string? CostWords => _profile.Cost switch
    {
        CostReport.AtItsEnd => "tells its cost only at its end",
        CostReport.Never => "never tells its cost",
        _ => null,
    };

    /// <summary>Persists the agent before its process is started; with a task, claims it and opens the run.</summary>
    /// <param name="record">The agent.</param>
    /// <returns>The board's answer; after a refusal nothing is persisted.</returns>
    /// <exception cref="BoardUnavailableException">The disk refused, so nothing was begun.</exception>
    public async Task<RunBegun> BeginAsync(AgentRecord record)
    {
        var begun = await _parts.Runs.BeginAsync(StartOf(_request.TaskId) with
        {
            Agent = record,
            ReplacesSession = _request.SessionId is not null,
            Arguments = ArgumentsOf,
            Session = (task, earlier) => GoingOn.SessionOf(_profile, _request, task, earlier, _givenSession),
        }).ConfigureAwait(false);
        if (begun.Outcome != EdgeOutcome.Applied)
            return begun;
        var session = begun.Task?.SessionId ?? _ownSession;
        var prompt = AgentLaunch.PromptOf(_request, begun.Task);
        // A program that gets no prompt and prints no events has no run: the operator started it for a purpose of their own.
        if (begun.Task is not null || prompt is not null || (_transport is null && _profile.PrintsEvents))
            Enter(new Run(begun, session, default, _parts.Time.GetTimestamp()) { FixedDirectory = _request.Cwd, Earlier = begun.Earlier, TakenUp = TakenUpOf(begun) });
        return begun;
    }

    /// <summary>Performs the steps before the prompt.</summary>
    /// <returns>Why the run fails and no process is started; null if all steps succeeded.</returns>
    public Task<TaskError?> PlaceAsync() => Current is { } run ? PlaceAsync(run) : Task.FromResult<TaskError?>(null);

    /// <summary>The launch for the run that was begun.</summary>
    public AgentLaunch Launch()
    {
        var run = Current;
        if (run?.Earlier is { } earlier)
            TellHowItBegins(run, earlier);
        return new AgentLaunch(_profile, _request, run?.Task, Injection, SessionId, SkillsOf(run?.Task), run?.Earlier, _givenSession);
    }

    /// <summary>Watches the limits until the agent has ended.</summary>
    public Task WatchAsync(CancellationToken ended) => _watch.RunAsync(ended);

    /// <summary>Claims a task for an agent at rest and gives it the prompt.</summary>
    /// <returns>False if the agent or the task was no longer free.</returns>
    /// <exception cref="BoardUnavailableException">The disk refused, so nothing was begun.</exception>
    public async Task<bool> TryAssignAsync(string taskId)
    {
        // Reserves the agent, so that no other caller gives it a task or a prompt while the claim is under way.
        var reserved = new Run(null, _ownSession, Baseline, _parts.Time.GetTimestamp());
        if (!_agent.IsAtRest || Interlocked.CompareExchange(ref _run, reserved, null) is not null)
            return false;
        RunBegun? begun = null;
        try
        {
            begun = await _parts.Runs.BeginAsync(StartOf(taskId)).ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            // The agent has ended meanwhile.
        }
        finally
        {
            if (begun?.Outcome != EdgeOutcome.Applied)
                Volatile.Write(ref _run, null);
        }
        if (begun is not { Outcome: EdgeOutcome.Applied, Task: { } task })
            return false;
        var run = new Run(begun, task.SessionId!, Baseline, reserved.Since) { FixedDirectory = _agent.Directory, IsOfLivingAgent = true };
        Enter(run);
        // The agent's end and this claim may pass each other. The end closes the run that it sees; one that it does not see is closed here.
        if (Interlocked.CompareExchange(ref _isClosed, 0, 0) != 0)
        {
            run.On(RunEvent.Ended);
            await EndRunAsync(run, InterruptedBeforeItWasTold(run)).ConfigureAwait(false);
            return false;
        }
        _parts.Logger.TaskAssigned(_agent.Id, taskId);
        _ = Watched("giving a task to", WorkOnAsync(run, task));
        return true;
    }

    /// <summary>Sends a prompt to a long-lived agent: a run of its own if the agent is at rest, else an addition to its current run.</summary>
    public async Task<RpcReply> TellAsync(string text)
    {
        if (_transport is null)
            return RpcReply.Refused("it takes no prompts on standard input: it was started for one run");
        var run = new Run(null, _ownSession, Baseline, _parts.Time.GetTimestamp());
        var isNew = !_pane.IsBusy && Cause == StopCause.None && !_agent.HasEnded
            && Interlocked.CompareExchange(ref _run, run, null) is null;
        // What is sent before the current run's own prompt would be taken for it.
        if (!isNew && Current is { ToldAt: null })
            return RpcReply.Unsent("it is being given a task or a prompt; try again");
        // What is sent behind the end of a run would belong to none.
        if (!isNew && (Cause != StopCause.None || Current is { IsOver: true }))
            return RpcReply.Unsent("its run is ending; try again");
        try
        {
            await LogAsync(SessionId, new SessionEntry { Kind = SessionEntryKind.User, Text = text }).ConfigureAwait(false);
        }
        catch when (isNew)
        {
            Interlocked.CompareExchange(ref _run, null, run);
            throw;
        }
        if (!isNew)
        {
            var added = await _transport.AddAsync(text, _pane.Run.Outcome is RunOutcome.Working or RunOutcome.Blocked).ConfigureAwait(false);
            await LogRefusalAsync(SessionId, added).ConfigureAwait(false);
            return added;
        }
        Enter(run);
        // The agent's end and this prompt may pass each other, as in TryAssignAsync.
        if (Interlocked.CompareExchange(ref _isClosed, 0, 0) != 0)
        {
            if (run.On(RunEvent.Ended) == RunAction.Check)
                await EndRunAsync(run, InterruptedBeforeItWasTold(run)).ConfigureAwait(false);
            Interlocked.CompareExchange(ref _run, null, run);
            return RpcReply.Unsent("it has ended");
        }
        run.On(RunEvent.Placed);
        return await PromptAsync(run, text).ConfigureAwait(false);
    }

    private RunEnd InterruptedBeforeItWasTold(Run run) => new()
    {
        AgentId = _agent.Id,
        Claim = run.Claim,
        Ending = RunEnding.Interrupted,
        Verdict = RunJudge.Interrupted,
        Error = new TaskError(RunJudge.Interrupted, "the agent ended before it was told the task"),
    };

    /// <summary>The model of a task's run, as the agent calls it; null leaves that to the agent.</summary>
    public string? ModelFor(BoardTask? task) => _profile.AcpManners.NameOf(_request.Provider, task?.Model ?? _request.Model);

    private RunBaseline Baseline => RunBaseline.Of(_pane.Run, _pane.Usage) with { Waited = _pane.Times().Waited };

    private PromptAssembler? Injection => _parts.Configuration.SchedulerPromptInjection ? _parts.Prompts : null;

    private IReadOnlyList<Skill> SkillsOf(BoardTask? task) =>
        task is null ? [] : _parts.Registry.SkillsFor(task.Capabilities, _request.Profile?.Name ?? _agent.Name);

    private RunStart StartOf(string? taskId) =>
        new() { AgentId = _agent.Id, TaskId = taskId, SessionId = _ownSession, Provider = _request.Provider, Model = _request.Model, Profile = _request.Profile?.Name, Access = ToldAccess.Of(_request).Access is { } access ? ToldAccess.Word(access) : null };

    /// <summary>Makes this the agent's current run.</summary>
    private void Enter(Run run)
    {
        run.Site = _agent;
        run.Rules = new RunRules(_parts.Configuration, _request.Profile, run.Task);
        _usage.Begin(run.Claim);
        Volatile.Write(ref _lostBefore, Recorder.Dropped);
        _parts.UnseenCosts.Begin(_agent.Id, _agent.Name, CostWords, _request.Provider ?? _profile.Provider, _request.Model);
        Volatile.Write(ref _run, run);
        Tell(_pane.BeginRun());
        Tell(_pane.SetRun(run.TaskId, run.SessionId, run.Task?.Number));
    }

    private async Task<TaskError?> PlaceAsync(Run run)
    {
        if (await RunSteps.DoAsync(_parts.Steps.Placing, run).ConfigureAwait(false) is { } error)
            return error;
        // A session belongs to a directory: in another one some kinds do not find it, and some ask.
        if (run is { TakenUp: not null, Earlier.Directory: { } before, Claim: { } claim, Place: { } place } && before != place.Directory)
        {
            _parts.Logger.SessionElsewhere(_agent.Id, claim.TaskId, run.TakenUp.Session, before);
            await BeginAnewAsync(
                run, claim, $"it begins anew: the agent's own session is of another directory, {before}",
                GoingOn.SessionOf(_profile, _request, run.Task, null, _givenSession)?.Conversation).ConfigureAwait(false);
        }
        run.On(RunEvent.Placed);
        return null;
    }

    private async Task BeginAnewAsync(Run run, RunClaim claim, string note, Conversation? conversation)
    {
        (run.Earlier, run.TakenUp) = (null, null);
        await LogAsync(run.SessionId, new SessionEntry { Kind = SessionEntryKind.Note, Text = note }).ConfigureAwait(false);
        await _parts.Board.BeginAnewAsync(claim, _agent.Id, ArgumentsOf(run.Task, null), conversation).ConfigureAwait(false);
    }

    private IReadOnlyList<string> ArgumentsOf(BoardTask? task, EarlierSession? earlier) => AgentLaunch.CommandLineOf(
        _profile, _request, task, AgentLaunch.PromptOf(_profile, _request, task, earlier), earlier, _givenSession).Arguments;

    private Conversation? TakenUpOf(RunBegun begun) =>
        GoingOn.SessionOf(_profile, _request, begun.Task, begun.Earlier, _givenSession) is { IsTakenUp: true } own ? own.Conversation : null;

    private void TellHowItBegins(Run run, EarlierSession earlier)
    {
        var session = earlier.Conversation.Session;
        if (run.TakenUp is not null)
        {
            _parts.Logger.SessionTakenUp(_agent.Id, run.TaskId!, session);
            Recorder.Add(run.SessionId, new SessionEntry { Kind = SessionEntryKind.Note, Text = $"it goes on in the agent's own session {session}" });
        }
        else if (earlier.Failures >= GoingOn.MaxFailures)
        {
            _parts.Logger.SessionGivenUp(_agent.Id, run.TaskId!, session, earlier.Failures);
            Recorder.Add(run.SessionId, new SessionEntry { Kind = SessionEntryKind.Note, Text = $"it begins anew: {earlier.Failures} runs could not take up the agent's own session {session}" });
        }
    }

    /// <summary>Gives the agent the prompt that it was started with: it is among its arguments, or is written to its standard input whole, or is sent there as a command now.</summary>
    public async Task TellFirstAsync(Run run, AgentLaunch launch)
    {
        if (_transport is not null && launch.SentPrompt is { } sent)
            await PromptAsync(run, sent, launch).ConfigureAwait(false);
        else
            run.Told(_parts.Time.GetTimestamp());
        _watch.Wake();
    }

    /// <summary>From the claim of a task by an agent at rest to its prompt.</summary>
    private async Task WorkOnAsync(Run run, BoardTask task)
    {
        try
        {
            if (await PlaceAsync(run).ConfigureAwait(false) is { } error)
            {
                // The task of another tenant is none of this agent's: it is as if it had not been claimed.
                var end = error.Code == TenantStep.Moved ? InterruptedBeforeItWasTold(run) with { Error = error }
                    : _judge.Fail(_agent.Id, run, error, mayPass: error.Code == RunVerdict.Memory);
                if (run.On(RunEvent.Ended) == RunAction.Check)
                    await FinishAsync(run, end).ConfigureAwait(false);
                return;
            }
            // A task starts in a new conversation: words about an earlier task would cost money with every request, and may mislead.
            var forgot = await _transport!.ForgetAsync(ModelFor(task)).ConfigureAwait(false);
            if (!forgot.IsTaken && _profile.Transport == Transport.Acp)
            {
                // Of one that has ended the exit says why.
                run.Refusal = forgot.HasEnded ? null : $"it could not begin another conversation: {forgot.Problem}";
                run.Told(_parts.Time.GetTimestamp());
                LookAtOutput();
                return;
            }
            var prompt = AgentLaunch.PromptOf(task);
            var sent = AgentLaunch.Introduced(Injection, run.SessionId, prompt, isByInput: true, SkillsOf(task));
            await LogAsync(run.SessionId, new SessionEntry { Kind = SessionEntryKind.User, Text = prompt }).ConfigureAwait(false);
            await PromptAsync(run, sent).ConfigureAwait(false);
        }
        catch
        {
            // It is unknown whether the agent got the prompt, so the process is ended and the attempt given back.
            _agent.RequestStop(StopCause.Unrecorded, AgentSupervisor.DefaultGrace);
            throw;
        }
    }

    private async Task<RpcReply> PromptAsync(Run run, string prompt, AgentLaunch? launch = null)
    {
        var opening = await _transport!.OpenAsync().ConfigureAwait(false);
        if (launch is { TakenUp: not null } && _profile.Transport == Transport.Acp && opening is { Problem: null, IsResumed: false } && launch.Afresh() is { } whole && run.Claim is { } claim)
        {
            prompt = whole;
            await BeginAnewAsync(
                run, claim, "the agent could not take up its earlier session: it was told the whole task in a new one",
                _pane.HarnessSessionId is { Length: > 0 } made ? new Conversation(_profile.Name, made) : null).ConfigureAwait(false);
        }
        var asked = _transport.PromptAsync(prompt);
        run.Told(_parts.Time.GetTimestamp());
        _watch.Wake();
        var reply = await asked.ConfigureAwait(false);
        // An agent that is late with its answer has refused nothing: it may take the prompt yet, and the limit of the first sign bounds it.
        if (!reply.IsTaken && (reply.IsAnswered || !reply.IsSent))
        {
            run.Refusal = reply.Problem;
            await LogRefusalAsync(run.SessionId, reply).ConfigureAwait(false);
            LookAtOutput();
        }
        return reply;
    }

    // The words are in the session: so is that they came to nothing.
    private Task LogRefusalAsync(string session, RpcReply reply) => reply.IsTaken || (!reply.IsAnswered && reply.IsSent) ? Task.CompletedTask
        : LogAsync(session, new SessionEntry { Kind = SessionEntryKind.Note, Text = $"the agent refused the prompt: {reply.Problem}" });

    /// <summary>
    /// Acts on the news of a chunk of output, in numbered steps: the only place where an agent's output has consequences. The last step,
    /// <see cref="LookAtOutput"/>, follows once the session entries are written.
    /// </summary>
    public void Take(PaneNews news)
    {
        // 1. Subscribers see the pane as it is now.
        Tell(news.Changed);
        // 2. Pending commands get their answers.
        foreach (var reply in news.Replies)
            _transport?.Replied(reply.Id, reply.Error);
        // 3. Usage counts towards the budgets at once; its booking in the ledger is not awaited.
        foreach (var usage in news.Usage)
            _usage.Add(usage);
        if (news.Session is { } session)
            _usage.Note(session);
        _usage.Book();
        if (news.HarnessSessionId is not null && Current is { IsOver: false } current)
            Note(current, hasAnswered: false);
        // 4. Words wait to be written to the session: a slow disk exerts back-pressure on this agent alone.
        foreach (var entry in news.Entries)
            Recorder.Add(SessionId, entry);
        if (news.Words is { } words)
            Current?.Heard(words);
        // 5. A run over its budget ends before the session is written: its agent must not spend on while a disk is slow.
        if (!news.Usage.IsEmpty && Look() is { } look && RunLimits.AskBudget(look) is { Ends: true } spent)
            EndBy(look.Run, spent);
    }

    /// <summary>6. The run takes its step, and the limits that need no clock are checked.</summary>
    public void LookAtOutput()
    {
        // A hundred thousand times a second with many agents: no more is looked at than what a chunk can change.
        if (Current is not { IsOver: false } run || Cause != StopCause.None)
            return;
        var report = run.Of(_pane.Run);
        var phase = report.Phase;
        if (phase != _seen)
        {
            _seen = phase;
            if (phase.Outcome is RunOutcome.Working or RunOutcome.Blocked)
                run.On(phase.Outcome == RunOutcome.Working ? RunEvent.Worked : RunEvent.Asked);
            // Other limits apply now, and may end sooner.
            _watch.Wake();
        }
        // The first answer of a run says that its provider is there: others need not wait for this run's end.
        if (!run.IsAnswerTold && run.HasAnswerIn(report))
        {
            run.IsAnswerTold = true;
            Note(run, hasAnswered: true);
            _parts.Holds?.Answered(Source, run.TaskId, _parts.Time.GetElapsedTime(run.Since), isDone: false);
        }
        if (RunLimits.IsSettled(report, _transport is not null))
            EndBy(run, LimitFinding.Over);
    }

    /// <summary>Puts the agent's own session on record while the run goes on, and that the model has answered in it: nobody may see the run's end.</summary>
    private void Note(Run run, bool hasAnswered)
    {
        if (run.Claim is { } claim && (hasAnswered || _profile.CanResume))
            _ = Watched("noting the session of", NoteAsync(claim, ConversationOf(run, hasAnswered), hasAnswered));
    }

    private async Task NoteAsync(RunClaim claim, Conversation? conversation, bool hasAnswered)
    {
        try
        {
            await _parts.Board.NoteSessionAsync(claim, conversation, hasAnswered).ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            // The run's end says it again.
            _parts.Logger.BoardUnavailable(e.Message);
        }
    }

    /// <summary>Checks the limits anew, after something that they depend on and that no event tells.</summary>
    public void LookAtLimits()
    {
        _watch.Wake();
        // The answer to a question outside a run leaves it at rest.
        if (_agent.IsAtRest)
            _rested();
    }

    /// <summary>A look has found the agent's tree over its limit of memory. That ends the run, and an agent at rest.</summary>
    public void EndForMemory()
    {
        if (Look() is { } look)
            EndBy(look.Run, RunLimits.AskMemory(look));
        else if (Cause == StopCause.None && _agent.MemoryExcess is { } excess)
            StopFor(StopCause.Memory, excess.Words, ShortGrace);
    }

    /// <summary>The agent leaves unread what it has asked for, and waits for it.</summary>
    public void EndUnread(string words)
    {
        if (Cause == StopCause.None)
            StopFor(StopCause.InputUnread, words, AgentSupervisor.DefaultGrace);
    }

    private void StopFor(StopCause cause, string words, TimeSpan grace)
    {
        _missed = words;
        _parts.Logger.DeadlineMissed(_agent.Id, words);
        _agent.RequestStop(cause, grace);
    }

    private RunLook? Look()
    {
        if (Current is not { IsOver: false } run || Cause != StopCause.None)
            return null;
        // While a slow disk holds up the session, the agent's output is not read, so the agent does not count as silent.
        var (times, isTakenIn) = (_pane.Times(), _agent.IsTakingIn);
        if (isTakenIn)
            times = new PaneTimes { Waited = times.Waited };
        return new RunLook
        {
            Run = run,
            Report = run.Of(_pane.Run),
            Settings = run.Rules?.Settings ?? _parts.Configuration,
            Rules = run.Rules,
            Budgets = _parts.Budgets,
            // An agent without standard input gets no answer, and its waiting is no pause of the run.
            Age = _parts.Time.GetElapsedTime(run.Since) - (_transport is null ? TimeSpan.Zero : times.Waited - run.WaitedBefore),
            Told = run.ToldAt is { } told ? _parts.Time.GetElapsedTime(told) : null,
            Times = times,
            IsTakenIn = isTakenIn,
            Question = _pane.Question,
            StderrLine = _stderrLine,
            Secrets = _parts.Secrets,
            Spent = run.Spent(_pane.Usage.CostMicrocents),
            Memory = _agent.MemoryExcess,
            PrintsEvents = _profile.PrintsEvents,
            HasPrompt = run.Task is not null || _transport is not null || _request.Prompt is not null,
            IsRpc = _transport is not null,
        };
    }

    private void EndBy(Run run, LimitFinding found)
    {
        if (found.Rejects)
        {
            if (!_agent.RejectQuestion())
                StopFor(StopCause.Deadline, found.Words!, AgentSupervisor.DefaultGrace);
        }
        else if (found.Cause == StopCause.Budget)
        {
            _parts.Logger.TaskBudgetSpent(_agent.Id, run.TaskId!, Dollars.Of(run.Spent(_pane.Usage.CostMicrocents)), Dollars.Of(run.Rules?.BudgetMicrocents ?? _parts.Budgets.TaskMicrocents ?? 0));
            _agent.RequestStop(StopCause.Budget, ShortGrace);
        }
        else if (found.Cause != StopCause.None)
        {
            StopFor(found.Cause, found.Words!, found.Cause == StopCause.Memory ? ShortGrace : AgentSupervisor.DefaultGrace);
        }
        else if (_transport is null || !LivesOnAfter(run))
        {
            _agent.RequestStop(StopCause.Settled, AgentSupervisor.DefaultGrace);
        }
        else if (run.On(RunEvent.Ended) == RunAction.Check)
        {
            _finishing = Watched("ending a run of", CompleteAsync(run));
        }
    }

    /// <summary>
    /// Whether the agent lives on after the run. An operator's agent waits for the next prompt. A failed run ends an agent that takes tasks, since
    /// its state is unknown and the retry gets a new one; an agent that is to be kept stays.
    /// </summary>
    private bool LivesOnAfter(Run run) => !run.NeedsAgentsEnd && (run.Task is null
        ? !_request.TakesTasks || _request.IsKept || RunVerdict.IsGood(run.Of(_pane.Run), _profile.PrintsEvents)
        : _request.IsKept || (_request.TakesTasks && RunVerdict.IsGood(run.Of(_pane.Run), _profile.PrintsEvents)));

    /// <summary>Ends a run whose agent lives on.</summary>
    private async Task CompleteAsync(Run run)
    {
        await EventLoop.LeaveAsync();
        await FinishAsync(run, await JudgeAsync(run, StopCause.Settled, new ProcessExit(Code: 0)).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task FinishAsync(Run run, RunEnd end)
    {
        await LogAsync(run.SessionId, RunStore.NoteOf(end with { SessionEntriesDropped = LostEntries })).ConfigureAwait(false);
        await EndRunAsync(run, end).ConfigureAwait(false);
        if (run.TaskId is { } taskId)
            _parts.Logger.TaskLeft(_agent.Id, taskId, end.Verdict ?? "");
        if (Cause != StopCause.None)
            return;
        Volatile.Write(ref _run, null);
        Tell(_pane.SetRun(null, _ownSession));
        _rested();
    }

    private async Task<RunEnd> JudgeAsync(Run? run, StopCause cause, ProcessExit exit, LeftProcesses left = default, MemoryExcess? memory = null)
    {
        var report = _pane.Run;
        var end = _judge.Judge(_agent.Id, new RunFacts
        {
            Run = run,
            Report = run?.Of(report) ?? report,
            Cause = cause,
            Exit = exit,
            Left = left,
            Stderr = _agent.StderrTail,
            Missed = _missed,
            Memory = memory is { IsByKernel: true } ? memory : null,
            AgentSpent = _pane.Usage.CostMicrocents,
            Age = run is null ? TimeSpan.Zero : _parts.Time.GetElapsedTime(run.Since),
            Stated = report.ResumeAt is { } resumeAt && resumeAt - _parts.Time.GetUtcNow() is var wait && wait > TimeSpan.Zero ? wait : TimeSpan.Zero,
        });
        return run?.Task is null ? end : await CheckAsync(run, NotTakenUp(run, end, run.Of(report))).ConfigureAwait(false);
    }

    /// <summary>
    /// The end of a run that was to go on in an earlier session and failed without an answer: if it did so at once it costs the task no attempt, and the
    /// board counts how often. What its provider failed at is not the session's fault, nor is a stop.
    /// </summary>
    private RunEnd NotTakenUp(Run run, RunEnd end, in RunReport report)
    {
        if (run.TakenUp is not { } session || end is not { Ending: RunEnding.Failed, Error: { } error } || error.Code == RunVerdict.Budget || run.HasAnswerIn(report)
            || Cause is StopCause.Requested or StopCause.Budget or StopCause.Memory)
        {
            return end;
        }
        _parts.Logger.SessionNotTakenUp(_agent.Id, run.TaskId!, session.Session, error.Message);
        var isQuick = _parts.Time.GetElapsedTime(run.Since) < GoingOn.Quick;
        return end with
        {
            ResumeFailed = true,
            Ending = isQuick ? RunEnding.Interrupted : end.Ending,
            RetryAt = isQuick ? null : end.RetryAt,
            Error = error with { Message = $"the agent's own session {session.Session} was not taken up: {error.Message}" },
        };
    }

    /// <summary>The steps after a run's end. What it did in its place is kept first, whatever its verdict.</summary>
    private async Task<RunEnd> CheckAsync(Run run, RunEnd end)
    {
        var error = run.Place is null ? null : await RunSteps.DoAsync(_parts.Steps.Leaving, run).ConfigureAwait(false);
        if (end.Error is null)
        {
            error ??= await RunSteps.DoAsync(_parts.Steps.Checking, run).ConfigureAwait(false);
            // A run that was stopped while it was checked is neither done nor found wanting.
            if (_agent.IsDaemonStopping && run.Check is { } check && check.Exit is null)
                end = end with { Ending = RunEnding.Interrupted, Verdict = RunJudge.Interrupted, Error = new TaskError(RunJudge.Interrupted, "the daemon stopped while the run was checked") };
            else if (error is not null)
                end = _judge.Fail(_agent.Id, run, error, mayPass: error.Code == RunVerdict.Memory) with { Denied = end.Denied, Remark = end.Remark, StderrTail = end.StderrTail };
        }
        return end with { Change = run.Change, Check = run.Check, Feedback = run.Feedback, Ending = run.Feedback is null || end.Ending != RunEnding.Failed ? end.Ending : RunEnding.Reworked };
    }

    /// <summary>The only way to end a run: closes its account, persists its outcome, and shows it in the agent's pane.</summary>
    private async Task EndRunAsync(Run? run, RunEnd end)
    {
        run?.On(RunEvent.Checked);
        // Of a run that was judged this is known already. One that ended otherwise must not keep others waiting for its answer.
        _parts.Holds?.Release(Source, run?.TaskId);
        var (usage, sessions) = _usage.Close();
        // What an agent without events did, nobody has seen.
        var hasAnswered = run is not null && (!_profile.PrintsEvents || run.HasAnswerIn(run.Of(_pane.Run)));
        var closed = end with
        {
            Usage = usage,
            Sessions = sessions,
            SessionEntriesDropped = LostEntries,
            Result = run?.Result(_parts.Secrets),
            Conversation = ConversationOf(run, hasAnswered),
            HasAnswered = hasAnswered,
        };
        // Before its end is on record: then its change may land at once, and its tree goes with it.
        if (run?.TaskId is not null)
            await _parts.Workspaces.LeaveAsync(run).ConfigureAwait(false);
        await _parts.Runs.EndAsync(closed, () => !_agent.IsDaemonStopping).ConfigureAwait(false);
        _usage.Forget(run?.Claim);
        run?.On(RunEvent.Recorded);
        if (run?.TaskId is { } placed)
            _parts.Places.Leave(placed);
        if (end.Denied is { } denied)
            _parts.Logger.ToolsDenied(_agent.Id, denied.Sum(tool => tool.Count), string.Join(", ", denied.Select(tool => tool.Tool)));
        Tell(_pane.EndRun(run is not null && end is { Ending: RunEnding.Failed, Error: not null } && Cause != StopCause.Requested, end.Denied));
    }

    // One that was to be taken up stays the run's until the model has answered: the agent may have begun another, in which nothing was said.
    private Conversation? ConversationOf(Run? run, bool hasAnswered) =>
        run?.Task is null || !_profile.CanResume ? null
        : run.TakenUp is { } session && !hasAnswered ? session
        : _pane.HarnessSessionId is { Length: > 0 } told ? new Conversation(_profile.Name, told) : null;

    /// <summary>Ends the agent and its current run.</summary>
    /// <param name="exit">How its process ended.</param>
    /// <param name="left">What was left of its tree by then.</param>
    /// <param name="memory">The limit of memory that its tree went over; null where it kept it.</param>
    /// <returns>What was persisted.</returns>
    public async Task<RunEnd> CloseAsync(ProcessExit exit, LeftProcesses left, MemoryExcess? memory)
    {
        Interlocked.Exchange(ref _isClosed, 1);
        var run = Current;
        if (run is not null && run.On(RunEvent.Ended) != RunAction.Check)
        {
            // It has ended by its own word, and is being put on disk: it is judged once.
            await _finishing.ConfigureAwait(false);
            run = run.State == RunState.Recorded ? null : run;
        }
        var end = await JudgeAsync(run, Cause, exit, left, memory).ConfigureAwait(false) with { Exit = exit, AgentEnded = true };
        Recorder.Add(SessionId, RunStore.NoteOf(end with { SessionEntriesDropped = LostEntries }));
        await RecordAsync().ConfigureAwait(false);
        await EndRunAsync(run, end).ConfigureAwait(false);
        return end;
    }

    /// <summary>Ends an agent whose process was never started, or whose following failed.</summary>
    /// <param name="error">Why.</param>
    /// <param name="ending">How the attempt counts. Given back, the task is tried again once its rest after the start is over.</param>
    public Task CloseAsync(TaskError error, RunEnding ending)
    {
        Interlocked.Exchange(ref _isClosed, 1);
        var run = Current;
        run?.On(RunEvent.Ended);
        return EndRunAsync(run, _judge.Fail(_agent.Id, run, error, mayPass: error.Code == RunVerdict.Memory) with
        {
            AgentEnded = true,
            Ending = ending,
            Verdict = error.Code == RunJudge.Internal ? RunJudge.Interrupted : error.Code,
        });
    }

    /// <summary>Releases the run and its prompt; the pane of a stopped agent is kept, these are not.</summary>
    public void Release()
    {
        Volatile.Write(ref _run, null);
        _request = _request.WithoutWords();
    }

    /// <summary>Writes the waiting session entries.</summary>
    public async ValueTask RecordAsync()
    {
        await Recorder.FlushAsync().ConfigureAwait(false);
        Tell(_pane.SetOverBudget(Recorder.IsOverBudget));
        TellOfLosses();
    }

    /// <summary>
    /// Adds the operator's answer to what waits for the session of the question, so before all that the agent does with it. Called while no output is read:
    /// a question is shown before its entry is added.
    /// </summary>
    public void LogAnswer(string words) => Recorder.Add(SessionId, new SessionEntry { Kind = SessionEntryKind.Answer, Text = words });

    /// <summary>Writes that the agent has confirmed that it left its run.</summary>
    public void LogCancelled(string reason) =>
        _ = Watched("writing a note into the session of", LogAsync(SessionId, new SessionEntry { Kind = SessionEntryKind.Note, Text = $"the agent was asked to leave its run, and says: {reason}" }));

    /// <summary>Writes that the answer before did not reach the agent.</summary>
    public void LogAnswerUnsent() =>
        _ = Watched("writing a note into the session of", LogAsync(SessionId, new SessionEntry { Kind = SessionEntryKind.Note, Text = "the answer did not reach the agent, which does not read" }));

    private async Task LogAsync(string sessionId, SessionEntry entry)
    {
        await Recorder.AppendAsync(sessionId, entry).ConfigureAwait(false);
        TellOfLosses();
    }

    private void TellOfLosses() => Tell(_pane.SetSessionLoss(Recorder.Dropped, Recorder.IsLosing));

    /// <summary>How many entries the session lost during the current run.</summary>
    public long LostEntries => Recorder.Dropped - Volatile.Read(ref _lostBefore);

    private Task Watched(string what, Task work) => _agent.Watched(what, work);

    private void Tell(bool changed) => _agent.Tell(changed);
}
