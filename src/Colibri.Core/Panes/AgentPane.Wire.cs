using Colibri.Core.Panes.Dialects;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

public sealed partial class AgentPane
{
    /// <summary>The pane at this instant.</summary>
    /// <param name="now">For telling whether the agent has gone silent.</param>
    /// <param name="stallAfter">An agent that lives and has said nothing for so long is stalled.</param>
    public Pane ToWire(DateTimeOffset now, TimeSpan stallAfter)
    {
        PaneState state;
        Lifecycle lifecycle;
        ProcessExit? exit;
        string? startFailure;
        int? pid;
        bool stopRequested;
        bool overBudget;
        string? taskId;
        AgentQuestion? question;
        lock (_gate)
        {
            (taskId, question) = (_taskId, OpenQuestion());
            (state, lifecycle, exit, startFailure, pid, stopRequested, overBudget) =
                (_published, _lifecycle, _exit, _startFailure, _pid, _stopRequested, _overBudget);
        }

        // Only when all it printed has been read: the news of its end is often faster than its last words.
        var activity = exit is not null && state.IsComplete
            ? ActivityTable.Next(state.RestingActivity, stopRequested ? EventKind.ProcessStopped : EventKind.ProcessDied)
            : state.Activity;
        if (startFailure is not null) activity = Activity.Error;
        var lives = exit is null && lifecycle != Lifecycle.Stopped;
        var stalled = lives && now - (state.LastEventAt ?? _startedAt) >= stallAfter;
        return new Pane
        {
            Id = _identity.Id,
            Agent = _identity.Agent,
            Runtime = _identity.Runtime,
            Pid = pid,
            Lifecycle = lifecycle,
            Activity = activity,
            Stalled = stalled,
            NeedsAttention = stalled || overBudget || activity is Activity.Error or Activity.Blocked,
            TaskId = taskId,
            SessionId = _identity.SessionId,
            OverBudget = overBudget ? true : null,
            HarnessSessionId = state.HarnessSessionId,
            Cwd = state.Cwd ?? _identity.Cwd,
            StartedAt = _startedAt,
            LastEventAt = state.LastEventAt,
            LastEvent = state.LastEvent,
            Events = state.Events,
            MalformedLines = state.MalformedLines,
            OversizeLines = state.OversizeLines,
            Turns = state.Turns,
            Tools = state.Tools,
            Tool = lives ? state.Tool : null,
            Usage = state.Usage.ToWire(),
            Question = question,
            Error = startFailure ?? state.Error,
            Exit = exit,
        };
    }
}
