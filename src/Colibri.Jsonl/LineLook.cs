using System.Runtime.CompilerServices;

namespace Colibri.Jsonl;

/// <summary>What the search for a line's end has learned of it: its form and, if there was room, where its strings begin and end.</summary>
public readonly ref struct LineLook
{
    /// <summary>Words of room for the marks: a bit for each byte of a line of up to 32 KiB. Longer lines are read without marks.</summary>
    public const int MarkWords = 512;

    private readonly ReadOnlySpan<ulong> _marks;
    private readonly int _escapesFrom;
    private readonly int _escapesTo;

    /// <summary>Looks at the line at the start of the text, up to its newline.</summary>
    /// <param name="text">Any bytes.</param>
    /// <param name="marks">Its length is a power of two; the look is valid until the marks are used again.</param>
    /// <param name="length">The line's length without its newline; all of the text where there is none.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal LineLook(ReadOnlySpan<byte> text, Span<ulong> marks, out int length)
    {
        Form = FormScan.Scan(text, marks, out length, out _escapesFrom, out _escapesTo);
        var words = (length >> 6) + 1;
        if (Form == LineForm.Object && words <= marks.Length) _marks = marks[..words];
    }

    private LineLook(int cutLevel) => (Form, CutLevel) = (LineForm.Object, cutLevel);

    /// <summary>Of a well-formed line from whose middle items were left out.</summary>
    /// <param name="level">The level from which on containers lack some; the outermost is 1.</param>
    public static LineLook Cut(int level) => new(level);

    public LineForm Form { get; }

    /// <summary>The level from which on containers may lack items; 0 where that is not known or nothing was left out.</summary>
    public int CutLevel { get; }

    /// <summary>Whether the line's strings are marked; then it has the form of an object.</summary>
    internal bool IsMarked => !_marks.IsEmpty;

    /// <summary>Whether there is an escape in that part of the line; cheap where there is none near it.</summary>
    internal bool HasEscapes(ReadOnlySpan<byte> line, int start, int end) =>
        start < _escapesTo && end > _escapesFrom && line[start..end].Contains((byte)'\\');

    /// <summary>Offset of the quote that closes the string whose first byte is at <paramref name="at"/>, in a marked line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int StringEnd(int at)
    {
        var word = at >> 6;
        var rest = _marks[word] & (ulong.MaxValue << at);
        while (rest == 0) rest = _marks[++word];
        return (word << 6) + JsonScan.PlaceOfLowest(rest);
    }
}
