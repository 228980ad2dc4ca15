namespace Colibri.Jsonl;

/// <summary>What has been learned of a line on the way to its end: its form and, as far as there was room, where its strings begin and end.</summary>
public readonly ref struct LineLook
{
    /// <summary>Words of room that serve lines of up to 32 KiB, a bit for each byte; longer ones are read without.</summary>
    public const int MarkWords = 512;

    private readonly ReadOnlySpan<ulong> _marks;
    private readonly bool _hasBackslashes;

    internal LineLook(LineForm form, ReadOnlySpan<ulong> marks, bool hasBackslashes)
    {
        Form = form;
        _marks = marks;
        _hasBackslashes = hasBackslashes;
    }

    public LineForm Form { get; }

    /// <summary>Whether the line's strings are marked; then it has the form of an object.</summary>
    internal bool IsMarked => !_marks.IsEmpty;

    /// <summary>Whether the part of the line may have escapes in it; only then is it looked at.</summary>
    internal bool HasEscapes(ReadOnlySpan<byte> part) => _hasBackslashes && part.Contains((byte)'\\');

    /// <summary>Offset of the quote that closes the string whose first byte is at <paramref name="at"/>, in a marked line.</summary>
    internal int StringEnd(int at)
    {
        var word = at >> 6;
        var rest = _marks[word] & (ulong.MaxValue << at);
        while (rest == 0) rest = _marks[++word];
        return (word << 6) + JsonScan.PlaceOfLowest(rest);
    }

    internal static LineLook At(ReadOnlySpan<byte> text, Span<ulong> marks, out int length)
    {
        var form = FormScan.Scan(text, marks, out length, out var hasBackslashes);
        var words = (length >> 6) + 1;
        return new LineLook(form, form == LineForm.Object && words <= marks.Length ? marks[..words] : default, hasBackslashes);
    }
}
