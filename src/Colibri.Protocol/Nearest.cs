namespace Colibri.Protocol;

/// <summary>What a mistyped word was probably meant to be.</summary>
public static class Nearest
{
    private const int LongestWord = 64;

    /// <returns>The candidate fewest edits away, if they are few for its length; null otherwise.</returns>
    public static string? To(string word, IEnumerable<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(candidates);
        if (word.Length > LongestWord)
            return null;
        string? best = null;
        var fewest = int.MaxValue;
        foreach (var candidate in candidates)
        {
            var edits = Edits(word, candidate);
            if (edits < fewest)
                (best, fewest) = (candidate, edits);
        }
        return best is not null && fewest <= Math.Max(1, Math.Min(word.Length, best.Length) / 3) ? best : null;
    }

    /// <summary>Letters to insert, to leave out, to replace, or to swap with the next one.</summary>
    private static int Edits(string a, string b)
    {
        Span<int> rows = stackalloc int[3 * (b.Length + 1)];
        for (var j = 0; j <= b.Length; j++)
            rows[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var row = Row(rows, i, b);
            var above = Row(rows, i - 1, b);
            var higher = Row(rows, i - 2, b);
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(substituted, Math.Min(above[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    row[j] = Math.Min(row[j], higher[j - 2] + 1);
            }
        }
        return Row(rows, a.Length, b)[b.Length];
    }

    private static Span<int> Row(Span<int> rows, int i, string b) => rows.Slice((i + 3) % 3 * (b.Length + 1), b.Length + 1);
}
