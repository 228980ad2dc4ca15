using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>What a task's change is, with what settles it.</summary>
internal static class DiffPage
{
    public static async Task<Page> BuildAsync(PageRequest request)
    {
        var task = await request.Daemon.AskAsync(new CommandRequest { Cmd = "get-task", TaskId = request.Values[0] }, ProtocolJson.Wire.BoardTask, request.Cancellation).ConfigureAwait(false);
        var answer = await request.Daemon.AskAsync(new CommandRequest { Cmd = "get-change", TaskId = request.Values[0], Patch = true }, ProtocolJson.Wire.ChangeAnswer, request.Cancellation).ConfigureAwait(false);
        var number = Words.Plain(task.Number);
        var change = answer.Change;
        return new Page($"Change of #{number}", "/tasks",
        [
            Part.Of("change", [Topics.Task(task.Number)], html =>
            {
                html.Open("p").TaskLink(task.Number, task.Title).Close();
                html.Open("p").Badge(Words.Of(change.State)).Text($" {Words.Count(change.Commits, "commit")}, {Words.Count(change.Files, "file")}, +{Words.Number(change.Insertions)} −{Words.Number(change.Deletions)} on ");
                html.Element("code", change.Branch).Text($" in {change.Workspace} ").Twin($"colibri diff {number}").Close();
                if (change.Conflicts is { Count: > 0 } conflicts)
                {
                    html.Element("p", "Changed on both sides:").Open("ul");
                    foreach (var file in conflicts)
                        html.Open("li").Element("code", file).Close();
                    html.Close();
                }
                html.Open("div", ("class", "actions"));
                html.TaskActions(request.Options, task, request.Glass.PaneOfTask(task.Number));
                html.Close();
            }),
            Part.Of("patch", [], html => Patch(html, answer.Patch)),
        ]);
    }

    /// <summary>A patch, file by file. A line's sign stands in the text, so its colour is no more than a help.</summary>
    public static void Patch(HtmlWriter html, string? patch)
    {
        if (patch is not { Length: > 0 })
        {
            html.Empty("There is no difference.");
            return;
        }
        var isOpen = false;
        foreach (var line in patch.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("diff --git ", StringComparison.Ordinal))
            {
                if (isOpen)
                    html.Close().Close();
                html.Open("details", ("open", ""), ("class", "file")).Element("summary", FileOf(line)).Open("pre", ("class", "diff"), ("tabindex", "0"));
                isOpen = true;
                continue;
            }
            if (!isOpen)
            {
                html.Open("details", ("open", ""), ("class", "file")).Element("summary", "patch").Open("pre", ("class", "diff"), ("tabindex", "0"));
                isOpen = true;
            }
            DiffColours.Line(html, line);
        }
        html.Close().Close();
    }

    // "diff --git a/NAME b/NAME", where both are the same but for a rename.
    private static string FileOf(string line)
    {
        var at = line.LastIndexOf(" b/", StringComparison.Ordinal);
        return at < 0 ? line : line[(at + 3)..];
    }
}
