using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>Tasks for a person.</summary>
internal static class TaskView
{
    private const int LabelWidth = 12;
    private const int ResultLines = 20;
    private const int WidestName = 12;
    private const int BelowIndent = 2;

    public static void Block(Screen screen, BoardTask task)
    {
        void Field(string label, string? value, Tone tone = Tone.Plain)
        {
            if (!string.IsNullOrEmpty(value))
                screen.Field(label, Words.Plain(value), LabelWidth, tone);
        }

        Field("task", task.Number > 0 ? $"{task.Number} ({task.Id})" : task.Id);
        Field("title", task.Title, Tone.Strong);
        Field("status", StatusOf(task), ToneOf(task));
        foreach (var reason in task.BlockedBy ?? [])
            Field(reason == task.BlockedBy![0] ? "waits for" : "", $"{reason.Code}: {reason.Message}", Tone.Attention);
        // A daemon that tells what a task waits for says this too.
        if (task.Held && task.BlockedBy is null)
            Field("", $"it does not start before: colibri release-task {NameOf(task)}", Tone.Attention);
        Field("profile", task.Agent);
        Field("model", task.Model);
        Field("workspace", task.Workspace);
        Field("directory", task.Cwd);
        Field("group", task.Group);
        // What is the case for most is not told.
        if (task.OnFailed != "hold")
            Field("on failed", task.OnFailed);
        foreach (var parent in task.Parents ?? [])
            Field(parent == task.Parents![0] ? "after" : "", $"task {parent.Number} ({Words.Of(parent.Status)}): {parent.Title}", ToneOf(parent.Status));
        Field("schedule", task.Schedule);
        Field("tags", string.Join(", ", task.Tags));
        Field("attempts", $"{task.Attempts} of {task.MaxAttempts}");
        if (task.Priority != 0)
            Field("priority", Words.Number(task.Priority));
        Field("needs", string.Join(", ", task.Capabilities));
        Field("agent", task.Runs?.LastOrDefault(run => run.AgentId == task.AgentId)?.Label is { } label ? $"{label} ({task.AgentId})" : task.AgentId);
        Field("session", task.SessionId);
        // While another attempt is under way or to come, these are of the one before.
        var isOver = task.Status is TaskState.Done or TaskState.Failed or TaskState.Cancelled;
        Field(isOver ? "verdict" : "last try", task.Verdict);
        if (task.Error is { } error)
            Field(isOver ? "error" : "last error", $"{error.Code}: {error.Message}", isOver ? Tone.Bad : Tone.Plain);
        Field("denied", Denied(task.Denied), Tone.Attention);
        Field("feedback", task.Feedback);
        if (task.Check is { } check)
            Field("check", $"{check.Command}{(check.Exit is { } exit ? $": {AgentView.Ended(exit)}" : "")}", check.Exit is { Code: not 0 } ? Tone.Bad : Tone.Plain);
        if (task.Change is { } change)
        {
            Field("change", $"{change.Branch}, {Words.Of(change.State)}: {Words.Count(change.Commits, "commit")}, {Words.Count(change.Files, "file")}, "
                + $"+{Words.Number(change.Insertions)} -{Words.Number(change.Deletions)}");
        }
        if (task.Usage != new Usage())
        {
            Field("usage", Tokens(task.Usage));
            Field("cost", CostView.Cost(task.Usage));
        }
        foreach (var run in task.Runs ?? [])
            Field($"attempt {run.Attempt}", Attempt(run), run.Error is null ? Tone.Plain : Tone.Quiet);
        if (task.Interruptions > 0)
            Field("cut short", $"{Words.Count(task.Interruptions, "run")} in a row, because the daemon was killed");
        Field("created", Words.Time(task.CreatedAt));
        Field("updated", Words.Time(task.UpdatedAt));
        Field("not before", Time(task.NotBefore));
        Field("started", Time(task.StartedAt));
        Field("finished", Time(task.FinishedAt));
        if (task.RunTimeoutMs is { } timeout)
            Field("time limit", Words.Duration(TimeSpan.FromMilliseconds(timeout)));
        if (task.BudgetMicrocents is { } budget)
            Field("budget", Words.Dollars(budget));
        Field("tenant", task.Tenant);
        if (task.Description.Length > 0)
        {
            screen.Line();
            screen.Prose(Text.Lines(task.Description), 2);
        }
        if (task.Result is { } result)
            Said(screen, result);
        if (task.SessionId is { } session)
        {
            screen.Line();
            screen.Line($"what was said: {(task.Number > 0 ? $"colibri logs {task.Number}" : $"colibri get-session {Words.Plain(session)}")}");
        }
    }

