using System.Globalization;
using Colibri.Cli.Output;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top.View;

/// <summary>The three parts of the main page, each under its heading.</summary>
internal static class MainView
{
    public const int Headings = 3;
    private const int Wide = 110;
    private const int Margin = 2;

    /// <param name="grid">Where to.</param>
    /// <param name="state">What is shown.</param>
    /// <param name="top">The first row.</param>
    /// <param name="height">How many rows there are.</param>
    /// <param name="now">For ages.</param>
    /// <param name="selects">Whether a row is selected.</param>
    public static void Draw(Grid grid, TopState state, int top, int height, DateTimeOffset now, bool selects = true)
    {
        var rows = Enum.GetValues<Part>().Select(state.Rows).ToArray();
        var heights = Heights([.. rows.Select(part => part.Count)], height - Headings);
        if (selects)
            state.PageRows = Math.Max(heights[(int)state.Focus] - 1, 1);
        var y = top;
        foreach (var part in Enum.GetValues<Part>())
        {
            var (found, room) = (rows[(int)part], heights[(int)part]);
            var hasFocus = selects && state.Focus == part;
            grid.Put(0, y++, Heading(state, part, found.Count, room, hasFocus), hasFocus ? Tone.Strong : Tone.Quiet);
            var selected = state.Selected(part, found);
            var first = Math.Clamp(selected - (room / 2), 0, Math.Max(found.Count - room, 0));
            for (var i = first; i < Math.Min(first + room, found.Count); i++, y++)
            {
                Row(grid, y, found[i], state.Model, now);
                if (hasFocus && i == selected)
                {
                    grid.Put(0, y, ">");
                    grid.Restyle(y, new Style(Tone.Plain, Reversed: true));
                }
            }
        }
    }

    /// <summary>Attention and queue get a share; what one part does not need the others have.</summary>
    public static int[] Heights(int[] wanted, int room)
    {
        room = Math.Max(room, 0);
        var attention = Math.Min(wanted[0], Math.Max(3, room * 35 / 100));
        var queue = Math.Min(wanted[2], Math.Max(2, room * 20 / 100));
        var agents = Math.Max(0, Math.Min(wanted[1], room - attention - queue));
        var left = Math.Max(0, room - attention - agents - queue);
        var more = Math.Min(left, wanted[2] - queue);
        return [Math.Min(attention + Math.Min(left - more, wanted[0] - attention), room), agents, queue + more];
    }

    private static string Heading(TopState state, Part part, int count, int room, bool hasFocus)
    {
        var (name, empty) = part switch
        {
            Part.Attention => ("ATTENTION", "nothing waits for you"),
            Part.Agents => ("AGENTS", "none runs"),
            _ => ("QUEUE", "no task waits"),
        };
        var of = count == 0 ? state.Filter.Length > 0 ? "none fits the filter" : empty : count > room ? $"{count}, {room} shown" : count.ToString(CultureInfo.InvariantCulture);
        var filter = state.Filter.Length > 0 && part == Part.Attention ? $"   filter: {state.Filter} (Esc clears)" : "";
        return $"{(hasFocus ? ">" : "-")} {name} {of}{filter}";
    }

    private static void Row(Grid grid, int y, TopRow row, TopModel model, DateTimeOffset now)
    {
        switch (row)
        {
            case { Item: { } item }:
                Attention(grid, y, item, now);
                break;
            case { Pane: { } pane }:
                Agent(grid, y, pane, row.Task ?? model.TaskOf(pane.TaskId), now);
                break;
            case { Task: { } task }:
                Queued(grid, y, task, now);
                break;
        }
    }

    private static void Attention(Grid grid, int y, InboxItem item, DateTimeOffset now)
    {
        var line = new Cells(grid, y, Margin);
        line.Left(KindOf(item.Kind), 10, InboxView.ToneOf(item.Kind));
        line.Left(string.Join(' ', new[] { item.Number is > 0 ? $"#{item.Number}" : null, item.Label ?? (item.Number is null ? item.Name : null) }.OfType<string>()), 10);
        line.Right(Words.Age(now - item.Since), 4, Tone.Quiet);
        var message = item.Question is { Title: { Length: > 0 } title } ? title : item.Message;
        line.Rest(item.Title is { } name && grid.Width >= Wide ? $"{name}: {message}" : message);
    }

