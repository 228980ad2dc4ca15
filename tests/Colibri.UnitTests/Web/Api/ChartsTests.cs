using Colibri.Protocol.Wire;
using Colibri.Web.Api;

namespace Colibri.UnitTests.Web.Api;

public sealed class ChartsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void Costs_are_a_series_for_each_profile_over_every_day_between()
    {
        var chart = Charts.OfCost([Line("2026-11-28", "claude", 300), Line("2026-11-26", "claude", 100), Line("2026-11-26", null, 900)]);
        chart.Times.ShouldBe([.. ((int[])[22, 23, 24, 25, 26, 27, 28]).Select(day => new DateTimeOffset(2026, 11, day, 0, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds())]);
        chart.Series.Select(series => series.Name).ShouldBe(["other", "claude"]);
        chart.Series[0].Values.ShouldBe([0, 0, 0, 0, 9, 0, 0]);
        chart.Series[1].Values.ShouldBe([0, 0, 0, 0, 1, 0, 3]);
    }

    [Test]
    public void Beyond_eight_profiles_the_rest_is_one_series()
    {
        var chart = Charts.OfCost([.. Enumerable.Range(1, 12).Select(i => Line("2026-11-28", $"p{i}", i * 100))]);
        chart.Series.Length.ShouldBe(9);
        chart.Series.Single(series => series.Name == "the rest").Values[^1].ShouldBe(1 + 2 + 3 + 4);
    }

    [Test]
    public void Agents_are_counted_at_each_begin_and_end()
    {
        var chart = Charts.OfRuns([(Noon, Noon.AddMinutes(2)), (Noon.AddMinutes(1), null), (Noon.AddMinutes(1), Noon.AddMinutes(2))], Noon.AddMinutes(5));
        chart.Times.Select(time => (time - chart.Times[0]) / 60).ShouldBe([0, 1, 2, 5]);
        chart.Series.Single().Values.ShouldBe([1, 3, 1, 1]);
    }

    [Test]
    public void Nothing_is_nothing_to_draw()
    {
        Charts.OfCost([]).Times.ShouldBeEmpty();
        Charts.OfRuns([], Noon).Times.ShouldBeEmpty();
    }

    private static CostLine Line(string day, string? profile, long cents) => CostLine.Of(1, new Usage { CostMicrocents = cents * 1_000_000 }) with { Day = day, Profile = profile };
}
