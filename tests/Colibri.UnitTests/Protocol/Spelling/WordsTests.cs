using Colibri.Protocol.Spelling;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Protocol.Spelling;

public sealed class WordsTests
{
    private static readonly DateTimeOffset Moment = new(2026, 3, 4, 7, 6, 7, 89, TimeSpan.FromHours(2));

    [Test]
    [Arguments(0, "$0.0000", "$0.00")]
    [Arguments(1, "<$0.0001", "$0.00000001")]
    [Arguments(240_000, "$0.0024", "$0.0024")]
    [Arguments(123_456_789_012, "$1234.5679", "$1,234.56789012")]
    public void Money_is_short_in_a_column_and_exact_elsewhere(long microcents, string dollars, string money)
    {
        Words.Dollars(microcents).ShouldBe(dollars);
        Words.Money(microcents).ShouldBe(money);
    }

    [Test]
    public void What_was_given_back_has_its_sign_in_front() => Words.Money(-150_000_000).ShouldBe("-$1.50");

    [Test]
    [Arguments(-5, "0 ms", "0s", "0s")]
    [Arguments(0, "0 ms", "0ms", "0s")]
    [Arguments(99, "99 ms", "99ms", "0s")]
    [Arguments(999, "999 ms", "1.0s", "0s")]
    [Arguments(1_000, "1 second", "1.0s", "1s")]
    [Arguments(61_000, "1 minute 1 second", "1m 01s", "1m")]
    [Arguments(3_600_000, "1 hour", "1h 00m", "1h")]
    [Arguments(273_906_000, "3 days 4 hours", "3d 4h", "3d")]
    [Arguments(259_205_000, "3 days", "3d 0h", "3d")]
    public void Time_has_two_units_in_full_or_short_and_an_age_one(long ms, string words, string elapsed, string age)
    {
        var time = TimeSpan.FromMilliseconds(ms);
        Words.Duration(time).ShouldBe(words);
        Words.Elapsed(time).ShouldBe(elapsed);
        Words.Age(time).ShouldBe(age);
    }

    [Test]
    [Arguments(999, "999 B", "999", "999")]
    [Arguments(4_000, "4 kB", "4k", "4,000")]
    [Arguments(999_949, "999.9 kB", "999.9k", "999,949")]
    [Arguments(999_950, "1 MB", "1M", "999,950")]
    [Arguments(8_000_000_000, "8 GB", "8G", "8,000,000,000")]
    public void Sizes(long number, string bytes, string tokens, string exact)
    {
        Words.Bytes(number).ShouldBe(bytes);
        Words.Short(number).ShouldBe(tokens);
        Words.Number(number).ShouldBe(exact);
    }

    [Test]
    public void One_thing_is_not_many()
    {
        Words.Count(1, "turn").ShouldBe("1 turn");
        Words.Count(0, "turn").ShouldBe("0 turns");
        Words.Count(2_000, "turn").ShouldBe("2,000 turns");
        Words.Percent(0.12345).ShouldBe("12.35 %");
    }

    [Test]
    public void A_moment_is_in_utc()
    {
        Words.Time(Moment).ShouldBe("2026-03-04T05:06:07.089Z");
        Words.Minute(Moment).ShouldBe("2026-03-04T05:06Z");
        Words.Clock(Moment).ShouldBe("05:06:07Z");
    }

    [Test]
    public void A_state_is_its_word_of_the_wire()
    {
        Words.Of(TaskState.Queued).ShouldBe("queued");
        Words.Of(SessionEntryKind.ToolResult).ShouldBe("tool_result");
        Words.Of(Lifecycle.Stopping).ShouldBe("stopping");
    }
}
