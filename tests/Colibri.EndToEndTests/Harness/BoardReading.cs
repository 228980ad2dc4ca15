using System.Text.Json;

namespace Colibri.EndToEndTests.Harness;

/// <summary>Waiting for tasks and panes to become something, asked for over the wire.</summary>
internal static class BoardReading
{
    private static readonly string[] Terminal = ["done", "failed", "cancelled"];

    public static Task<JsonElement> TaskAsync(this WireClient client, string taskId) =>
        client.DataAsync(new { cmd = "get-task", task_id = taskId });

    /// <summary>The task once it has ended; fails where it ends in another status than the one expected.</summary>
    public static async Task<JsonElement> TaskEndedAsync(this WireClient client, string taskId, string status, TimeSpan? deadline = null)
    {
        var task = await client.TaskWhereAsync(taskId, task => Terminal.Contains(task.Text("status")), $"ends as {status}", deadline);
        task.Text("status").ShouldBe(status, task.ToString());
        return task;
    }

    public static Task<JsonElement> TaskWhereAsync(
        this WireClient client, string taskId, Func<JsonElement, bool> condition, string what, TimeSpan? deadline = null)
    {
        JsonElement last = default;
        return Eventually.GetAsync<JsonElement>(
            async () => condition(last = await client.TaskAsync(taskId)) ? last : null, () => $"task {what}; it is {last}", deadline);
    }

    public static async Task<IReadOnlyList<JsonElement>> PanesAsync(this WireClient client) =>
        (await client.DataAsync(new { cmd = "snapshot" })).Items("panes");

    public static Task<JsonElement> PaneWhereAsync(this WireClient client, string agentId, Func<JsonElement, bool> condition, string what)
    {
        JsonElement last = default;
        return Eventually.GetAsync<JsonElement>(
            async () =>
            {
                last = (await client.PanesAsync()).SingleOrDefault(pane => pane.Text("id") == agentId);
                return last.ValueKind == JsonValueKind.Object && condition(last) ? last : null;
            },
            () => $"pane {what}; it is {last}");
    }

    public static Task<JsonElement> PaneStoppedAsync(this WireClient client, string agentId) =>
        client.PaneWhereAsync(agentId, pane => pane.Text("lifecycle") == "stopped", "is stopped");

    public static async Task<string> SpawnAsync(this WireClient client, object request) => (await client.DataAsync(request)).Text("id");

    /// <summary>Every task, page by page.</summary>
    public static async Task<List<JsonElement>> AllTasksAsync(this WireClient client, int pageSize = 500)
    {
        var tasks = new List<JsonElement>();
        for (string? after = null; ;)
        {
            var page = await client.DataAsync(after is null
                ? new { cmd = "list-tasks", limit = pageSize }
                : (object)new { cmd = "list-tasks", limit = pageSize, after });
            tasks.AddRange(page.Items("tasks"));
            after = page.TextOrNull("next");
            if (after is null)
                return tasks;
            page.Items("tasks").Count.ShouldBeInRange(1, pageSize);
        }
    }
}
