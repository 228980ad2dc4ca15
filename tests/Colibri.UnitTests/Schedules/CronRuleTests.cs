using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Colibri.Core.Board;
using Colibri.Core.Schedules;

namespace Colibri.UnitTests.Schedules;

/// <summary>When expressions fire, against the lists of another program: <c>tests/schedules/README.md</c> says how they were made.</summary>
public sealed class CronRuleTests
{
    private const string Minute = "yyyy-MM-dd'T'HH:mm'Z'";

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "schedules");

    public static List<string> Zones => [.. Lines("years.csv").Select(line => line[0]).Distinct()];

    [Test]
    [MethodDataSource(nameof(Zones))]
    public void Ten_years_of_firings_are_those_of_the_list(string zone)
    {
        var years = Lines("years.csv").Where(line => line[0] == zone).ToList();
        years.Count.ShouldBeGreaterThan(200);
        var wrong = new List<string>();
        foreach (var line in years)
        {
            var year = int.Parse(line[2], CultureInfo.InvariantCulture);
            var times = Times(CronRule.Parse(line[1], HostZones.Find(zone)), new DateTime(year, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(year + 1, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            if ((times.Count.ToString(CultureInfo.InvariantCulture), HashOf(times)) != (line[3], line[4]))
                wrong.Add($"{line[1]} in {year}: {times.Count} firings, the list has {line[3]}");
        }
        wrong.ShouldBeEmpty();
    }

    [Test]
    public void The_firings_around_each_change_of_an_offset_are_those_of_the_list()
    {
        var changes = Lines("changes.csv");
        changes.Count.ShouldBeGreaterThan(1_000);
        var wrong = new List<string>();
        foreach (var line in changes)
        {
            var change = DateTime.ParseExact(line[2], Minute, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
            var times = Times(CronRule.Parse(line[1], HostZones.Find(line[0])), change.AddHours(-3), change.AddHours(3).AddMinutes(1));
            if (string.Join(' ', times.Select(Text)) is var found && found != line[3])
                wrong.Add($"{line[0]} {line[1]} at {line[2]}: {found}, the list has {line[3]}");
        }
        wrong.ShouldBeEmpty();
    }

    [Test]
    // The hour that is skipped, and that which is repeated.
    [Arguments("30 2 * * *", "2026-03-29T00:59Z", "2026-03-29T01:00Z")]
    [Arguments("30 2 * * *", "2026-03-29T01:00Z", "2026-03-30T00:30Z")]
    [Arguments("30 2 * * *", "2026-10-25T00:00Z", "2026-10-25T00:30Z")]
    [Arguments("30 2 * * *", "2026-10-25T00:30Z", "2026-10-26T01:30Z")]
    [Arguments("30 * * * *", "2026-03-29T00:30Z", "2026-03-29T01:30Z")]
    [Arguments("*/15 * * * *", "2026-10-25T00:45Z", "2026-10-25T01:00Z")]
    [Arguments("0 9-17 * * *", "2026-10-25T00:00Z", "2026-10-25T08:00Z")]
    public void What_a_clock_that_is_set_does_to_a_time(string expression, string after, string next) =>
        Text(CronRule.Parse(expression, HostZones.Find("Europe/Berlin")).Next(At(after))!.Value).ShouldBe(next);

    [Test]
    public void Seconds_stand_first_of_six_fields()
    {
        var rule = CronRule.Parse("*/20 * * * * *", HostZones.Find("UTC"));
        rule.Next(new DateTime(2026, 1, 1, 0, 0, 20, 1, DateTimeKind.Utc)).ShouldBe(new DateTime(2026, 1, 1, 0, 0, 40, DateTimeKind.Utc));
    }

    [Test]
    public void A_repeated_hour_has_each_of_its_seconds_twice()
    {
        var rule = CronRule.Parse("*/15 * * * * *", HostZones.Find("Europe/Berlin"));
        Times(rule, At("2026-10-24T22:00Z"), At("2026-10-25T23:00Z")).Count.ShouldBe(25 * 240);
    }

    [Test]
    [Arguments("@daily", "0 0 * * *")]
    [Arguments("@weekly", "0 0 * * 0")]
    [Arguments("@monthly", "0 0 1 * *")]
    [Arguments("@yearly", "0 0 1 1 *")]
    [Arguments("@hourly", "0 * * * *")]
    public void A_macro_is_its_expression(string macro, string expression)
    {
        var (from, to) = (At("2026-03-01T00:00Z"), At("2026-11-30T00:00Z"));
        Times(CronRule.Parse(macro, HostZones.Find("Europe/Berlin")), from, to).ShouldBe(Times(CronRule.Parse(expression, HostZones.Find("Europe/Berlin")), from, to));
    }

    [Test]
    [Arguments("61 * * * *", "Minutes")]
    [Arguments("* 24 * * *", "Hours")]
    [Arguments("* * 32 * *", "Days")]
    [Arguments("* * * 13 *", "Months")]
    [Arguments("* * * * 8", "Days of week")]
    [Arguments("* * * *", "4 fields")]
    [Arguments("* * * * * * *", "7 fields")]
    [Arguments("@sometimes", "@sometimes")]
    [Arguments("", "0 fields")]
    [Arguments("H * * * *", "jitter_ms")]
    public void What_is_no_expression_is_refused_with_its_field(string expression, string named)
    {
        var refused = Should.Throw<ScheduleRefusedException>(() => CronRule.Parse(expression, HostZones.Find("UTC")));
        refused.Field.ShouldBe("cron");
        refused.Message.ShouldStartWith($"cron is '{expression}'");
        refused.Message.ShouldContain(named, Case.Insensitive);
    }

    [Test]
    public void An_expression_that_names_no_day_has_no_next_time() =>
        CronRule.Parse("0 0 30 2 *", HostZones.Find("Europe/Berlin")).Next(At("2026-01-01T00:00Z")).ShouldBeNull();

    [Test]
    [Arguments("Nowhere/Town")]
    [Arguments("../etc/passwd")]
    [Arguments("/usr/share/zoneinfo/Europe/Berlin")]
    [Arguments("Europe/Berlin\n")]
    [Arguments("")]
    public void What_is_no_zone_is_refused(string name) => Should.Throw<ScheduleRefusedException>(() => HostZones.Find(name)).Message.ShouldStartWith("zone is '");

    [Test]
    public void The_daemons_zone_has_a_name_that_can_be_found_again() => HostZones.Find(HostZones.Here()).ShouldNotBeNull();

    internal static List<DateTime> Times(CronRule rule, DateTime from, DateTime to)
    {
        var times = new List<DateTime>();
        var at = from.AddTicks(-1);
        while (rule.Next(at) is { } next && next < to)
        {
            next.ShouldBeGreaterThan(at);
            times.Add(next);
            at = next;
        }
        return times;
    }

    private static List<string[]> Lines(string file) => [.. File.ReadLines(Path.Combine(Folder, file)).Select(line => line.Split(';'))];

    private static string HashOf(List<DateTime> times) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', times.Select(Text)))))[..16];

    private static string Text(DateTime time) => time.ToString(Minute, CultureInfo.InvariantCulture);

    private static DateTime At(string text) => DateTime.ParseExact(text, Minute, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
}