    private static void Said(Screen screen, TaskResult result)
    {
        screen.Line();
        screen.Line(screen.Paint("the agent's last words", Tone.Strong));
        var lines = Text.Lines(result.Text).SelectMany(line => Columns.Wrap(line, screen.Width - 2)).ToList();
        var isLong = lines.Count > ResultLines + 1;
        screen.Prose(isLong ? lines.Take(ResultLines) : lines, 2);
        if (isLong)
            screen.Prose([$"{Columns.Ellipsis} {Words.Number(lines.Count - ResultLines)} more lines, --json has all"], 2);
        else if (result.Truncated is true)
            screen.Prose([$"{Columns.Ellipsis} cut; the session has all"], 2);
    }

    private static string Attempt(TaskRun run)
    {
        var route = run.Provider is null ? "" : $" on {run.Provider}{(run.Model is null ? "" : ":" + run.Model)}";
        var took = run.FinishedAt is { } end ? $", {Words.Duration(end - run.StartedAt)}" : ", running";
        var cost = run.Usage == new Usage() ? "" : $", {CostView.Cost(run.Usage)}";
        var denied = run.Denied is null ? "" : $", denied: {Calls(run.Denied)}";
        var lost = run.SessionEntriesDropped is { } entries ? $", {Words.Number(entries)} session entries lost" : "";
        var rights = string.Join(", ", new[] { run.Profile, run.Access is { } access ? $"may {access}" : null }.OfType<string>());
        var by = (run.Label is { } label ? $" by {label}" : "") + (rights.Length > 0 ? $" ({rights})" : "");
        var place = run.Cwd is { } cwd ? $", in {cwd}" : "";
        return $"{run.Verdict ?? "under way"}{by}{route}{took}{cost}{denied}{lost}{place}";
    }

    /// <summary>Refused calls by tool, with the reasons that are known; null where there are none.</summary>
    public static string? Denied(IReadOnlyList<DeniedTool>? denied) => denied is not { Count: > 0 } ? null
        : string.Join("; ", denied.Select(tool => $"{Call(tool)}{(tool.Reason is { Length: > 0 } reason ? $": {reason}" : "")}"));

    private static string Calls(IReadOnlyList<DeniedTool> denied) => string.Join(", ", denied.Select(Call));

    private static string Call(DeniedTool tool) => tool.Count == 1 ? tool.Tool : $"{tool.Tool} {Words.Number(tool.Count)} times";

    /// <summary>What a person types for it: its number, or its id from a daemon that gives none.</summary>
    public static string NameOf(BoardTask task) => task.Number > 0 ? task.Number.ToString(System.Globalization.CultureInfo.InvariantCulture) : task.Id;

    /// <param name="screen">Where to.</param>
    /// <param name="list">The page.</param>
    /// <param name="request">What was asked, of which the filters are told again.</param>
    public static void List(Screen screen, TaskList list, CommandRequest request)
    {
        var filter = Filters(request);
        if (list.Tasks.Count == 0)
        {
            screen.Line(filter.Length == 0
                ? "no tasks; add one: colibri add 'What to do'"
                : $"no {(request.Status is { } status && filter == $" --status {status}" ? status : "such")} tasks; see all: colibri list-tasks");
            return;
        }
        // A column that nobody fills takes room from the titles.
        var (hasAgents, hasWorkspaces) = (list.Tasks.Any(task => task.Agent is not null), list.Tasks.Any(task => task.Workspace is not null));
        List<TableColumn> columns = [new TableColumn("TASK", RightAligned: true), "STATE", new TableColumn("AGE", RightAligned: true)];
        if (hasAgents)
            columns.Add("AGENT");
        if (hasWorkspaces)
            columns.Add("WORKSPACE");
        columns.AddRange([new TableColumn("COST", RightAligned: true), new TableColumn("TITLE", Flexible: true)]);
        var table = new Table([.. columns]);
        foreach (var task in list.Tasks)
        {
            List<TableCell> cells = [NameOf(task), new TableCell(StatusOf(task), ToneOf(task)), Words.Age(screen.Now - task.CreatedAt)];
            if (hasAgents)
                cells.Add(Columns.Cut(Words.Plain(task.Agent ?? "-"), WidestName));
            if (hasWorkspaces)
                cells.Add(Columns.Cut(Words.Plain(task.Workspace ?? "-"), WidestName));
            cells.AddRange([task.Usage == new Usage() ? "-" : CostView.Cost(task.Usage), task.Title]);
            table.Add([.. cells]);
            if (WhyHeld(task) is { } why)
                table.Below(why);
            else if (task is { Error: { } error, Status: not (TaskState.Done or TaskState.Cancelled) })
                table.Below(Columns.Cut(Words.Plain($"{error.Code}: {error.Message}"), screen.Width - BelowIndent));
            else if (task.BlockedBy?.FirstOrDefault(reason => reason.Code is "rights" or "program" or "program-missing" or "confinement") is { } waits)
                table.Below(Columns.Cut(Words.Plain($"{waits.Code}: {waits.Message}"), screen.Width - BelowIndent));
        }
        table.Write(screen);
        if (list.Next is { } next)
            screen.Line($"there are more: colibri list-tasks{Words.Plain(filter)} --after {(list.Tasks[^1] is { Number: > 0 } last && last.Id == next ? NameOf(last) : Words.Plain(next))}");
    }

