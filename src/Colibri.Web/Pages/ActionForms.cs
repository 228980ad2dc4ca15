using Colibri.Protocol.Wire;
using Colibri.Web.Html;
using Colibri.Web.Options;

namespace Colibri.Web.Pages;

/// <summary>The forms of actions, each with the command that does the same in a shell. Without --write there is the command alone.</summary>
internal static class ActionForms
{
    /// <summary>A button.</summary>
    /// <param name="command">The daemon's command.</param>
    /// <param name="fields">Its fields.</param>
    /// <param name="label">What is on the button.</param>
    /// <param name="twin">The same in a shell.</param>
    /// <param name="confirm">What it ends or destroys; null where nothing is.</param>
    /// <param name="write">Further inputs.</param>
    public static void Action(this HtmlWriter html, WebOptions options, string command, (string Name, string Value)[] fields, string label, string twin,
        string? confirm = null, Action<HtmlWriter>? write = null)
    {
        if (!options.Write)
        {
            html.Open("p", ("class", "action")).Twin(twin).Close();
            return;
        }
        html.Open("form", ("class", "action"), ("method", "post"), ("action", $"/api/{command}"), ("data-action", command), ("data-confirm", confirm));
        foreach (var (name, value) in fields)
            html.Open("input", ("type", "hidden"), ("name", name), ("value", value));
        write?.Invoke(html);
        html.Element("button", label, ("type", "submit"), ("class", ClassOf(command, confirm))).Twin(twin).Close();
    }

    /// <summary>A question of an agent, and what answers it.</summary>
    public static void Question(this HtmlWriter html, WebOptions options, AgentQuestion question, string agentId, string? label)
    {
        var agent = label ?? agentId;
        html.Open("div", ("class", "question"), ("data-attention", ""));
        html.Open("p").Element("strong", $"{agent} asks: ").Text(question.Title ?? question.Method).Close();
        if (question.Message is { Length: > 0 } message)
            html.Element("p", message, ("class", "words"));
        (string, string)[] whose = [("agent_id", agentId), ("request", question.Request)];
        html.Open("div", ("class", "actions"));
        if (question.Options is { Count: > 0 } choices)
        {
            foreach (var choice in choices)
                html.Action(options, "answer", [.. whose, ("value", choice)], choice, $"colibri answer {agent} --value {Shell(choice)}");
        }
        else if (question.Method is "confirm" or AgentQuestion.Permission)
        {
            html.Action(options, "answer", [.. whose, ("confirmed", "true")], "Yes", $"colibri answer {agent} --yes");
            html.Action(options, "answer", [.. whose, ("confirmed", "false")], "No", $"colibri answer {agent} --no");
        }
        else
        {
            var id = $"answer-{agent}";
            html.Action(options, "answer", whose, "Answer", $"colibri answer {agent} --value TEXT", write: form =>
                form.Element("label", "Answer", ("for", id)).Open("textarea", ("id", id), ("name", "value"), ("rows", "3"), ("required", "")).Close());
        }
        html.Action(options, "answer", [.. whose, ("cancelled", "true")], "Go on without an answer", $"colibri answer {agent} --cancel");
        html.Close().Close();
    }

    /// <summary>What can be done with a task as it is now.</summary>
    public static void TaskActions(this HtmlWriter html, WebOptions options, BoardTask task, Pane? pane)
    {
        var number = Words.Plain(task.Number);
        (string, string)[] which = [("task_id", task.Id)];
        if (task.Change is { State: ChangeState.Open or ChangeState.Conflict } change)
        {
            if (change.State == ChangeState.Open)
                html.Action(options, "land-task", which, "Land", $"colibri land {number}", $"Landing #{number} merges {change.Branch} into the base of {change.Workspace}.");
            html.Action(options, "discard-task", which, "Discard", $"colibri discard {number}",
                $"Discarding #{number} takes {Words.Count(change.Commits, "commit")} off {change.Branch}. The work stays under refs/colibri/parked/.");
        }
        switch (task.Status)
        {
            case TaskState.Done or TaskState.Failed or TaskState.Cancelled:
                html.Action(options, "retry-task", which, "Retry", $"colibri retry {number} --feedback TEXT", write: form =>
                    form.Element("label", "Feedback (may be empty)", ("for", "feedback")).Open("textarea", ("id", "feedback"), ("name", "feedback"), ("rows", "2")).Close());
                break;
            case TaskState.Queued when task.Held:
                html.Action(options, "release-task", which, "Release", $"colibri release-task {number}");
                break;
            case TaskState.Queued:
                html.Action(options, "hold-task", which, "Hold", $"colibri hold-task {number}");
                break;
        }
        if (pane is not null)
            html.StopAgent(options, pane);
        if (task.Status is TaskState.Queued or TaskState.Claimed or TaskState.Started)
            html.Action(options, "cancel-task", which, "Cancel the task", $"colibri cancel-task {number}",
                $"Cancelling #{number} ends {(pane is null ? "it before it starts" : $"the agent {pane.Label} on it, with all its processes")}.");
    }

    public static void StopAgent(this HtmlWriter html, WebOptions options, Pane pane)
    {
        if (pane.Lifecycle is Lifecycle.Stopped or Lifecycle.Stopping)
            return;
        var what = pane.TaskNumber is { } number ? $"its run of #{Words.Plain(number)} and " : "";
        html.Action(options, "stop-agent", [("agent_id", pane.Id)], $"Stop {pane.Label}", $"colibri stop-agent {pane.Label}",
            $"Stopping {pane.Label} ends {what}all its processes.");
    }

    // What is confirmed destroys something, but for landing, which is what work is done for.
    private static string? ClassOf(string command, string? confirm) => confirm is null ? null : command == "land-task" ? "step" : "danger";

    // As a shell takes it for one word.
    internal static string Shell(string word) =>
        word.Length > 0 && word.All(part => char.IsAsciiLetterOrDigit(part) || part is '-' or '_' or '.' or '/' or ':') ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
