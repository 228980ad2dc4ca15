namespace Colibri.Shared;

/// <summary>Those operators of LINQ that are used here, with LINQ's names and meaning, a method each.</summary>
/// <remarks>
/// Compiled into every program in place of System.Linq, whose sequences have some twenty virtual methods each, compiled anew for every value
/// type that passes through: a megabyte of the daemon.
/// </remarks>
internal static class Enumerable
{
    public static IEnumerable<TResult> Select<T, TResult>(this IEnumerable<T> source, Func<T, TResult> select)
    {
        foreach (var item in source) yield return select(item);
    }

    public static IEnumerable<TResult> Select<T, TResult>(this IEnumerable<T> source, Func<T, int, TResult> select)
    {
        var index = 0;
        foreach (var item in source) yield return select(item, index++);
    }

    public static IEnumerable<TResult> SelectMany<T, TResult>(this IEnumerable<T> source, Func<T, IEnumerable<TResult>> select)
    {
        foreach (var item in source)
            foreach (var inner in select(item)) yield return inner;
    }

    public static IEnumerable<T> Where<T>(this IEnumerable<T> source, Func<T, bool> wanted)
    {
        foreach (var item in source)
            if (wanted(item)) yield return item;
    }

    public static IEnumerable<T> OfType<T>(this IEnumerable<object?> source)
    {
        foreach (var item in source)
            if (item is T wanted) yield return wanted;
    }

    public static IEnumerable<T> TakeWhile<T>(this IEnumerable<T> source, Func<T, bool> wanted)
    {
        foreach (var item in source)
        {
            if (!wanted(item)) yield break;
            yield return item;
        }
    }

    public static IEnumerable<T> Take<T>(this IEnumerable<T> source, int count)
    {
        if (count <= 0) yield break;
        foreach (var item in source)
        {
            yield return item;
            if (--count == 0) yield break;
        }
    }

    public static IEnumerable<T> Skip<T>(this IEnumerable<T> source, int count)
    {
        foreach (var item in source)
        {
            if (count > 0) count--;
            else yield return item;
        }
    }

    public static IEnumerable<T> TakeLast<T>(this IReadOnlyList<T> source, int count)
    {
        for (var i = Math.Max(0, source.Count - count); i < source.Count; i++) yield return source[i];
    }

    public static IEnumerable<T> SkipLast<T>(this IReadOnlyList<T> source, int count)
    {
        for (var i = 0; i < source.Count - Math.Max(0, count); i++) yield return source[i];
    }

    public static IEnumerable<T> Concat<T>(this IEnumerable<T> first, IEnumerable<T> second)
    {
        foreach (var item in first) yield return item;
        foreach (var item in second) yield return item;
    }

    public static IEnumerable<T> Append<T>(this IEnumerable<T> source, T last)
    {
        foreach (var item in source) yield return item;
        yield return last;
    }

    public static IEnumerable<T> Prepend<T>(this IEnumerable<T> source, T first)
    {
        yield return first;
        foreach (var item in source) yield return item;
    }

    public static IEnumerable<T> Repeat<T>(T item, int count)
    {
        for (var i = 0; i < count; i++) yield return item;
    }

    public static IEnumerable<T> Reverse<T>(IReadOnlyList<T> source)
    {
        for (var i = source.Count - 1; i >= 0; i--) yield return source[i];
    }

    public static IEnumerable<T> Distinct<T>(this IEnumerable<T> source, IEqualityComparer<T>? comparer = null)
    {
        var seen = new HashSet<T>(comparer);
        foreach (var item in source)
            if (seen.Add(item)) yield return item;
    }

    public static IEnumerable<T> Union<T>(this IEnumerable<T> first, IEnumerable<T> second, IEqualityComparer<T>? comparer = null) =>
        Distinct(Concat(first, second), comparer);

    public static IEnumerable<T> Except<T>(this IEnumerable<T> source, IEnumerable<T> others)
    {
        var seen = new HashSet<T>(others);
        foreach (var item in source)
            if (seen.Add(item)) yield return item;
    }

    /// <summary>Equal keys keep their order.</summary>
    public static IEnumerable<T> OrderBy<T, TKey>(this IEnumerable<T> source, Func<T, TKey> key, IComparer<TKey>? comparer = null) =>
        Ordered(source, (left, right) => (comparer ?? Comparer<TKey>.Default).Compare(key(left), key(right)));

    /// <summary>Equal keys keep their order.</summary>
    public static IEnumerable<T> OrderByDescending<T, TKey>(this IEnumerable<T> source, Func<T, TKey> key) =>
        Ordered(source, (left, right) => Comparer<TKey>.Default.Compare(key(right), key(left)));

