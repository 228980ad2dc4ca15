using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>A line an event: when, which task or pane, and what is new about it.</summary>
internal sealed class EventView(Screen screen)
{
    // Only to say "queued → started" and nothing twice: forgetting costs an arrow or a line, so a long watch forgets rather than grows.
    private const int MostRemembered = 10_000;
    private const int ClockWidth = 10;
    private const int LeastRoom = 4;
    private readonly Dictionary<string, string> _before = [];

    public void Write(Event change)
    {
        var line = change switch
        {
            { Missed: { } missed } => screen.Paint($"missed {Words.Count(missed, "event")}: this watch read too slowly", Tone.Attention),
            { Task: { } task } => OfTask(task),
            { Pane: { } pane } => OfPane(pane),
            { Budget: { } budget } => "cost  " + Columns.Cut(string.Join("; ", CostView.Budget(budget)), screen.Width - ClockWidth - "cost  ".Length),
            { Notice: { } notice } => OfNotice(notice),
            { Cost: { } cost } => "cost  " + Columns.Cut(OfCost(cost), screen.Width - ClockWidth - "cost  ".Length),
            _ => Words.Plain(change.Kind),
        };
        if (line is not null)
            screen.Line($"{Words.Clock(change.At)} {line}");
    }

    private string OfTask(BoardTask task)
    {
        var status = TaskView.StatusOf(task);
        var before = Remember(task.Id, status);
        var what = before is null || before == status ? status : $"{before} → {status}";
        var why = task is { Status: TaskState.Failed or TaskState.Queued, Error: { } error } ? $" ({error.Code})" : "";
        var head = $"task  {Words.Plain(TaskView.NameOf(task))} ";
        var room = screen.Width - ClockWidth - head.Length - what.Length - Columns.Of(why) - 1;
        var title = room >= LeastRoom ? " " + Columns.Cut(Words.Plain(task.Title), room) : "";
        return head + screen.Paint(what, TaskView.ToneOf(task)) + Words.Plain(why) + title;
    }

    private string OfNotice(Notice notice)
    {
        var head = $"told  {Words.Of(notice.Kind)} ";
        var what = notice.TaskNumber is { } number ? $"task {number.ToString(System.Globalization.CultureInfo.InvariantCulture)}: {notice.Message}" : notice.Message;
        return screen.Paint(head, notice.EndedAt is null ? Tone.Attention : Tone.Quiet)
            + Columns.Cut(Words.Plain(notice.EndedAt is null ? what : $"over: {what}"), Math.Max(screen.Width - ClockWidth - head.Length, LeastRoom));
    }

    private static string OfCost(CostState cost) => cost is { EscalatedFrom: { } from }
        ? Words.Plain($"{Words.Of(cost.Mode)}, escalated from {Words.Of(from)}" + (cost.EscalatedBy is { } by ? $" by {by}" : ""))
        : StatusView.Mode(cost);

    /// <summary>Null where what a line shows is as it was: token counts alone would fill the screen.</summary>
    private string? OfPane(Pane pane)
    {
        if (Remember(pane.Id, PaneView.Standing(pane)) == PaneView.Standing(pane))
            return null;
        var head = $"pane  {Words.Plain(pane.Label ?? pane.Id)} ";
        var what = Words.Plain($"{PaneView.Standing(pane)} ({pane.Agent})");
        return head + screen.Paint(Columns.Cut(what, Math.Max(screen.Width - ClockWidth - head.Length, LeastRoom)), PaneView.ToneOf(pane));
    }

    private string? Remember(string id, string status)
    {
        if (_before.Count >= MostRemembered)
            _before.Clear();
        var before = _before.GetValueOrDefault(id);
        _before[id] = status;
        return before;
    }
}
