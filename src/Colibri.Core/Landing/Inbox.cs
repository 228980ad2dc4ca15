using Colibri.Core.Agents;
using Colibri.Core.Board;
using Colibri.Core.Board.Storage;
using Colibri.Core.Cost;
using Colibri.Core.Providers;
using Colibri.Core.Retention;
using Colibri.Core.Runs;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Protocol;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Landing;

/// <summary>What an inbox reads.</summary>
internal sealed record InboxParts
{
    public required TaskBoard Board { get; init; }
    public required AgentSupervisor Supervisor { get; init; }
    public required QueueView Queue { get; init; }
    public required ProviderRouter Router { get; init; }
    public required ProviderHolds Holds { get; init; }
    public required QueuePauses Pauses { get; init; }
    public required Budgets Budgets { get; init; }
    public required DiskGuard Disk { get; init; }
    public required WorkspaceHealth Health { get; init; }

    /// <summary>Redacts what a message quotes, before it is cut.</summary>
    public required Secrets Secrets { get; init; }
    public required Func<ColibriSettings> Settings { get; init; }
    public required TimeProvider Time { get; init; }
}

/// <summary>Everything that waits for a person. It is made anew for each question, from the board and the states of the daemon's parts.</summary>
internal sealed class Inbox(InboxParts parts)
{
    /// <summary>The most items of one kind in an answer.</summary>
    public const int MostOfAKind = 200;

    /// <summary>The most characters of a message.</summary>
    public const int MostCharacters = 1_000;

    private const int MostConflicts = 5;

    private readonly BoardReview _review = new(parts.Board);

    public async Task<InboxReport> ReadAsync()
    {
        var items = new List<InboxItem>();
        var more = 0L;
        items.AddRange(parts.Supervisor.Agents.Where(agent => !agent.HasEnded).SelectMany(Of));
        var changes = (await _review.ChangesAsync(2 * MostOfAKind).ConfigureAwait(false)).Where(task => task.Status != TaskState.Failed).Take(MostOfAKind).ToList();
        more += changes.Count == MostOfAKind ? Math.Max(0, await _review.CountAsync().ConfigureAwait(false) - changes.Count) : 0;
        var failed = await parts.Board.ListAsync(new TaskQuery { Status = TaskState.Failed, NewestFirst = true, Limit = MostOfAKind }).ConfigureAwait(false);
        more += Math.Max(0, parts.Board.Counts.Failed - failed.Tasks.Count);
        // A task that has failed and left a change is one thing, not two.
        items.AddRange(changes.Where(Waits).Select(OfChange));
        items.AddRange(failed.Tasks.Select(OfFailed));
        var held = await parts.Board.ListAsync(new TaskQuery { Held = true, NewestFirst = true, Limit = MostOfAKind }).ConfigureAwait(false);
        items.AddRange(held.Tasks.Select(OfHeld));
        more += held.Next is null ? 0 : 1;
        var queued = parts.Queue.Show(await parts.Board.ListAsync(new TaskQuery { Status = TaskState.Queued, Held = false, Limit = MostOfAKind }).ConfigureAwait(false));
        items.AddRange(queued.Tasks.SelectMany(OfQueued));
        items.AddRange(OfTheWhole());
        return new InboxReport([.. items.OrderBy(item => item.Kind).ThenByDescending(item => item.Since)], more > 0 ? more : null);
    }

    private IEnumerable<InboxItem> Of(SupervisedAgent agent)
    {
        var pane = agent.ToPane();
        var since = pane.LastEventAt ?? pane.StartedAt;
        if (pane.Question is { } question)
        {
            yield return new InboxItem(
                InboxKind.Question, pane.TaskId, pane.TaskNumber, pane.Id, pane.Label, since, OneLine(question.Title ?? question.Message ?? "asks something"),
                [WireCommand.AnswerAgent.Name, WireCommand.StopAgent.Name])
            { Question = question };
        }
        else if (pane.Stalled)
        {
            yield return new InboxItem(
                InboxKind.Stalled, pane.TaskId, pane.TaskNumber, pane.Id, pane.Label, since, $"{pane.Agent} is silent since its event {pane.LastEvent ?? "of none"}",
                [WireCommand.StopAgent.Name]);
        }
    }

    // Nobody waits for a change that is to stay on its branch.
    private bool Waits(BoardTask task) => parts.Settings().Workspace(task.Change!.Workspace)?.Land != LandMode.Never;