    private static void Agent(Grid grid, int y, Pane pane, BoardTask? task, DateTimeOffset now)
    {
        if (pane.NeedsAttention)
            grid.Put(1, y, "!", Tone.Attention);
        var isWide = grid.Width >= Wide;
        var line = new Cells(grid, y, Margin);
        line.Left(pane.Label ?? pane.Id, 5);
        line.Left(State(pane), 8, pane.Lifecycle == Lifecycle.Stopped ? Tone.Quiet : PaneView.ToneOf(pane));
        if (isWide)
            line.Left(pane.Agent, 8, Tone.Quiet);
        line.Left(pane.Tool ?? "-", isWide ? 12 : 8);
        line.Right(Elapsed((pane.Lifecycle == Lifecycle.Stopped ? pane.LastEventAt ?? pane.StartedAt : now) - pane.StartedAt), 6);
        line.Right(PaneView.Known(pane, "usage", Words.Short(PaneView.Tokens(pane.Usage))), 6);
        line.Right(PaneView.Known(pane, "cost", Money(pane.Usage)), 8);
        line.Left(pane.TaskNumber is { } number ? $"#{number}" : "-", 5);
        var (title, words) = (task?.Title ?? "", Said(pane, task));
        if (isWide)
        {
            line.Left(title, (grid.Width - line.At) * 2 / 5);
            line.Rest(words);
        }
        else
        {
            // What it asks or suffers from tells more than the title.
            line.Rest(title.Length == 0 || pane.NeedsAttention ? words : title);
        }
    }

    private static void Queued(Grid grid, int y, BoardTask task, DateTimeOffset now)
    {
        var line = new Cells(grid, y, Margin);
        line.Left($"#{TaskView.NameOf(task)}", 6);
        line.Left(TaskView.StatusOf(task), 6, TaskView.ToneOf(task));
        line.Right(Words.Age(now - task.CreatedAt), 4, Tone.Quiet);
        line.Right(task.Priority == 0 ? "" : task.Priority.ToString(CultureInfo.InvariantCulture), 4);
        var why = task.BlockedBy is { Count: > 0 } reasons ? string.Join("; ", reasons.Select(reason => grid.Width >= Wide ? $"{reason.Code}: {reason.Message}" : reason.Code)) : "next";
        line.Left(task.Title, (grid.Width - line.At) / 2);
        line.Rest(why, task.BlockedBy is null ? Tone.Quiet : Tone.Attention);
    }

    private static string KindOf(InboxKind kind) => kind == InboxKind.NoAgent ? "no agent" : Words.Of(kind);

    private static string State(Pane pane) => pane switch
    {
        { Lifecycle: Lifecycle.Stopped, Exit: { } exit } => AgentView.Ended(exit).Replace("signal", "sig", StringComparison.Ordinal),
        { Lifecycle: Lifecycle.Running } => PaneView.Activity(pane),
        _ => Words.Of(pane.Lifecycle),
    };

    /// <summary>The latest that is known of what it says: its question, its error, its last words, its task's result, or the name of its last event.</summary>
    private static string Said(Pane pane, BoardTask? task) => pane switch
    {
        { Question: { } question } => FirstLine($"asks: {question.Title ?? question.Message}"),
        { Error: { Length: > 0 } error } => FirstLine(error),
        { LastWords: { Length: > 0 } words } => FirstLine(words),
        _ when task?.Result is { Text: { Length: > 0 } text } => FirstLine(text),
        { LastEvent: { } last } => last,
        _ => "",
    };

    private static string FirstLine(string text) => text.TrimStart().Split('\n')[0];

    private static string Money(Usage usage) => usage switch
    {
        { UnpricedTokens: > 0, CostMicrocents: 0 } => "?",
        { UnpricedTokens: > 0 } => $"{Words.Dollars(usage.CostMicrocents)}+",
        _ => Words.Dollars(usage.CostMicrocents),
    };

    /// <summary>Two units, the lower one with two digits: <c>45s</c>, <c>3m05s</c>, <c>2h07m</c>, <c>4d03h</c>.</summary>
    public static string Elapsed(TimeSpan time) => time switch
    {
        { TotalSeconds: < 0 } => "0s",
        { TotalMinutes: < 1 } => $"{time.Seconds}s",
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}m{time.Seconds:00}s"),
        { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Hours}h{time.Minutes:00}m"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.Days}d{time.Hours:00}h"),
    };

    /// <summary>Cells of one row, from the left.</summary>
    private struct Cells(Grid grid, int y, int x)
    {
        public int At { get; private set; } = x;

        public void Left(string text, int width, Tone tone = Tone.Plain)
        {
            grid.Put(At, y, text, tone, width);
            At += width + 1;
        }

        public void Right(string text, int width, Tone tone = Tone.Plain)
        {
            grid.Put(At + Math.Max(0, width - Columns.Of(Words.Plain(text))), y, text, tone, width);
            At += width + 1;
        }

        public readonly void Rest(string text, Tone tone = Tone.Plain) => grid.Put(At, y, text, tone);
    }
}
