using System.Text;

namespace Colibri.Cli.Output;

/// <summary>Standard output: lines for a person, or a reply's bytes as they are.</summary>
internal sealed class Screen
{
    private const int HeldChars = 16 * 1024;
    private readonly Stream _stdout;
    private readonly StringBuilder _text = new();
    private readonly bool _colour;

    public Screen(CliHost host)
    {
        _stdout = host.Stdout;
        _colour = host.IsTerminal && string.IsNullOrEmpty(host.Environment("NO_COLOR")) && host.Environment("TERM") is not "dumb";
        Width = host.Width;
        Now = host.Time.GetUtcNow();
    }

    /// <summary>When the program was started, for ages.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>Terminal columns a line should keep to.</summary>
    public int Width { get; }

    public void Line(string text = "")
    {
        _text.Append(text).Append('\n');
        if (_text.Length > HeldChars)
            WriteHeld();
    }

    /// <summary>A label and what it says, wrapped under itself.</summary>
    public void Field(string label, string value, int labelWidth, Tone tone = Tone.Plain)
    {
        var indent = new string(' ', labelWidth);
        var first = true;
        foreach (var line in Columns.Wrap(value, Width - labelWidth))
        {
            Line((first ? Columns.PadRight(label, labelWidth) : indent) + Paint(line, tone));
            first = false;
        }
    }

    /// <summary>Writes text in its own lines, each wrapped and indented.</summary>
    public void Prose(IEnumerable<string> lines, int indent)
    {
        var margin = new string(' ', indent);
        foreach (var line in lines)
        {
            foreach (var part in Columns.Wrap(line, Width - indent))
                Line(part.Length == 0 ? "" : margin + part);
        }
    }

    public string Paint(string text, Tone tone)
    {
        if (!_colour || tone is Tone.Plain)
            return text;
        var code = tone switch
        {
            Tone.Good => "32",
            Tone.Bad => "31",
            Tone.Attention => "33",
            Tone.Quiet => "2",
            _ => "1",
        };
        return $"\e[{code}m{text}\e[0m";
    }

    /// <summary>One line of JSON, exactly as it came.</summary>
    public void Raw(ReadOnlyMemory<byte> json)
    {
        WriteHeld();
        _stdout.Write(json.Span);
        _stdout.Write("\n"u8);
        _stdout.Flush();
    }

    public void Flush()
    {
        WriteHeld();
        _stdout.Flush();
    }

    /// <summary>What was printed before something else failed; that failure is the one to report.</summary>
    public void TryFlush()
    {
        try
        {
            Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private void WriteHeld()
    {
        // As one text: a surrogate pair may lie across two chunks of the builder.
        var held = _text.ToString();
        _text.Clear();
        _stdout.Write(Encoding.UTF8.GetBytes(held));
    }
}

/// <summary>What a word means to the operator; colour where there is colour.</summary>
internal enum Tone
{
    Plain,
    Good,
    Bad,
    Attention,
    Quiet,
    Strong,
}
