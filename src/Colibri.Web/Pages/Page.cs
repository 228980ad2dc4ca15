using Colibri.Web.Glass;
using Colibri.Web.Html;
using Colibri.Web.Options;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Pages;

/// <summary>A page: parts that are replaced each for itself when what they show has changed.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Nav">The path in the navigation that it belongs to.</param>
/// <param name="Parts">In their order.</param>
internal sealed record Page(string Title, string Nav, IReadOnlyList<Part> Parts)
{
    /// <summary>Whether it draws charts, and so loads what draws them.</summary>
    public bool HasCharts { get; init; }

    public int Status { get; init; } = StatusCodes.Status200OK;
}

/// <summary>A part of a page.</summary>
/// <param name="Name">Its name in the page.</param>
/// <param name="Topics">What it depends on; empty where it never changes.</param>
/// <param name="Body">What it shows.</param>
internal sealed record Part(string Name, IReadOnlyList<string> Topics, Markup Body)
{
    public static Part Of(string name, IReadOnlyList<string> topics, Action<HtmlWriter> write)
    {
        var html = new HtmlWriter();
        write(html);
        return new Part(name, topics, Markup.Of(html));
    }
}

/// <summary>What a page is made from.</summary>
internal sealed record PageRequest(GlassModel Glass, DaemonClient Daemon, WebOptions Options, string[] Values, IQueryCollection Query, DateTimeOffset Now, CancellationToken Cancellation)
{
    /// <summary>A value of the address's query; null where it is absent or empty.</summary>
    public string? Said(string name) => Query[name] is [{ Length: > 0 } value] ? value : null;
}