    private InboxItem OfChange(BoardTask task)
    {
        var change = task.Change!;
        if (parts.Settings().Workspace(change.Workspace) is null)
            return Item(task, InboxKind.Review, $"its workspace, {change.Workspace}, is not configured any more; its branch is {change.Branch}", WireCommand.DiscardTask);
        var size = $"{Count(change.Commits, "commit")}, {Count(change.Files, "file")}, +{change.Insertions} -{change.Deletions}";
        return change.State == ChangeState.Conflict
            ? Item(task, InboxKind.Conflict, $"in conflict with its base: {string.Join(", ", (change.Conflicts ?? []).Take(MostConflicts))}", WireCommand.RetryTask, WireCommand.DiscardTask)
            // Without force, a change lands only of a task that is done.
            : task.Status == TaskState.Cancelled ? Item(task, InboxKind.Review, $"{size}; its task was cancelled", WireCommand.GetChange, WireCommand.RetryTask, WireCommand.DiscardTask)
            : Item(task, InboxKind.Review, $"{size}; {CheckOf(task)}", WireCommand.GetChange, WireCommand.LandTask, WireCommand.DiscardTask);
    }

    private static string CheckOf(BoardTask task) => task.Check switch
    {
        { Exit: { Code: 0, Signal: null } } => "its check passed",
        { Exit: not null } => "its check failed",
        { } => "its check was not run",
        null => "it has no check",
    };

    private InboxItem OfFailed(BoardTask task)
    {
        var message = task.Error is { } error ? $"{error.Code}: {error.Message}" : task.Verdict ?? "it failed";
        return task.Change is { State: ChangeState.Open or ChangeState.Conflict }
            ? Item(task, InboxKind.Failed, message, WireCommand.RetryTask, WireCommand.GetChange, WireCommand.DiscardTask)
            : Item(task, InboxKind.Failed, message, WireCommand.RetryTask, WireCommand.DeleteTask);
    }

    private InboxItem OfHeld(BoardTask task) => Item(
        task, InboxKind.Held, task.Error is { Code: TaskRow.Poison or TaskRow.ParentFailed } error ? $"{error.Code}: {error.Message}" : "held by hand", WireCommand.ReleaseTask, WireCommand.CancelTask);

    private IEnumerable<InboxItem> OfQueued(BoardTask task) =>
        (task.BlockedBy ?? []).Where(reason => reason.Code is "no-agent" or "rights" or "program" or "program-missing" or "confinement").Take(1)
            .Select(reason => Item(task, InboxKind.NoAgent, reason.Message, WireCommand.EditTask, WireCommand.CancelTask));

    private IEnumerable<InboxItem> OfTheWhole()
    {
        var now = parts.Time.GetUtcNow();
        foreach (var workspace in parts.Settings().Workspaces)
        {
            if (parts.Health.Trouble(workspace.Name) is { } trouble)
                yield return OfPart(InboxKind.Workspace, trouble.Since, workspace.Name, $"workspace {workspace.Name}: {trouble.Problem}", WireCommand.Doctor);
        }
        foreach (var route in parts.Router.Status().Concat(parts.Holds.Status()).Where(route => route.State is "auth-failed" or "no-key"))
            yield return OfPart(InboxKind.Provider, now, route.Provider, $"{route.Provider}: {route.State}{(route.LastError is { } error ? $": {OneLine(error)}" : "")}", WireCommand.ResumeQueue);
        if (parts.Budgets.State is { Held: true } budget)
            yield return OfPart(InboxKind.Budget, now, null, $"the day's budget is used up; starts go on at {budget.LiftsAt:yyyy-MM-dd'T'HH:mm'Z'}", WireCommand.Budget);
        if (parts.Disk.WhyHeld is { } low)
            yield return OfPart(InboxKind.Disk, now, null, low, WireCommand.Prune);
        foreach (var pause in parts.Pauses.State.Paused)
            yield return OfPart(InboxKind.Paused, pause.Since, pause.Provider ?? pause.Agent ?? pause.Workspace, QueuePauses.Words(pause), WireCommand.ResumeQueue);
    }

    private InboxItem OfPart(InboxKind kind, DateTimeOffset since, string? name, string message, WireCommand action) =>
        new(kind, null, null, null, null, since, OneLine(message), [action.Name]) { Name = name };

    private InboxItem Item(BoardTask task, InboxKind kind, string message, params WireCommand[] actions) =>
        new(kind, task.Id, task.Number, task.AgentId, null, task.FinishedAt ?? task.UpdatedAt, OneLine(message), [.. actions.Select(action => action.Name)])
        {
            Title = task.Title,
            Change = task.Change is { Conflicts: { Count: > MostConflicts } conflicts } change ? change with { Conflicts = [.. conflicts.Take(MostConflicts)] } : task.Change,
            // What it printed is in get-task: of hundreds of tasks it would be megabytes.
            Check = task.Check is { } check ? check with { OutputTail = null } : null,
        };

    private string OneLine(string text) => parts.Secrets.Excerpt(text.ReplaceLineEndings(" "), MostCharacters);

    private static string Count(int number, string thing) => $"{number} {thing}{(number == 1 ? "" : "s")}";
}
