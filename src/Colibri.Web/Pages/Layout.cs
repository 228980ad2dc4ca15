using Colibri.Web.Assets;
using Colibri.Web.Glass;
using Colibri.Web.Html;
using Colibri.Web.Options;

namespace Colibri.Web.Pages;

/// <summary>What stands around the parts of every page.</summary>
internal static class Layout
{
    private static readonly (string Path, string Name)[] Navigation =
    [
        ("/", "Overview"), ("/tasks", "Tasks"), ("/agents", "Agents"), ("/inbox", "Inbox"), ("/cost", "Cost"), ("/providers", "Providers"), ("/schedules", "Schedules"), ("/hosts", "Hosts"),
    ];

    /// <summary>The whole page.</summary>
    public static string Write(Page page, GlassModel glass, WebOptions options)
    {
        var html = Begin(page.Title, page.HasCharts);
        html.Open("a", ("class", "skip"), ("href", "#main")).Text("Skip to content").Close();
        WriteHeader(html, page.Nav);
        WritePart(html, Banner(glass));
        html.Open("main", ("id", "main"), ("tabindex", "-1")).Element("h1", page.Title);
        foreach (var part in page.Parts)
            WritePart(html, part);
        html.Close();
        WriteFooter(html, options);
        html.Close().Close();
        return Markup.Doctype + html.Written;
    }

    /// <summary>Some parts of a page, to take the place of those that are shown.</summary>
    public static string WriteParts(Page page, GlassModel glass, IReadOnlyCollection<string> names)
    {
        var html = new HtmlWriter();
        foreach (var part in page.Parts.Append(Banner(glass)).Where(part => names.Contains(part.Name)))
            WritePart(html, part);
        return html.Written;
    }

    /// <summary>What a browser gets that has no token yet: nothing but the program that asks for one.</summary>
    public static string WriteShell()
    {
        var html = Begin("Colibri", hasCharts: false);
        html.Open("main", ("id", "main"), ("data-shell", "")).Element("h1", "Colibri");
        html.Element("p", "Reading this takes the token. It is kept until this tab is closed.", ("id", "shell-words"));
        html.Open("form", ("id", "token-form"), ("method", "post"), ("action", "/api/token"));
        html.Element("label", "Token", ("for", "token")).Open("input", ("id", "token"), ("type", "password"), ("autocomplete", "off"), ("required", ""));
        html.Element("button", "Go on").Close();
        html.Open("noscript").Element("p", "The token is sent by a script, so this needs one.").Close();
        html.Close().Close().Close();
        return Markup.Doctype + html.Written;
    }

    private static HtmlWriter Begin(string title, bool hasCharts)
    {
        var html = new HtmlWriter();
        html.Open("html", ("lang", "en")).Open("head");
        html.Open("meta", ("charset", "utf-8")).Open("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1")).Open("meta", ("name", "color-scheme"), ("content", "light dark"));
        html.Element("title", title == "Colibri" ? title : $"{title} · Colibri");
        html.Open("link", ("rel", "icon"), ("type", "image/svg+xml"), ("href", AssetTable.Url("icon.svg")));
        html.Open("link", ("rel", "stylesheet"), ("href", AssetTable.Url("app.css")));
        if (hasCharts)
        {
            html.Open("link", ("rel", "stylesheet"), ("href", AssetTable.Url("uPlot.min.css")));
            html.Open("script", ("src", AssetTable.Url("uPlot.iife.min.js")), ("defer", "")).Close();
        }
        html.Open("script", ("type", "module"), ("src", AssetTable.Url("app.js"))).Close();
        return html.Close().Open("body");
    }

    private static void WriteHeader(HtmlWriter html, string here)
    {
        html.Open("header", ("class", "top"));
        html.Open("a", ("class", "brand"), ("href", "/")).Text("Colibri").Close();
        html.Open("nav", ("aria-label", "Pages"));
        foreach (var (path, name) in Navigation)
            html.Element("a", name, ("href", path), ("aria-current", path == here ? "page" : null));
        html.Close();
        html.Open("div", ("class", "live"));
        html.Element("span", "not live", ("id", "live-state"), ("role", "status"));
        html.Element("button", "Pause live updates", ("id", "pause"), ("type", "button"), ("aria-pressed", "false"), ("hidden", ""));
        html.Close().Close();
    }

    private static void WriteFooter(HtmlWriter html, WebOptions options)
    {
        html.Open("footer").Open("p").Text(options.Write ? "Actions are taken with the token. " : "Read-only: start colibri-web with --write for actions. ");
        html.Text("Times are UTC. Press ").Element("kbd", "?").Text(" for keys.").Close().Close();
    }

    private static Part Banner(GlassModel glass) => Part.Of("banner", [Topics.Daemon], html =>
    {
        if (glass.Away is { } why)
            html.Open("p", ("class", "banner bad"), ("role", "alert")).Element("strong", "The daemon is away. ").Text(why).Text(". What is shown may be old; it is taken up again by itself.").Close();
    });

    private static void WritePart(HtmlWriter html, Part part) =>
        html.Open("div", ("class", "part"), ("data-part", part.Name), ("data-on", part.Topics.Count > 0 ? string.Join(' ', part.Topics) : null)).Add(part.Body()).Close();
}
