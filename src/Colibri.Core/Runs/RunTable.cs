namespace Colibri.Core.Runs;

/// <summary>Where a run is: one attempt at one task by one agent, from the claim to the outcome on disk.</summary>
public enum RunState
{
    /// <summary>It has its task, whole. Nothing was done yet.</summary>
    Claimed,

    /// <summary>Every step before the prompt has succeeded.</summary>
    Placed,

    /// <summary>Its agent was given the prompt.</summary>
    Told,

    /// <summary>Its agent has gone to work.</summary>
    Working,

    /// <summary>Its agent waits for an answer.</summary>
    Blocked,

    /// <summary>It is over, by itself or by a cause of ours. What the agent prints from now on is not the run's.</summary>
    Ended,

    /// <summary>It has its verdict: every step after the end was asked.</summary>
    Checked,

    /// <summary>Its outcome is on disk.</summary>
    Recorded,
}

/// <summary>What happens to a run.</summary>
public enum RunEvent
{
    /// <summary>The last step before the prompt has succeeded.</summary>
    Placed,

    /// <summary>The agent was given the prompt.</summary>
    Told,

    /// <summary>The agent's events say that it works.</summary>
    Worked,

    /// <summary>The agent asks a question.</summary>
    Asked,

    /// <summary>The run is over: the agent says so, or a cause of ours ended it (<see cref="StopCause"/>), or its process is gone.</summary>
    Ended,

    /// <summary>The verdict is there.</summary>
    Checked,

    /// <summary>The outcome is on disk.</summary>
    Recorded,
}

/// <summary>What has to be done when a run goes from one state to another.</summary>
public enum RunAction
{
    Nothing,

    /// <summary>Give the agent its prompt.</summary>
    Tell,

    /// <summary>Ask the steps after the end, and judge.</summary>
    Check,

    /// <summary>Put the outcome on disk.</summary>
    Record,

    /// <summary>The agent, where it lives, is free for another run.</summary>
    Free,
}

/// <summary>The life of a run as a total table: the next state and the action for every state and every event.</summary>
/// <remarks>
/// An event that comes late, such as the answer to a prompt after the first sign of work, changes nothing. A state has one way into it
/// that carries an action, so that nothing is told, judged or recorded twice.
/// </remarks>
public static class RunTable
{
    private const int Columns = 7;

    private const RunState C = RunState.Claimed;
    private const RunState P = RunState.Placed;
    private const RunState T = RunState.Told;
    private const RunState W = RunState.Working;
    private const RunState B = RunState.Blocked;
    private const RunState E = RunState.Ended;
    private const RunState K = RunState.Checked;
    private const RunState R = RunState.Recorded;

    private static ReadOnlySpan<byte> Rows =>
    [
        // event:     placed   told     worked   asked    ended    checked  recorded
        /* Claimed */ (byte)P, (byte)C, (byte)C, (byte)C, (byte)E, (byte)C, (byte)C,
        /* Placed: a process that was started with its prompt may print before we say so */
                      (byte)P, (byte)T, (byte)W, (byte)B, (byte)E, (byte)P, (byte)P,
        /* Told */    (byte)T, (byte)T, (byte)W, (byte)B, (byte)E, (byte)T, (byte)T,
        /* Working */ (byte)W, (byte)W, (byte)W, (byte)B, (byte)E, (byte)W, (byte)W,
        /* Blocked */ (byte)B, (byte)B, (byte)W, (byte)B, (byte)E, (byte)B, (byte)B,
        /* Ended */   (byte)E, (byte)E, (byte)E, (byte)E, (byte)E, (byte)K, (byte)E,
        /* Checked */ (byte)K, (byte)K, (byte)K, (byte)K, (byte)K, (byte)K, (byte)R,
        /* Recorded */ (byte)R, (byte)R, (byte)R, (byte)R, (byte)R, (byte)R, (byte)R,
    ];

    /// <summary>The state after an event.</summary>
    public static RunState Next(RunState state, RunEvent happened) => (RunState)Rows[((int)state * Columns) + (int)happened];

    /// <summary>What a step from one state to another asks for; nothing where the state stays.</summary>
    public static RunAction ActionOf(RunState from, RunState to) => from == to ? RunAction.Nothing : to switch
    {
        RunState.Placed => RunAction.Tell,
        RunState.Ended => RunAction.Check,
        RunState.Checked => RunAction.Record,
        RunState.Recorded => RunAction.Free,
        _ => RunAction.Nothing,
    };
}
