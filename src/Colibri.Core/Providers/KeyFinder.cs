using System.Buffers;
using System.Text;

namespace Colibri.Core.Providers;

/// <summary>
/// Finds known keys in a text and blots them out: whole ones, also where they overlap or run over a line's end, and parts of one. A long part
/// counts wherever it stands. A short part counts where the text is cut: the beginning of a key before an edge, its end after an edge, and a piece
/// between two edges. An edge is either end of the text, a line's end, and a place where an escape sequence stood.
/// </summary>
internal sealed class KeyFinder
{
    /// <summary>The fewest characters of a key that count as a part at an edge; of a key of less than twice that, half of it.</summary>
    public const int ShortestPart = 8;

    /// <summary>The fewest characters of a key that count as a part anywhere. Of a key above 512 characters it may take a 64th of it and 7 more.</summary>
    public const int LongPart = 16;

    private const int MostSamples = 64;

    /// <summary>The most characters that <see cref="EndOf"/> returns.</summary>
    public const int MaxEnd = 4_096;

    private readonly Key[] _keys;
    private readonly SearchValues<string>? _samples;
    private readonly Dictionary<string, List<(Key Key, int Offset)>>.AlternateLookup<ReadOnlySpan<char>> _sampled;
    private readonly int[] _sampleLengths;
    private readonly int _longest;

    public KeyFinder(IEnumerable<string> keys)
    {
        // As they are searched for: a text is searched without its lines' ends and control characters.
        _keys = [.. keys.Select(key => Joined(PlainText.Of(key))).Where(key => key.Length >= ShortestPart / 2).Distinct(StringComparer.Ordinal).Select(key => new Key(key))];
        _longest = _keys.Select(key => key.Text.Length).DefaultIfEmpty().Max();
        _sampleLengths = [.. _keys.Select(key => key.Part).Distinct()];
        // Every part that is to be blotted out holds a sample of its key, but for a short one from the middle.
        var sampled = new Dictionary<string, List<(Key, int)>>(StringComparer.Ordinal);
        foreach (var key in _keys)
        {
            foreach (var offset in key.SampleOffsets())
            {
                var sample = key.Text.Substring(offset, key.Part);
                if (!sampled.TryGetValue(sample, out var places))
                    sampled[sample] = places = [];
                places.Add((key, offset));
            }
        }
        _sampled = sampled.GetAlternateLookup<ReadOnlySpan<char>>();
        if (sampled.Count > 0)
            _samples = SearchValues.Create([.. sampled.Keys], StringComparison.Ordinal);
    }

