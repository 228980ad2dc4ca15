using System.Text;
using Colibri.Cli.Output;

namespace Colibri.Cli.Top;

/// <summary>One line of a page: pieces of text, each with its tone.</summary>
internal sealed record StyledLine(IReadOnlyList<(string Text, Tone Tone)> Pieces)
{
    public static implicit operator StyledLine(string text) => new([(text, Tone.Plain)]);

    public static StyledLine Of(string text, Tone tone) => new([(text, tone)]);

    public string Text => string.Concat(Pieces.Select(piece => piece.Text));

    public void Put(Grid grid, int x, int y)
    {
        foreach (var (text, tone) in Pieces)
            x = grid.Put(x, y, text, tone);
    }

    /// <summary>What a command of the CLI prints, as lines: so a thing looks the same there and here.</summary>
    /// <param name="width">Columns of a line.</param>
    /// <param name="now">For ages.</param>
    /// <param name="print">Prints it.</param>
    public static List<StyledLine> Printed(int width, DateTimeOffset now, Action<Screen> print)
    {
        using var bytes = new MemoryStream();
        using var nowhere = new StringWriter();
        var screen = new Screen(new CliHost
        {
            Stdin = TextReader.Null,
            Stdout = bytes,
            Stderr = nowhere,
            Environment = static _ => null,
            IsTerminal = true,
            Width = width,
            Time = new Standing(now),
        });
        print(screen);
        screen.Flush();
        var text = Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
        return [.. text.TrimEnd('\n').Split('\n').Select(Parse)];
    }

    /// <summary>Takes the colours of <see cref="Screen.Paint"/> as tones. All text in it is plain by then, so no other Escape is there.</summary>
    private static StyledLine Parse(string line)
    {
        List<(string, Tone)> pieces = [];
        var tone = Tone.Plain;
        while (line.IndexOf('\e', StringComparison.Ordinal) is >= 0 and var start && line.IndexOf('m', start) is > 0 and var end)
        {
            if (start > 0)
                pieces.Add((line[..start], tone));
            tone = line[(start + 2)..end] switch
            {
                "32" => Tone.Good,
                "31" => Tone.Bad,
                "33" => Tone.Attention,
                "2" => Tone.Quiet,
                "1" => Tone.Strong,
                _ => Tone.Plain,
            };
            line = line[(end + 1)..];
        }
        pieces.Add((line, tone));
        return new StyledLine(pieces);
    }

    private sealed class Standing(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
