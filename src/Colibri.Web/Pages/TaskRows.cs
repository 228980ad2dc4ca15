using Colibri.Protocol.Wire;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>The table of tasks.</summary>
internal static class TaskRows
{
    public static void Tasks(this HtmlWriter html, IReadOnlyList<BoardTask> tasks, DateTimeOffset now)
    {
        if (tasks.Count == 0)
        {
            html.Empty("No task is here. Add one: colibri add TITLE");
            return;
        }
        html.OpenTable("Tasks", "cards").Head("task", "state", "agent", "workspace", "verdict", "#attempts", "#cost", "changed").Open("tbody");
        foreach (var task in tasks)
        {
            html.Open("tr", ("data-row", ""), ("data-attention", task.Status == TaskState.Failed || task.Held ? "" : null));
            html.Open("td", ("class", "title"), ("data-label", "task")).TaskLink(task.Number, task.Title, row: true).Close();
            html.Open("td", ("data-label", "state")).Badge(task.Held ? "held" : Words.Of(task.Status)).Close();
            html.Cell(task.Agent, null, "agent").Cell(task.Workspace, null, "workspace").Cell(task.Verdict, null, "verdict");
            html.Cell($"{Words.Plain(task.Attempts)} of {Words.Plain(task.MaxAttempts)}", "num", "attempts").Cell(Words.Money(task.Usage.CostMicrocents), "num", "cost");
            html.Open("td", ("data-label", "changed")).When(task.UpdatedAt).Close().Close();
        }
        html.Close().Close().Close();
    }
}
