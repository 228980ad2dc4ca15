namespace Colibri.Core.Runs;

/// <summary>The state of a run, from the claim to the outcome on disk.</summary>
public enum RunState
{
    /// <summary>It has claimed its whole task; no step was done yet.</summary>
    Claimed,

    /// <summary>Every step before the prompt has succeeded.</summary>
    Placed,

    /// <summary>Its agent was given the prompt.</summary>
    Told,

    /// <summary>Its agent has gone to work.</summary>
    Working,

    /// <summary>Its agent waits for an answer.</summary>
    Blocked,

    /// <summary>It is over, by itself or because we ended it. Later output of the agent does not belong to it.</summary>
    Ended,

    /// <summary>It has its verdict: every check after the end was made.</summary>
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

    /// <summary>The run is over: the agent says so, or we ended it (<see cref="StopCause"/>), or its process is gone.</summary>
    Ended,

    /// <summary>The verdict is there.</summary>
    Checked,

    /// <summary>The outcome is on disk.</summary>
    Recorded,
}

/// <summary>The action on a step from one state to another.</summary>
public enum RunAction
{
    Nothing,

    /// <summary>Give the agent its prompt.</summary>
    Tell,

    /// <summary>Make the checks after the end, and judge.</summary>
    Check,

    /// <summary>Put the outcome on disk.</summary>
    Record,

    /// <summary>Free the agent, if it lives, for another run.</summary>
    Free,
}

/// <summary>The life of a run as a total table: the next state and the action for every state and every event.</summary>
/// <remarks>
/// A late event, such as the answer to a prompt after the first sign of work, changes nothing. Each action hangs on one step into a state,
/// so that no run is prompted, judged or recorded twice.
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

    /// <summary>The action on a step from one state to another; none if the state stays.</summary>
    public static RunAction ActionOf(RunState from, RunState to) => from == to ? RunAction.Nothing : to switch
    {
        RunState.Placed => RunAction.Tell,
        RunState.Ended => RunAction.Check,
        RunState.Checked => RunAction.Record,
        RunState.Recorded => RunAction.Free,
        _ => RunAction.Nothing,
    };
}
