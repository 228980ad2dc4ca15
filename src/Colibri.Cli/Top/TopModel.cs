using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top;

/// <summary>What the daemon has said so far. Reports replace what they report on; events change it between reports.</summary>
internal sealed class TopModel
{
    /// <summary>The most panes, and the most tasks, that are held; of further ones their number alone.</summary>
    public const int MostHeld = 4_096;

    /// <summary>Of agents that have ended, the latest are shown.</summary>
    private const int MostStopped = 20;

    /// <summary>Of a task's result.</summary>
    private const int MostSaidChars = 512;

    private readonly Dictionary<string, Pane> _panes = [];
    private readonly Dictionary<string, BoardTask> _tasks = [];
    private List<Pane>? _agents;
    private List<BoardTask>? _queue;

    public StatusReport? Status { get; private set; }
    public BudgetState? Budget { get; private set; }
    public InboxReport Inbox { get; private set; } = new([]);

    /// <summary>Another after each change of what rows are made of.</summary>
    public long Version { get; private set; }

    /// <summary>Why the daemon does not answer; null while it does.</summary>
    public string? Away { get; set; }

    /// <summary>Panes and tasks that are not held.</summary>
    public long NotShown => PanesNotHeld + TasksNotHeld;
    private long PanesNotHeld { get; set; }
    private long TasksNotHeld { get; set; }

    /// <summary>Living ones in the order in which they were started, then the latest that ended.</summary>
    public IReadOnlyList<Pane> Agents => _agents ??=
    [
        .. _panes.Values.Where(pane => pane.Lifecycle != Lifecycle.Stopped).OrderBy(pane => pane.StartedAt).ThenBy(pane => pane.Id, StringComparer.Ordinal),
        .. _panes.Values.Where(pane => pane.Lifecycle == Lifecycle.Stopped).OrderByDescending(pane => pane.StartedAt).ThenBy(pane => pane.Id, StringComparer.Ordinal).Take(MostStopped),
    ];

    public int Living => _panes.Values.Count(pane => pane.Lifecycle != Lifecycle.Stopped);

    /// <summary>Tasks that wait, in the order in which they would start.</summary>
    public IReadOnlyList<BoardTask> Queue => _queue ??=
        [.. _tasks.Values.Where(task => task.Status == TaskState.Queued).OrderByDescending(task => task.Priority).ThenBy(task => task.Number)];

    public BoardTask? TaskOf(string? id) => id is not null && _tasks.TryGetValue(id, out var task) ? task : null;

    public Pane? PaneOf(string? id) => id is not null && _panes.TryGetValue(id, out var pane) ? pane : null;

    public void Take(StatusReport status)
    {
        Status = status;
        Budget = status.Budget ?? Budget;
    }

    public void Take(InboxReport inbox)
    {
        Inbox = inbox;
        Version++;
    }

    public void Take(BudgetState budget) => Budget = budget;

    /// <param name="panes">All that there are.</param>
    public void TakeAll(IEnumerable<Pane> panes)
    {
        _panes.Clear();
        _agents = null;
        PanesNotHeld = 0;
        Version++;
        foreach (var pane in panes)
            Hold(pane);
    }

    /// <param name="tasks">All that are not over.</param>
    /// <param name="more">How many of them were left out.</param>
    public void TakeAll(IEnumerable<BoardTask> tasks, long more)
    {
        _tasks.Clear();
        _queue = null;
        TasksNotHeld = more;
        Version++;
        foreach (var task in tasks)
            Hold(task);
    }

    /// <summary>Newer words of tasks that wait, such as why they do.</summary>
    public void Renew(IEnumerable<BoardTask> tasks)
    {
        foreach (var task in tasks)
        {
            if (!_tasks.TryGetValue(task.Id, out var known) || known.UpdatedAt <= task.UpdatedAt)
                Hold(task);
        }
    }

    /// <summary>What an event of a subscription says.</summary>
    public void Take(Event change)
    {
        if (change.Pane is { } pane)
            Hold(pane);
        if (change.Task is { } task)
            Hold(task);
        if (change.Budget is { } budget)
            Budget = budget;
        if (change.Cost is { } cost && Status is { } status)
            Status = status with { Cost = cost };
    }

    private void Hold(Pane pane)
    {
        _agents = null;
        Version++;
        if (_panes.Count >= MostHeld && !_panes.ContainsKey(pane.Id) && !Forget(_panes, other => other.Lifecycle == Lifecycle.Stopped))
        {
            PanesNotHeld++;
            return;
        }
        _panes[pane.Id] = pane;
    }

    private void Hold(BoardTask task)
    {
        _queue = null;
        Version++;
        if (_tasks.Count >= MostHeld && !_tasks.ContainsKey(task.Id) && !Forget(_tasks, IsOver))
        {
            if (!IsOver(task))
                TasksNotHeld++;
            return;
        }
        _tasks[task.Id] = Short(task);
    }

    /// <summary>Without the texts that no row shows: a description alone may have two million characters.</summary>
    private static BoardTask Short(BoardTask task) => task with
    {
        Description = "",
        Feedback = null,
        Check = null,
        Runs = null,
        Result = task.Result is { } said ? new TaskResult(said.Text.Length > MostSaidChars ? said.Text[..MostSaidChars] : said.Text) : null,
    };

    private static bool Forget<T>(Dictionary<string, T> held, Func<T, bool> isPast)
    {
        foreach (var (id, one) in held)
        {
            if (isPast(one))
                return held.Remove(id);
        }
        return false;
    }

    private static bool IsOver(BoardTask task) => task.Status is TaskState.Done or TaskState.Failed or TaskState.Cancelled;
}
