using System.Globalization;
using Colibri.Cli.Output;

namespace Colibri.Cli.Top.View;

/// <summary>A page of lines under its title.</summary>
internal static class PageView
{
    public static void Draw(Grid grid, TopPage page, int top, int height)
    {
        page.Fit(height - 1);
        var place = page.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"   lines {page.Top + 1} to {Math.Min(page.Top + height - 1, page.Count)} of {page.Count}");
        grid.Put(0, top, $"> {Title(page)}{place}", Tone.Strong);
        if (page.IsLoading)
            grid.Put(0, top + 1, "asking the daemon …", Tone.Quiet);
        else if (page.Count == 0)
            grid.Put(0, top + 1, "nothing yet", Tone.Quiet);
        for (var i = 0; i < height - 1 && page.Top + i < page.Count; i++)
            page[page.Top + i].Put(grid, 0, top + 1 + i);
    }

    private static string Title(TopPage page) => page.Kind switch
    {
        PageKind.Details => page.Subject.Words,
        PageKind.Log => $"log of {page.Subject.Words}{(page.IsAtEnd ? ", following" : "")}",
        PageKind.Diff => $"change of task {page.Subject.Task}",
        _ => "keys",
    };
}
