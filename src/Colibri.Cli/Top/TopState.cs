using Colibri.Cli.Top.Actions;

namespace Colibri.Cli.Top;

/// <summary>Where the operator is: the part and row, the filter, the pages over it, and what is asked. Keys change it; it draws and sends nothing.</summary>
internal sealed class TopState(TopModel model)
{
    private const int MostPages = 8;
    private readonly Dictionary<Part, (string Key, int Index)> _selected = [];
    private readonly Dictionary<Part, (long Version, string Filter, IReadOnlyList<TopRow> Rows)> _rows = [];
    private readonly Stack<TopPage> _pages = [];
    private LineEditor? _filtering;
    private int _lastPage;

    public TopModel Model => model;
    public Part Focus { get; private set; } = Part.Agents;

    /// <summary>Empty for none.</summary>
    public string Filter { get; private set; } = "";

    /// <summary>What is being typed as a filter; null while none is.</summary>
    public LineEditor? Filtering => _filtering;
    public TopPage? Page => _pages.Count > 0 ? _pages.Peek() : null;
    public Prompt? Prompt { get; private set; }

    /// <summary>What became of the latest action.</summary>
    public string Said { get; private set; } = "";
    public bool IsWrong { get; private set; }

    /// <summary>Rows of each part that fit, which the last frame found out.</summary>
    public int PageRows { get; set; } = 10;

    public void Say(string words, bool isWrong = false) => (Said, IsWrong) = (words, isWrong);

    public IReadOnlyList<TopRow> Rows(Part part)
    {
        if (!_rows.TryGetValue(part, out var known) || known.Version != model.Version || known.Filter != Filter)
            _rows[part] = known = (model.Version, Filter, TopRow.Of(model, part, Filter));
        return known.Rows;
    }

