using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Web.Api;

/// <summary>What each day has cost, by profile, for the chart and for the table that says the same without one.</summary>
/// <param name="Days">In order, every day between the first and the last, a week at the least.</param>
/// <param name="Profiles">The dearest first; beyond eight the rest is one.</param>
internal sealed record CostOfDays(IReadOnlyList<DateOnly> Days, IReadOnlyList<ProfileCost> Profiles)
{
    private const int MostProfiles = 8;

    // Less than a week is hard to read, and a single day is no line.
    private const int LeastDays = 7;
    private const string Rest = "the rest";

    /// <summary>Of lines by day and profile.</summary>
    public static CostOfDays Of(IReadOnlyList<CostLine> lines)
    {
        var known = lines.Where(line => line.Day is not null).ToList();
        if (known.Count == 0)
            return new CostOfDays([], []);
        var (first, last) = (DayOf(known.Min(line => line.Day)!), DayOf(known.Max(line => line.Day)!));
        if (last.DayNumber - first.DayNumber < LeastDays - 1)
            first = last.AddDays(1 - LeastDays);
        var days = Enumerable.Range(0, last.DayNumber - first.DayNumber + 1).Select(first.AddDays).ToList();
        var dearest = known.GroupBy(NameOf).OrderByDescending(group => group.Sum(line => line.Usage.CostMicrocents)).Take(MostProfiles).Select(group => group.Key).ToHashSet();
        Dictionary<string, long[]> costs = [];
        foreach (var line in known)
        {
            var name = dearest.Contains(NameOf(line)) ? NameOf(line) : Rest;
            if (!costs.TryGetValue(name, out var of))
                costs[name] = of = new long[days.Count];
            of[DayOf(line.Day!).DayNumber - first.DayNumber] += line.Usage.CostMicrocents;
        }
        return new CostOfDays(days, [.. costs.Select(pair => new ProfileCost(pair.Key, pair.Value)).OrderBy(profile => profile.Name == Rest).ThenByDescending(profile => profile.Microcents.Sum())]);
    }

    private static string NameOf(CostLine line) => line.Profile ?? CostLine.OtherProfile;

    private static DateOnly DayOf(string day) => DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture);
}

/// <param name="Name">Of the profile.</param>
/// <param name="Microcents">One for each day.</param>
internal sealed record ProfileCost(string Name, long[] Microcents);
