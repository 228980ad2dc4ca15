using Colibri.Protocol.Wire;
using Colibri.Web.Html;
using Colibri.Web.Options;

namespace Colibri.Web.Pages;

/// <summary>What waits for a person, each with what settles it.</summary>
internal static class InboxList
{
    public static void Inbox(this HtmlWriter html, InboxReport? inbox, WebOptions options, int most)
    {
        if (inbox is null)
        {
            html.Empty("The daemon has not answered yet.");
            return;
        }
        if (inbox.Items.Count == 0)
        {
            html.Empty("Nothing waits for you.");
            return;
        }
        html.Open("ul", ("class", "inbox"));
        foreach (var item in inbox.Items.Take(most))
            Item(html, item, options);
        html.Close();
        var more = inbox.Items.Count - most;
        if (more > 0 || inbox.More is > 0)
            html.Element("p", $"{Words.Number(Math.Max(more, 0) + (inbox.More ?? 0))} more wait.", ("class", "note"));
    }

    private static void Item(HtmlWriter html, InboxItem item, WebOptions options)
    {
        html.Open("li", ("data-row", ""), ("data-attention", ""), ("class", $"item kind-{item.Kind.ToString().ToLowerInvariant()}"));
        html.Open("p", ("class", "item-head")).Badge(Words.Kind(item.Kind)).Text(" ");
        if (item.Number is { } number)
            html.TaskLink(number, item.Title, row: true);
        else if (item.Label is { } label)
            html.AgentLink(label);
        else if (item.Name is { } name)
            html.Element("strong", name);
        html.Text(" ").When(item.Since).Close();
        if (item.Question is { } question && item.AgentId is { } agent)
            html.Question(options, question, agent, item.Label);
        else
            html.Element("p", item.Message, ("class", "words"));
        if (item.Change is { Commits: > 0 } change)
            html.Open("p").Text("on ").Element("code", change.Branch).Text($" in {change.Workspace}").Close();
        html.Open("div", ("class", "actions"));
        foreach (var action in item.Actions)
            Action(html, item, action, options);
        html.Close().Close();
    }

    private static void Action(HtmlWriter html, InboxItem item, string action, WebOptions options)
    {
        var number = item.Number is { } n ? Words.Plain(n) : "";
        (string, string)[] which = [("task_id", item.TaskId ?? "")];
        switch (action)
        {
            case "answer":
                break;
            case "get-change" when item.Number is not null:
                html.Open("p", ("class", "action")).Element("a", "See the diff", ("href", $"/tasks/{number}/diff")).Twin($"colibri diff {number}").Close();
                break;
            case "land-task":
                html.Action(options, action, which, "Land", $"colibri land {number}", $"Landing #{number} merges its branch into the base of {item.Change?.Workspace ?? "its workspace"}.");
                break;
            case "discard-task":
                html.Action(options, action, which, "Discard", $"colibri discard {number}", $"Discarding #{number} takes its branch away. The commits stay under refs/colibri/parked/.");
                break;
            case "retry-task":
                html.Action(options, action, which, "Retry", $"colibri retry {number}");
                break;
            case "release-task":
                html.Action(options, action, which, "Release", $"colibri release-task {number}");
                break;
            case "cancel-task":
                html.Action(options, action, which, "Cancel", $"colibri cancel-task {number}", $"Cancelling #{number} ends it.");
                break;
            case "stop-agent" when item.AgentId is { } agent:
                html.Action(options, action, [("agent_id", agent)], $"Stop {item.Label}", $"colibri stop-agent {item.Label ?? agent}", $"Stopping {item.Label ?? agent} ends its run and all its processes.");
                break;
            case "resume-queue" when item.Kind == InboxKind.Provider && item.Name is { } provider:
                html.Action(options, action, [("provider", provider)], "Try it again", $"colibri resume-queue --provider {ActionForms.Shell(provider)}");
                break;
            case "resume-queue":
                html.Open("p", ("class", "action")).Element("a", "See the pauses", ("href", "/providers")).Close();
                break;
            case "budget":
                html.Action(options, action, [("action", "lift")], "Lift the budget for today", "colibri budget lift", "Lifting the day's budget lets agents spend more today.");
                break;
            default:
                html.Open("p", ("class", "action")).Twin($"colibri {action} {number}").Close();
                break;
        }
    }
}
