using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Colibri.Web.Html;

namespace Colibri.Web.Pages;

/// <summary>The tasks, page by page, with the filters in the address.</summary>
internal static class TasksPage
{
    private const int PageSize = 50;
    private static readonly string[] States = ["queued", "claimed", "started", "done", "failed", "cancelled", "held"];

    public static async Task<Page> BuildAsync(PageRequest request)
    {
        var order = request.Said("order") is "oldest" ? "oldest" : "newest";
        var asked = new CommandRequest
        {
            Cmd = "list-tasks",
            Limit = PageSize,
            Order = order,
            Status = request.Said("status"),
            Agent = request.Said("agent"),
            Workspace = request.Said("workspace"),
            Group = request.Said("group"),
            Tag = request.Said("tag"),
            After = request.Said("after") is { } after ? [after] : null,
        };
        var tasks = await request.Daemon.AskAsync(asked, ProtocolJson.Wire.TaskList, request.Cancellation).ConfigureAwait(false);
        return new Page("Tasks", "/tasks",
        [
            Part.Of("filters", [], html => Filters(html, request, order)),
            Part.Of("list", [Topics.Tasks], html =>
            {
                html.Tasks(tasks.Tasks, request.Now);
                if (tasks.Next is { } next)
                    html.Open("p").Element("a", "Next page", ("href", Address(request, next)), ("rel", "next")).Close();
            }),
        ]);
    }

    private static void Filters(HtmlWriter html, PageRequest request, string order)
    {
        html.Open("form", ("class", "filters"), ("method", "get"), ("action", "/tasks"), ("role", "search"), ("aria-label", "Filter tasks"));
        html.Open("span", ("class", "field")).Element("label", "State", ("for", "f-status")).Open("select", ("id", "f-status"), ("name", "status"));
        // Without a value of its own an option stands for its text, and an empty one for no filter.
        html.Open("option", ("value", "")).Text("all").Close();
        foreach (var state in States)
            html.Element("option", state, ("value", state), ("selected", request.Said("status") == state ? "" : null));
        html.Close().Close();
        foreach (var name in (string[])["agent", "workspace", "group", "tag"])
            Field(html, name, request.Said(name), isFirst: name == "agent");
        html.Open("span", ("class", "field")).Element("label", "Order", ("for", "f-order")).Open("select", ("id", "f-order"), ("name", "order"));
        foreach (var each in (string[])["newest", "oldest"])
            html.Element("option", each, ("value", each), ("selected", order == each ? "" : null));
        html.Close().Close().Element("button", "Filter", ("type", "submit")).Element("a", "Clear", ("href", "/tasks")).Close();
    }

    private static void Field(HtmlWriter html, string name, string? value, bool isFirst) =>
        html.Open("span", ("class", "field")).Element("label", char.ToUpperInvariant(name[0]) + name[1..], ("for", $"f-{name}"))
            .Open("input", ("id", $"f-{name}"), ("name", name), ("value", value), ("data-filter", isFirst ? "" : null), ("autocomplete", "off")).Close();

    private static string Address(PageRequest request, string after)
    {
        var said = ((string[])["status", "agent", "workspace", "group", "tag", "order"]).Select(name => (Name: name, Value: request.Said(name))).Where(pair => pair.Value is not null).Append((Name: "after", Value: after));
        return "/tasks?" + string.Join('&', said.Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value!)}"));
    }
}
