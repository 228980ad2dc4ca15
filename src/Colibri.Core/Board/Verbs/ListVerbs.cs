using System.Text;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>Pages of tasks. The texts are made of the filters that a query has; each kind of query has one text, and its values are bound.</summary>
internal static class ListVerbs
{
    public static TaskList List(BoardConnection connection, TaskQuery query)
    {
        var sequence = query.NewestFirst ? long.MaxValue : 0L;
        if (query.After is { } after)
        {
            var last = connection[TaskRow.ById].Bind(("$id", BoardNames.Task(connection, after))).All(TaskRow.Sequence);
            if (last.Count == 0)
                throw new ArgumentException($"no task {after} on the board to continue after", nameof(query));
            sequence = last[0];
        }
        var seen = 0;
        var characters = 0L;
        var fits = true;
        // One row more than requested tells whether there is a next page.
        var tasks = connection[Text(query)]
            .Bind(
                ("$after", sequence), ("$limit", query.Limit + 1L), ("$agent", query.Agent), ("$workspace", query.Workspace), ("$group", query.Group),
                ("$tag", query.Tag), ("$schedule", query.Schedule))
            .TakeWhile(TaskRow.Read, task =>
            {
                seen++;
                characters += task.Title.Length + task.Description.Length + (task.Result?.Text.Length ?? 0);
                return fits = seen == 1 || (seen <= query.Limit && characters <= query.MaxCharacters);
            });
        return new TaskList(tasks, fits ? null : tasks[^1].Id);
    }

    /// <summary>The texts whose cost must not grow with the board, for a test to hold against the query planner.</summary>
    internal static IReadOnlyList<string> Indexed =>
    [
        TaskRow.ById,
        Text(new TaskQuery { Limit = 1 }),
        Text(new TaskQuery { Limit = 1, NewestFirst = true }),
        .. Enum.GetValues<TaskState>().Select(state => Text(new TaskQuery { Limit = 1, Status = state })),
        .. Enum.GetValues<TaskState>().Select(state => Text(new TaskQuery { Limit = 1, Status = state, NewestFirst = true })),
        Text(new TaskQuery { Limit = 1, Agent = "a" }),
        Text(new TaskQuery { Limit = 1, Workspace = "w", NewestFirst = true }),
        Text(new TaskQuery { Limit = 1, Group = "g", Status = TaskState.Done }),
        Text(new TaskQuery { Limit = 1, Schedule = "s", NewestFirst = true }),
    ];

    // The state is in the text and not bound, because SQLite chooses a partial index only by a constant.
    private static string Text(TaskQuery query)
    {
        var text = new StringBuilder($"SELECT {TaskRow.Columns} FROM tasks WHERE ");
        // A named filter is seldom, and its index is small; the state's index would otherwise be taken for a whole state.
        var named = query.Agent is not null || query.Workspace is not null || query.Group is not null || query.Schedule is not null;
        if (query.Held is { } held)
            text.Append(held ? $"status = 'queued' AND (held = 1 OR {TaskRow.IsHeldForParent}) AND " : $"status = 'queued' AND held = 0 AND NOT {TaskRow.IsHeldForParent} AND ");
        else if (query.Status is { } state)
            text.Append(named ? "+" : "").Append("status = '").Append(TaskRow.Text(state)).Append("' AND ");
        if (query.Agent is not null)
            text.Append("agent = $agent AND ");
        if (query.Workspace is not null)
            text.Append(query.Agent is null ? "workspace = $workspace AND " : "+workspace = $workspace AND ");
        if (query.Group is not null)
            text.Append(query.Agent is null && query.Workspace is null ? "task_group = $group AND " : "+task_group = $group AND ");
        if (query.Schedule is not null)
            text.Append(query.Agent is null && query.Workspace is null && query.Group is null ? "schedule = $schedule AND " : "+schedule = $schedule AND ");
        if (query.Tag is not null)
            text.Append("EXISTS (SELECT 1 FROM json_each(tags) WHERE json_each.value = $tag) AND ");
        return text.Append(query.NewestFirst ? "seq < $after ORDER BY seq DESC LIMIT $limit" : "seq > $after ORDER BY seq LIMIT $limit").ToString();
    }
}