    /// <summary>Where the selection of a part is: on the same thing, wherever it has moved, else at the same place.</summary>
    public int Selected(Part part, IReadOnlyList<TopRow> rows)
    {
        if (!_selected.TryGetValue(part, out var was) || rows.Count == 0)
            return 0;
        if (was.Index < rows.Count && rows[was.Index].Key == was.Key)
            return was.Index;
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i].Key == was.Key)
                return i;
        }
        return Math.Min(was.Index, rows.Count - 1);
    }

    /// <summary>What keys act on: the subject of the page, else that of the selected row.</summary>
    public Subject Subject => Page is { Kind: not PageKind.Help } page ? page.Subject : Row?.Subject ?? Subject.None;

    private TopRow? Row
    {
        get
        {
            var rows = Rows(Focus);
            return rows.Count > 0 ? rows[Selected(Focus, rows)] : null;
        }
    }

    public Effect? Take(Key key)
    {
        if (key.Kind == KeyKind.Redraw)
            return new Effect.DrawAnew();
        if (Prompt is not null)
            return TakePrompt(key);
        if (_filtering is not null)
        {
            TakeFilter(key);
            return null;
        }
        Say("");
        return Page is { } page ? TakePage(page, key) : TakeMain(key);
    }

    /// <summary>The page that wants lines again, at another width.</summary>
    public TopPage? Anew()
    {
        if (Page is not { Kind: not PageKind.Help } page)
            return null;
        page.Clear();
        return page;
    }

    private Effect.Perform? TakePrompt(Key key)
    {
        var (isOver, action) = Prompt!.Take(key);
        if (!isOver)
            return null;
        Prompt = null;
        if (action is null)
        {
            Say("nothing was done");
            return null;
        }
        return Perform(action);
    }

    private void TakeFilter(Key key)
    {
        switch (key.Kind)
        {
            case KeyKind.Enter:
                _filtering = null;
                break;
            case KeyKind.Escape:
                (_filtering, Filter) = (null, "");
                break;
            default:
                _filtering!.Take(key);
                Filter = _filtering.Text.Trim();
                break;
        }
    }

    private Effect? TakePage(TopPage page, Key key)
    {
        if (page.Scroll(key))
            return null;
        switch (key)
        {
            case { Kind: KeyKind.Escape } or { Letter: 'q' } or { Kind: KeyKind.Left }:
                _pages.Pop();
                return new Effect.Leave(page);
            case { Letter: '?' } when page.Kind != PageKind.Help:
                return Open(PageKind.Help, Subject.None);
            case { } when page.Kind == PageKind.Help:
                return null;
            default:
                return TakeAction(key);
        }
    }

    private Effect? TakeMain(Key key)
    {
        switch (key)
        {
            case { Letter: 'q' }:
                return new Effect.Quit();
            case { Letter: '?' }:
                return Open(PageKind.Help, Subject.None);
            case { Letter: '/' }:
                _filtering = new LineEditor();
                Filter = "";
                return null;
            case { Kind: KeyKind.Escape }:
                Filter = "";
                return null;
            case { Kind: KeyKind.Tab }:
                Focus = (Part)(((int)Focus + 1) % 3);
                return null;
            case { Kind: KeyKind.BackTab }:
                Focus = (Part)(((int)Focus + 2) % 3);
                return null;
            case { Letter: 'n' or 'N' }:
                NextAttention(key.Letter == 'n' ? 1 : -1);
                return null;
            case { Kind: KeyKind.Enter }:
                return Row is { Subject: { TaskId: not null } or { AgentId: not null } } row ? Open(PageKind.Details, row.Subject) : Nothing("no task or agent is selected");
            default:
                return Move(key) ? null : TakeAction(key);
        }
    }

    private bool Move(Key key)
    {
        var rows = Rows(Focus);
        var at = Selected(Focus, rows);
        var to = key switch
        {
            { Kind: KeyKind.Up } or { Letter: 'k' } => at - 1,
            { Kind: KeyKind.Down } or { Letter: 'j' } => at + 1,
            { Kind: KeyKind.PageUp } => at - PageRows,
            { Kind: KeyKind.PageDown } => at + PageRows,
            { Kind: KeyKind.Home } or { Letter: 'g' } => 0,
            { Kind: KeyKind.End } or { Letter: 'G' } => rows.Count - 1,
            _ => (int?)null,
        };
        if (to is not { } index)
            return false;
        Select(Focus, rows, index);
        return true;
    }

    private void NextAttention(int step)
    {
        var rows = Rows(Part.Attention);
        if (rows.Count == 0)
        {
            Say("nothing waits for you");
            return;
        }
        var at = Selected(Part.Attention, rows);
        // The first press goes there, further ones go round.
        Select(Part.Attention, rows, Focus == Part.Attention ? (at + step + rows.Count) % rows.Count : at);
        Focus = Part.Attention;
    }

    private void Select(Part part, IReadOnlyList<TopRow> rows, int index)
    {
        if (rows.Count == 0)
            return;
        index = Math.Clamp(index, 0, rows.Count - 1);
        _selected[part] = (rows[index].Key, index);
    }

    private Effect? TakeAction(Key key)
    {
        var subject = Subject;
        var pane = subject.PaneIn(model);
        var task = subject.Task;
        switch (key.Letter)
        {
            case 'l':
                return task is null && pane?.SessionId is null ? Nothing("it has no log") : Open(PageKind.Log, subject);
            case 'd':
                return task is null ? Nothing("no task is selected, whose change could be shown") : Open(PageKind.Diff, subject);
            case 'a':
                return Answer(pane);
            case 's':
                return pane is { Lifecycle: not Protocol.Wire.Lifecycle.Stopped } ? Ask(TopAction.Stop(subject, pane, model.TaskOf(pane.TaskId))) : Nothing("no living agent is selected");
            case 'r' when task is not null:
                Prompt = new TextPrompt($"Queue task {task} once more. What is its agent to be told? (empty: it begins anew)", words => TopAction.Retry(task, words.Trim()));
                return null;
            case 'L' when task is not null:
                return Ask(TopAction.Land(task, ChangeOf(subject)));
            case 'D' when task is not null:
                return Ask(TopAction.Discard(task, ChangeOf(subject)));
            case 'R' when task is not null:
                return Perform(model.TaskOf(subject.TaskId) is { Held: false } ? TopAction.Hold(task) : TopAction.Release(task));
            case 'r' or 'L' or 'D' or 'R':
                return Nothing("no task is selected");
            case 'p':
                return Perform(IsPaused ? TopAction.Resume() : TopAction.Pause());
            default:
                return null;
        }
    }

    /// <summary>Whether the whole queue is paused by hand.</summary>
    public bool IsPaused => model.Status?.Queue?.Paused.Any(pause => pause is { Provider: null, Agent: null, Workspace: null }) == true;

    private Protocol.Wire.WorkChange? ChangeOf(Subject subject) =>
        model.TaskOf(subject.TaskId)?.Change ?? model.Inbox.Items.FirstOrDefault(item => item.TaskId == subject.TaskId && item.Change is not null)?.Change;

    private Effect? Answer(Protocol.Wire.Pane? pane)
    {
        if (pane?.Question is not { } question)
            return Nothing("it asks nothing");
        var agent = pane.Label ?? pane.Id;
        Prompt = question switch
        {
            { Method: "confirm" or Protocol.Wire.AgentQuestion.Permission } or { Method: "select", Options.Count: > 0 } => new ChoicePrompt(agent, pane.Id, question),
            _ => new TextPrompt($"agent {agent} asks: {question.Title}{(question.Message is { Length: > 0 } more ? $"\n{more}" : "")}", words => TopAction.Answer(agent, pane.Id, question, words)),
        };
        return null;
    }

    private Effect? Ask(TopAction action)
    {
        Prompt = new ConfirmPrompt(action);
        return null;
    }

    private Effect.Perform Perform(TopAction action)
    {
        Say($"{action.Twin} …");
        return new Effect.Perform(action, model.PaneOf(action.Request.AgentId)?.Label ?? action.Request.AgentId ?? "");
    }

    private Effect.Load? Open(PageKind kind, Subject subject)
    {
        if (_pages.Count >= MostPages)
            return null;
        var page = new TopPage(++_lastPage, kind, subject);
        _pages.Push(page);
        return new Effect.Load(page);
    }

    private Effect? Nothing(string why)
    {
        Say(why, isWrong: true);
        return null;
    }
}