    private static string Filters(CommandRequest request) => string.Concat(
        new[]
        {
            ("--status", request.Status), ("--agent", request.Agent), ("--workspace", request.Workspace), ("--group", request.Group), ("--tag", request.Tag), ("--schedule", request.Schedule),
            ("--order", request.Order is "newest" ? null : request.Order),
        }
        .Where(filter => filter.Item2 is not null).Select(filter => $" {filter.Item1} {filter.Item2}"));

    public static void Created(Screen screen, BoardTask task)
    {
        var name = Words.Plain(NameOf(task));
        screen.Line(task.Existing is true
            ? $"the key is known: it is task {name} ({StatusOf(task)}), and no second task was made"
            : $"created task {name} ({StatusOf(task)})");
        screen.Line($"  {Words.Plain($"in {Place(task)}, by {task.Agent ?? "any agent"}")}");
        foreach (var reason in task.BlockedBy ?? [])
        {
            var indent = "  ";
            foreach (var line in Columns.Wrap(Words.Plain($"{reason.Code}: {reason.Message}"), screen.Width - 4))
            {
                screen.Line(indent + line);
                indent = "    ";
            }
        }
        // A task that comes after one that has failed may be over at once.
        if (task is { Status: TaskState.Failed, Error: { } error })
        {
            foreach (var line in Columns.Wrap(Words.Plain($"{error.Code}: {error.Message}"), screen.Width - 4))
                screen.Line($"  {line}");
        }
        if (task.Status is TaskState.Queued or TaskState.Claimed or TaskState.Started)
            screen.Line($"follow it: colibri wait {name}");
    }

    private static string Place(BoardTask task) => task.Workspace is { } workspace ? $"workspace {workspace}" : task.Cwd ?? "a directory of its own";

    /// <summary>One line on where a task stands.</summary>
    public static string Standing(BoardTask task)
    {
        var by = task is { AgentId: { } agent, Status: TaskState.Claimed or TaskState.Started } ? $" by agent {agent}" : "";
        return $"task {NameOf(task)} is {StatusOf(task)}{by}";
    }

    /// <summary>A held task is queued on the wire; to a person that is not the same, because it does not start.</summary>
    public static string StatusOf(BoardTask task) => task is { Held: true, Status: TaskState.Queued } ? "held" : Words.Of(task.Status);

    public static Tone ToneOf(BoardTask task) => task.Held ? Tone.Attention : ToneOf(task.Status);

    private static string? WhyHeld(BoardTask task) => task switch
    {
        { Held: false } => null,
        { Error: { Code: "poison" or "parent-failed" } error } => $"{error.Code}: {error.Message}",
        _ => $"start it: colibri release-task {NameOf(task)}",
    };

    public static string Tokens(Usage usage)
    {
        var text = $"{Words.Number(usage.InputTokens)} tokens in, {Words.Number(usage.OutputTokens)} out";
        if (usage.CacheReadTokens > 0)
            text += $", {Words.Number(usage.CacheReadTokens)} read from cache";
        if (usage.CacheWriteTokens > 0)
            text += $", {Words.Number(usage.CacheWriteTokens)} written to it";
        return text;
    }

    public static Tone ToneOf(TaskState status) => status switch
    {
        TaskState.Done => Tone.Good,
        TaskState.Failed => Tone.Bad,
        TaskState.Cancelled => Tone.Attention,
        _ => Tone.Plain,
    };

    private static string? Time(DateTimeOffset? time) => time is { } there ? Words.Time(there) : null;
}