    /// <summary>The text with every key blotted out; the same object if it holds none.</summary>
    /// <param name="text">A text without control characters other than newline and tab.</param>
    /// <param name="cuts">Where escape sequences stood in it, ascending; null for nowhere.</param>
    /// <param name="before">The end of the text before it, as <see cref="EndOf"/> gave it; null for none.</param>
    public string Blot(string text, List<int>? cuts, string? before)
    {
        if (_samples is null || text.Length == 0)
            return text;
        var lead = before?.Length ?? 0;
        if (lead == 0 && !text.Contains('\n'))
            return BlotJoined(text, cuts, text, 0);
        var buffer = ArrayPool<char>.Shared.Rent(lead + text.Length);
        try
        {
            before?.CopyTo(buffer);
            var length = lead;
            foreach (var line in text.AsSpan().Split('\n'))
            {
                text.AsSpan(line).CopyTo(buffer.AsSpan(length));
                length += line.End.Value - line.Start.Value;
            }
            return BlotJoined(text, cuts, buffer.AsSpan(0, length), lead);
        }
        finally
        {
            // It may hold a key.
            ArrayPool<char>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>
    /// From where a key may have begun to the text's end, without lines' ends, at most <see cref="MaxEnd"/> characters; null where none has. It
    /// holds a key's beginning in clear, so it is for <see cref="Blot"/> alone.
    /// </summary>
    /// <param name="before">The end of the text before it; null for none.</param>
    /// <param name="text">As for <see cref="Blot"/>.</param>
    public string? EndOf(string? before, string text)
    {
        if (_samples is null)
            return null;
        var room = Math.Min(_longest - 1, MaxEnd);
        Span<char> buffer = room <= 256 ? stackalloc char[256] : new char[room];
        var first = room;
        Fill(buffer, text);
        Fill(buffer, before);
        var end = buffer[first..room];
        var start = end.Length;
        foreach (var key in _keys)
        {
            for (var from = 0; from < start; from++)
            {
                if (end[from..start].IndexOf(key.Text[0]) is not (>= 0 and var next))
                    break;
                from += next;
                if (key.Text.AsSpan().StartsWith(end[from..]))
                    start = from;
            }
        }
        return start == end.Length ? null : new string(end[start..]);

        void Fill(Span<char> into, string? from)
        {
            for (var i = (from?.Length ?? 0) - 1; i >= 0 && first > 0; i--)
            {
                if (from![i] != '\n')
                    into[--first] = from[i];
            }
        }
    }

    private static string Joined(string text) => text.Replace("\n", "", StringComparison.Ordinal);

    private string BlotJoined(string text, List<int>? cuts, ReadOnlySpan<char> joined, int lead)
    {
        var (firstEnd, lastStart) = (text.IndexOf('\n'), text.LastIndexOf('\n') + 1);
        if (joined.IndexOfAny(_samples!) < 0 && !IsPiece(firstEnd < 0 ? text : text.AsSpan(0, firstEnd)) && !IsPiece(text.AsSpan(lastStart)))
            return text;
        var (edges, lines) = EdgesOf(text, cuts, lead);
        var found = new List<(int Start, int End)>();
        FindParts(joined, edges, found);
        FindPiece(joined, lines[0], found);
        FindPiece(joined, lines[^1], found);
        return found.Count == 0 ? text : Blotted(joined, lines, Merged(found));
    }

    private void FindParts(ReadOnlySpan<char> text, List<int> edges, List<(int Start, int End)> found)
    {
        for (var at = 0; text[at..].IndexOfAny(_samples!) is >= 0 and var next; at++)
        {
            at += next;
            foreach (var length in _sampleLengths)
            {
                if (at + length > text.Length || !_sampled.TryGetValue(text.Slice(at, length), out var places))
                    continue;
                foreach (var (key, offset) in places)
                {
                    // Keys that begin alike give the same part.
                    if (PartAround(text, at, key.Text, offset, key.Part, edges) is { } part && (found.Count == 0 || found[^1] != part))
                        found.Add(part);
                }
            }
        }
    }

    /// <summary>What is to be blotted out around a sample; null for nothing.</summary>
    private static (int Start, int End)? PartAround(ReadOnlySpan<char> text, int at, string key, int offset, int shortest, List<int> edges)
    {
        var before = 0;
        while (before < offset && before < at && text[at - before - 1] == key[offset - before - 1])
            before++;
        var (start, end) = (at - before, at + text[at..].CommonPrefixLength(key.AsSpan(offset)));
        var (isBeginning, isEnd) = (before == offset, end - at == key.Length - offset);
        if ((isBeginning && isEnd) || (end - start >= LongPart && Key.MayBeSplit(key)))
            return (start, end);
        if (!Key.MayBeSplit(key))
            return null;
        if (!isBeginning)
            start = FirstFrom(edges, start);
        if (!isEnd)
            end = LastUpTo(edges, end);
        return end - start >= shortest ? (start, end) : null;
    }

    private void FindPiece(ReadOnlySpan<char> text, (int Start, int End) line, List<(int Start, int End)> found)
    {
        if (IsPiece(text[line.Start..line.End]))
            found.Add(line);
    }

    private bool IsPiece(ReadOnlySpan<char> line)
    {
        if (line.Length >= _longest || line.Length < ShortestPart / 2)
            return false;
        foreach (var key in _keys)
        {
            if (line.Length >= key.Part && Key.MayBeSplit(key.Text) && key.Text.AsSpan().Contains(line, StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    // Places in the joined text.
    private static (List<int> Edges, List<(int Start, int End)> Lines) EdgesOf(string text, List<int>? cuts, int lead)
    {
        List<int> edges = [0, lead];
        var lines = new List<(int, int)>();
        var (cut, start) = (0, lead);
        foreach (var line in text.AsSpan().Split('\n'))
        {
            var skipped = line.Start.Value + lead - start;
            for (; cut < cuts?.Count && cuts[cut] <= line.End.Value; cut++)
                edges.Add(cuts[cut] + lead - skipped);
            var end = start + line.End.Value - line.Start.Value;
            edges.Add(end);
            lines.Add((start, end));
            start = end;
        }
        return (edges, lines);
    }

    // The first edge is 0 and the last is the text's end, so there is one on either side of every place.
    private static int LastUpTo(List<int> edges, int place)
    {
        var index = edges.BinarySearch(place);
        return index >= 0 ? edges[index] : edges[~index - 1];
    }

    private static int FirstFrom(List<int> edges, int place)
    {
        var index = edges.BinarySearch(place);
        return index >= 0 ? edges[index] : edges[~index];
    }

    private static List<(int Start, int End)> Merged(List<(int Start, int End)> found)
    {
        found.Sort();
        List<(int Start, int End)> merged = [found[0]];
        foreach (var (start, end) in found)
        {
            if (start < merged[^1].End)
                merged[^1] = (merged[^1].Start, Math.Max(end, merged[^1].End));
            else
                merged.Add((start, end));
        }
        return merged;
    }

    private static string Blotted(ReadOnlySpan<char> joined, List<(int Start, int End)> lines, List<(int Start, int End)> found)
    {
        var shown = new StringBuilder(joined.Length);
        var next = 0;
        for (var line = 0; line < lines.Count; line++)
        {
            var (at, end) = lines[line];
            if (line > 0)
                shown.Append('\n');
            while (at < end)
            {
                while (next < found.Count && found[next].End <= at)
                    next++;
                if (next == found.Count || found[next].Start >= end)
                    break;
                var (from, to) = (Math.Max(found[next].Start, at), Math.Min(found[next].End, end));
                shown.Append(joined[at..from]).Append(Secrets.Blot);
                at = to;
            }
            shown.Append(joined[at..end]);
        }
        return shown.ToString();
    }

    private sealed class Key(string text)
    {
        public string Text => text;

        /// <summary>The fewest characters that count as a part at an edge.</summary>
        public int Part { get; } = Math.Min(ShortestPart, (text.Length + 1) / 2);

        /// <summary>An address among the keys is blotted out as a whole alone: its beginning is that of many others.</summary>
        public static bool MayBeSplit(string key) => !key.Contains("://", StringComparison.Ordinal);

        /// <summary>So close that a long part holds one, and always the beginning and the end.</summary>
        public IEnumerable<int> SampleOffsets()
        {
            var last = text.Length - Part;
            for (var offset = 0; offset < last; offset += Math.Max(Part, text.Length / MostSamples))
                yield return offset;
            yield return last;
        }
    }
}
