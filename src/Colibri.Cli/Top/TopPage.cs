namespace Colibri.Cli.Top;

internal enum PageKind
{
    /// <summary>A task, an agent, or both: what is known of it, then the latest of its session.</summary>
    Details,

    /// <summary>The session as it is written.</summary>
    Log,

    /// <summary>The patch.</summary>
    Diff,
    Help,
}

/// <summary>A page over the main one: lines that scroll.</summary>
internal sealed class TopPage(int id, PageKind kind, Subject subject)
{
    /// <summary>The most lines that are held. Of a session's the oldest go first.</summary>
    public const int MostLines = 5_000;

    private const int Slack = 500;
    private readonly List<StyledLine> _tail = [];
    private IReadOnlyList<StyledLine> _head = [];
    private int _top;
    private int _height = 1;
    private bool _atEnd = kind == PageKind.Log;

    /// <summary>Told apart from the page that was opened before it.</summary>
    public int Id => id;
    public PageKind Kind => kind;
    public Subject Subject => subject;
    public bool IsLoading { get; private set; } = kind != PageKind.Help;
    public int Count => _head.Count + _tail.Count;

    /// <summary>The first line that is shown.</summary>
    public int Top => _top;
    public bool IsAtEnd => _top + _height >= Count;

    public StyledLine this[int index] => index < _head.Count ? _head[index] : _tail[index - _head.Count];

    public void Take(IReadOnlyList<StyledLine> lines, bool appends)
    {
        IsLoading = false;
        if (appends)
            _tail.AddRange(lines);
        else
            _head = lines.Count > MostLines ? [.. lines.Take(MostLines), "… cut here"] : lines;
        if (_tail.Count > MostLines + Slack)
            _tail.RemoveRange(0, _tail.Count - MostLines);
        Settle();
    }

    /// <summary>Everything is to come anew, at another width.</summary>
    public void Clear()
    {
        _head = [];
        _tail.Clear();
        IsLoading = true;
    }

    /// <summary>How many lines are shown at once.</summary>
    public void Fit(int height)
    {
        _height = Math.Max(height, 1);
        Settle();
    }

    /// <returns>Whether the key scrolls.</returns>
    public bool Scroll(Key key)
    {
        var to = key switch
        {
            { Kind: KeyKind.Up } or { Letter: 'k' } => _top - 1,
            { Kind: KeyKind.Down } or { Letter: 'j' } => _top + 1,
            { Kind: KeyKind.PageUp } => _top - _height + 1,
            { Kind: KeyKind.PageDown } or { Letter: ' ' } => _top + _height - 1,
            { Kind: KeyKind.Home } or { Letter: 'g' } => 0,
            { Kind: KeyKind.End } or { Letter: 'G' } => int.MaxValue,
            _ => (int?)null,
        };
        if (to is not { } top)
            return false;
        var last = Math.Max(Count - _height, 0);
        _top = Math.Clamp(top, 0, last);
        // A log that was scrolled to its end goes on with what is written.
        _atEnd = kind == PageKind.Log && _top == last;
        return true;
    }

    private void Settle()
    {
        var last = Math.Max(Count - _height, 0);
        _top = _atEnd ? last : Math.Min(_top, last);
    }
}
