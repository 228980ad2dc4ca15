using Linq = System.Linq.Enumerable;
using Ours = Colibri.Shared.Enumerable;

namespace Colibri.UnitTests.Shared;

/// <summary>The operators that stand in for LINQ's, held against LINQ's.</summary>
public sealed class EnumerableTests
{
    private static readonly Random Random = new(1974);

    [Fact]
    public void Every_operator_answers_as_linq_does()
    {
        for (var round = 0; round < 500; round++)
        {
            var items = Numbers(Random.Next(12));
            var others = Numbers(Random.Next(6));
            var count = Random.Next(-2, 14);
            Same(Ours.Select(items, i => i * 2), Linq.Select(items, i => i * 2));
            Same(Ours.Select(items, (i, at) => i * at), Linq.Select(items, (i, at) => i * at));
            Same(Ours.SelectMany(items, Digits), Linq.SelectMany(items, Digits));
            Same(Ours.Where(items, IsEven), Linq.Where(items, IsEven));
            Same(Ours.OfType<int>(Linq.Cast<object?>(Linq.Concat(items.Cast<object?>(), ["no", null]))), items);
            Same(Ours.TakeWhile(items, IsEven), Linq.TakeWhile(items, IsEven));
            Same(Ours.Take(items, count), Linq.Take(items, count));
            Same(Ours.Skip(items, count), Linq.Skip(items, count));
            Same(Ours.TakeLast(items, count), Linq.TakeLast(items, count));
            Same(Ours.SkipLast(items, count), Linq.SkipLast(items, count));
            Same(Ours.Concat(items, others), Linq.Concat(items, others));
            Same(Ours.Append(items, 7), Linq.Append(items, 7));
            Same(Ours.Prepend(items, 7), Linq.Prepend(items, 7));
            Same(Ours.Repeat(7, Math.Max(0, count)), Linq.Repeat(7, Math.Max(0, count)));
            Same(Ours.Reverse(items), Linq.Reverse(items));
            Same(Ours.Distinct(items), Linq.Distinct(items));
            Same(Ours.Union(items, others), Linq.Union(items, others));
            Same(Ours.Except(items, others), Linq.Except(items, others));
            Ours.Any(items).ShouldBe(Linq.Any(items));
            Ours.Any(items, IsEven).ShouldBe(Linq.Any(items, IsEven));
            Ours.All(items, IsEven).ShouldBe(Linq.All(items, IsEven));
            Ours.Contains(items, count).ShouldBe(Linq.Contains(items, count));
            Ours.Count(items, IsEven).ShouldBe(Linq.Count(items, IsEven));
            Ours.FirstOrDefault(items).ShouldBe(Linq.FirstOrDefault(items));
            Ours.FirstOrDefault(items, IsEven).ShouldBe(Linq.FirstOrDefault(items, IsEven));
            Ours.LastOrDefault(items).ShouldBe(Linq.LastOrDefault(items));
            Ours.Sum(items).ShouldBe(Linq.Sum(items));
            Ours.Sum(items, i => (long)i * i).ShouldBe(Linq.Sum(items, i => (long)i * i));
            Ours.Aggregate(items, 1, (sum, i) => (sum * 31) + i).ShouldBe(Linq.Aggregate(items, 1, (sum, i) => (sum * 31) + i));
            Ours.Max(items, i => (int?)i).ShouldBe(Linq.Max(items, i => (int?)i));
            Ours.Min(items, i => i == 0 ? null : (int?)i).ShouldBe(Linq.Min(items, i => i == 0 ? null : (int?)i));
            Same(Ours.ToArray(items), items);
            Same(Ours.ToList(items), items);
            Ours.ToHashSet(items).SetEquals(items).ShouldBeTrue();
            Same(Ours.ToDictionary(Linq.Distinct(items), i => i, i => -i), Linq.ToDictionary(Linq.Distinct(items), i => i, i => -i));
            if (items.Length == 0) continue;
            Ours.First(items).ShouldBe(items[0]);
            Ours.Max(items, i => -i).ShouldBe(Linq.Max(items, i => -i));
            Ours.MaxBy(items, i => i % 3).ShouldBe(Linq.MaxBy(items, i => i % 3));
        }
    }

    [Fact]
    public void Ordering_keeps_equal_keys_in_their_order()
    {
        for (var round = 0; round < 200; round++)
        {
            var items = Numbers(Random.Next(40));
            Same(Ours.OrderBy(items, i => i % 4), Linq.OrderBy(items, i => i % 4));
            Same(Ours.OrderByDescending(items, i => i % 4), Linq.OrderByDescending(items, i => i % 4));
        }
    }

    [Fact]
    public void Of_nothing_there_is_no_first_and_no_extreme_number()
    {
        Should.Throw<InvalidOperationException>(() => Ours.First(Array.Empty<int>()));
        Should.Throw<InvalidOperationException>(() => Ours.Max(Array.Empty<int>(), i => i));
        Ours.Min(Array.Empty<int>(), i => (int?)i).ShouldBeNull();
    }

    [Fact]
    public void A_sequence_is_read_when_it_is_asked_for_and_no_further()
    {
        var read = 0;
        var numbers = Ours.Select(Linq.Range(0, 100), i => read = i);
        read.ShouldBe(0);
        Same(Ours.Take(numbers, 3), [0, 1, 2]);
        read.ShouldBe(2);
    }

    private static int[] Numbers(int count) => [.. Linq.Select(Linq.Range(0, count), _ => Random.Next(-3, 12))];

    private static IEnumerable<int> Digits(int number) => number < 0 ? [] : [number / 10, number % 10];

    private static bool IsEven(int number) => number % 2 == 0;

    private static void Same<T>(IEnumerable<T> found, IEnumerable<T> expected) => Linq.ToArray(found).ShouldBe(Linq.ToArray(expected));
}