    public static bool Any<T>(this IEnumerable<T> source) => Any(source, _ => true);

    public static bool Any<T>(this IEnumerable<T> source, Func<T, bool> wanted)
    {
        foreach (var item in source)
            if (wanted(item)) return true;

        return false;
    }

    public static bool All<T>(this IEnumerable<T> source, Func<T, bool> wanted)
    {
        foreach (var item in source)
            if (!wanted(item)) return false;

        return true;
    }

    public static bool Contains<T>(this IEnumerable<T> source, T wanted, IEqualityComparer<T>? comparer = null)
    {
        comparer ??= EqualityComparer<T>.Default;
        foreach (var item in source)
            if (comparer.Equals(item, wanted)) return true;

        return false;
    }

    public static int Count<T>(this IEnumerable<T> source, Func<T, bool> wanted)
    {
        var count = 0;
        foreach (var item in source)
            if (wanted(item)) count++;

        return count;
    }

    public static T First<T>(this IEnumerable<T> source, Func<T, bool> wanted)
    {
        foreach (var item in source)
            if (wanted(item)) return item;

        throw new InvalidOperationException("the sequence has no such element");
    }

    public static T First<T>(this IEnumerable<T> source) => First(source, _ => true);

    public static T? FirstOrDefault<T>(this IEnumerable<T> source)
    {
        foreach (var item in source) return item;
        return default;
    }

    public static T? FirstOrDefault<T>(this IEnumerable<T> source, Func<T, bool> wanted)
    {
        foreach (var item in source)
            if (wanted(item)) return item;

        return default;
    }

    public static T? LastOrDefault<T>(this IReadOnlyList<T> source) => source.Count == 0 ? default : source[^1];

    public static int Sum(this IEnumerable<int> source) => (int)Sum(source, item => (long)item);

    public static long Sum<T>(this IEnumerable<T> source, Func<T, long> value)
    {
        var sum = 0L;
        foreach (var item in source) sum += value(item);
        return sum;
    }

    public static TKey? Max<T, TKey>(this IEnumerable<T> source, Func<T, TKey> value) => Extreme(Select(source, value), 1);

    public static TKey? Min<T, TKey>(this IEnumerable<T> source, Func<T, TKey> value) => Extreme(Select(source, value), -1);

    /// <summary>The first of those with the largest key.</summary>
    public static T? MaxBy<T, TKey>(this IEnumerable<T> source, Func<T, TKey> key) => FirstOrDefault(OrderByDescending(source, key));

    public static TSum Aggregate<T, TSum>(this IEnumerable<T> source, TSum seed, Func<TSum, T, TSum> add)
    {
        foreach (var item in source) seed = add(seed, item);
        return seed;
    }

    public static T[] ToArray<T>(this IEnumerable<T> source) => new List<T>(source).ToArray();

    public static List<T> ToList<T>(this IEnumerable<T> source) => new(source);

    public static HashSet<T> ToHashSet<T>(this IEnumerable<T> source, IEqualityComparer<T>? comparer = null) => new(source, comparer);

    public static Dictionary<TKey, TValue> ToDictionary<T, TKey, TValue>(
        this IEnumerable<T> source, Func<T, TKey> key, Func<T, TValue> value, IEqualityComparer<TKey>? comparer = null)
        where TKey : notnull
    {
        var dictionary = new Dictionary<TKey, TValue>(comparer);
        foreach (var item in source) dictionary.Add(key(item), value(item));
        return dictionary;
    }

    public static Dictionary<TKey, TValue> ToDictionary<TKey, TValue>(
        this IEnumerable<KeyValuePair<TKey, TValue>> source, IEqualityComparer<TKey>? comparer = null)
        where TKey : notnull => ToDictionary(source, pair => pair.Key, pair => pair.Value, comparer);

    private static IEnumerable<T> Ordered<T>(IEnumerable<T> source, Comparison<T> compare)
    {
        var places = new List<(T Item, int Place)>(Select(source, (item, place) => (item, place)));
        places.Sort((left, right) => compare(left.Item, right.Item) is var order and not 0 ? order : left.Place - right.Place);
        foreach (var (item, _) in places) yield return item;
    }

    // Nulls do not count. Of nothing it is null where the type has one, and else a fault.
    private static T? Extreme<T>(IEnumerable<T> source, int sign)
    {
        var any = false;
        T? found = default;
        foreach (var item in source)
        {
            if (item is null || (any && Math.Sign(Comparer<T>.Default.Compare(item, found)) != sign)) continue;
            found = item;
            any = true;
        }

        return any || default(T) is null ? found : throw new InvalidOperationException("the sequence has no elements");
    }
}
