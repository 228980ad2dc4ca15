using Colibri.Core.Panes.Dialects;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>An agent's next activity, for every activity and every kind of event.</summary>
public static class ActivityTable
{
    private const Activity I = Activity.Idle;
    private const Activity W = Activity.Working;
    private const Activity B = Activity.Blocked;
    private const Activity D = Activity.Done;
    private const Activity E = Activity.Error;

    private const int Columns = 5;

    private static ReadOnlySpan<byte> Rows =>
    [
        // from:      idle     working  blocked  done     error
        /* Ignored */ (byte)I, (byte)W, (byte)B, (byte)D, (byte)E,
        /* SessionOpened */ (byte)I, (byte)I, (byte)I, (byte)I, (byte)I,
        /* RunStarted */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* Working */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* Progress */ (byte)W, (byte)W, (byte)W, (byte)D, (byte)E,
        /* MessageStarted */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* TurnStarted */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* TurnEnded */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* MessageEnded */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* ToolStarted */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* ToolCalled: a repetition, or a call within a call */ (byte)I, (byte)W, (byte)B, (byte)D, (byte)E,
        /* ToolProgress */ (byte)W, (byte)W, (byte)W, (byte)D, (byte)E,
        /* ToolEnded: a tool may outlive its run */ (byte)W, (byte)W, (byte)W, (byte)D, (byte)E,
        /* Asked */ (byte)B, (byte)B, (byte)B, (byte)B, (byte)B,
        /* Queued: after a run it tells of a queue thrown away, and it answers no question */ (byte)I, (byte)W, (byte)B, (byte)D, (byte)E,
        /* RunEnded */ (byte)D, (byte)D, (byte)D, (byte)D, (byte)D,
        /* RunFailed */ (byte)E, (byte)E, (byte)E, (byte)E, (byte)E,
        /* RunResumed */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* Retrying */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* CompactionStarted */ (byte)W, (byte)W, (byte)W, (byte)W, (byte)W,
        /* CompactionEnded: the pane goes back to what it set aside */ (byte)I, (byte)W, (byte)W, (byte)D, (byte)E,
        /* Settled */ (byte)D, (byte)D, (byte)D, (byte)D, (byte)D,
        /* Failed */ (byte)E, (byte)E, (byte)E, (byte)E, (byte)E,
        /* UsageReported */ (byte)I, (byte)W, (byte)B, (byte)D, (byte)E,
        /* Noted */ (byte)I, (byte)W, (byte)B, (byte)D, (byte)E,
        /* BackgroundChanged */ (byte)I, (byte)W, (byte)B, (byte)D, (byte)E,
        /* BackgroundEnded */ (byte)I, (byte)W, (byte)B, (byte)D, (byte)E,
        /* Denied */ (byte)I, (byte)W, (byte)B, (byte)D, (byte)E,
        /* ProcessStopped: what it was at, it was told to leave */ (byte)I, (byte)I, (byte)I, (byte)D, (byte)E,
        /* ProcessDied: nobody is working or waiting any more */ (byte)I, (byte)E, (byte)E, (byte)D, (byte)E,
    ];

    public static Activity Next(Activity activity, EventKind kind) => (Activity)Rows[((int)kind * Columns) + (int)activity];
}
