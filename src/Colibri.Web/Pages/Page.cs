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
/// <param name="Write">Writes what it shows. A part that is not sent is not written.</param>
internal sealed record Part(string Name, IReadOnlyList<string> Topics, Action<HtmlWriter> Write)
{
    public static Part Of(string name, IReadOnlyList<string> topics, Action<HtmlWriter> write) => new(name, topics, write);

    public Markup Body()
    {
        var html = new HtmlWriter();
        Write(html);
        return Markup.Of(html);
    }
}

/// <summary>What a page is made from.</summary>
internal sealed record PageRequest(GlassModel Glass, DaemonClient Daemon, WebOptions Options, string[] Values, IQueryCollection Query, DateTimeOffset Now, CancellationToken Cancellation)
{
    /// <summary>Whether one of these parts is sent: what no part shows is not asked for.</summary>
    public bool Wants(params ReadOnlySpan<string> parts)
    {
        if (Said("_parts") is not { } wanted)
            return true;
        foreach (var part in parts)
        {
            if (wanted.Split(',').Contains(part))
                return true;
        }
        return false;
    }

    /// <summary>A value of the address's query; null where it is absent or empty.</summary>
    public string? Said(string name) => Query[name] is [{ Length: > 0 } value] ? value : null;
}
