using Colibri.Cli.Output;

namespace Colibri.Cli.Top.View;

/// <summary>The whole screen of a state, as cells.</summary>
internal static class Frame
{
    public const int LeastWidth = 60;
    public const int LeastHeight = 14;

    /// <summary>Title and state above; what became of the latest action, and the keys, below.</summary>
    private const int HeaderRows = 2;
    private const int FooterRows = 2;

    public static bool Fits(int width, int height) => width >= LeastWidth && height >= LeastHeight;

    /// <param name="state">What is shown; it learns how many rows fit.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <param name="height">Rows of the terminal.</param>
    /// <param name="now">For ages.</param>
    public static Grid Draw(TopState state, int width, int height, DateTimeOffset now)
    {
        var grid = new Grid(width, height);
        if (!Fits(width, height))
        {
            var line = 0;
            foreach (var words in Columns.Wrap($"colibri top needs {LeastWidth}x{LeastHeight}, this terminal has {width}x{height}. Make it larger, or type: colibri top --once. q quits.", width))
                grid.Put(0, line++, words);
            return grid;
        }
        Header(grid, state.Model, now);
        var footer = Footer(state, width, height);
        var bottom = height - footer.Count;
        for (var i = 0; i < footer.Count; i++)
            footer[i].Put(grid, 0, bottom + i);
        if (state.Page is { } page)
            PageView.Draw(grid, page, HeaderRows, bottom - HeaderRows);
        else
            MainView.Draw(grid, state, HeaderRows, bottom - HeaderRows, now);
        return grid;
    }

    /// <summary>Everything once, as text.</summary>
    public static IEnumerable<string> Lines(TopModel model, int width, DateTimeOffset now)
    {
        var state = new TopState(model);
        // Headings, rows and one line for each part that is empty.
        var rows = MainView.Headings + Enum.GetValues<Part>().Sum(part => state.Rows(part).Count);
        var grid = new Grid(width, HeaderRows + rows);
        Header(grid, model, now);
        MainView.Draw(grid, state, HeaderRows, rows, now, selects: false);
        return Enumerable.Range(0, grid.Height).Select(grid.Line);
    }

    private static void Header(Grid grid, TopModel model, DateTimeOffset now)
    {
        grid.Put(0, 0, HeaderView.Title(model), Tone.Strong);
        var (words, tone) = HeaderView.Standing(model, now);
        grid.Put(0, 1, words, tone);
    }

    private static List<StyledLine> Footer(TopState state, int width, int height)
    {
        if (state.Prompt is { } prompt)
            return [.. prompt.Lines(width, height / 2)];
        if (state.Filtering is { } filter)
            return [$"/{filter.Shown(width - 1)}", StyledLine.Of("Enter keep  Esc clear", Tone.Quiet)];
        var status = state switch
        {
            { Said: { Length: > 0 } said, IsWrong: true } => StyledLine.Of($"! {said}", Tone.Bad),
            { Said: { Length: > 0 } said } => StyledLine.Of(said, Tone.Strong),
            _ => StyledLine.Of(HelpLines.Twins(state), Tone.Quiet),
        };
        return [status, StyledLine.Of(HelpLines.Keys(state.Page?.Kind, width), Tone.Plain)];
    }
}
