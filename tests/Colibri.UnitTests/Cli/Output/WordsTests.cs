using Colibri.Cli.Commands;
using Colibri.Cli.Output;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Cli.Output;

public sealed class WordsTests
{
    [Test]
    [Arguments("plain é 漢 👩‍💻", "plain é 漢 👩‍💻")]
    [Arguments("a\nb\tc\r", "a\\nb\\tc\\r")]
    [Arguments("\e]0;owned\a\0\u007f\u009b", "\\x1b]0;owned\\x07\\x00\\x7f\\x9b")]
    [Arguments("safe\u202Eexe.txt\u2028\u200B\uFEFF", "safe\\u202eexe.txt\\u2028\\u200b\\ufeff")]
    public void Nothing_a_terminal_acts_on_passes(string text, string plain) => Words.Plain(text).ShouldBe(plain);

    [Test]
    [Arguments(0, "$0.0000")]
    [Arguments(1, "<$0.0001")]
    [Arguments(240_000, "$0.0024")]
    [Arguments(123_456_789_012, "$1234.5679")]
    public void Money(long microcents, string dollars) => Words.Dollars(microcents).ShouldBe(dollars);

    [Test]
    [Arguments(0, "0 ms")]
    [Arguments(999, "999 ms")]
    [Arguments(1_000, "1 second")]
    [Arguments(61_000, "1 minute 1 second")]
    [Arguments(3_600_000, "1 hour")]
    [Arguments(273_906_000, "3 days 4 hours")]
    [Arguments(259_205_000, "3 days")]
    public void Time(long ms, string words) => Words.Duration(TimeSpan.FromMilliseconds(ms)).ShouldBe(words);

    [Test]
    [Arguments(999, "999 B", "999")]
    [Arguments(4_000, "4 kB", "4k")]
    [Arguments(999_949, "999.9 kB", "999.9k")]
    [Arguments(999_950, "1 MB", "1M")]
    [Arguments(8_000_000_000, "8 GB", "8G")]
    public void Sizes(long number, string bytes, string tokens)
    {
        Words.Bytes(number).ShouldBe(bytes);
        Words.Short(number).ShouldBe(tokens);
    }

    [Test]
    [Arguments("abcdef", 6, "abcdef")]
    [Arguments("abcdef", 5, "abcd…")]
    [Arguments("漢字漢字", 8, "漢字漢字")]
    [Arguments("漢字漢字", 7, "漢字漢…")]
    [Arguments("漢字漢字", 6, "漢字…")]
    public void A_text_is_cut_by_columns(string text, int columns, string cut)
    {
        Columns.Cut(text, columns).ShouldBe(cut);
        Columns.Of(cut).ShouldBeLessThanOrEqualTo(columns);
    }

    [Test]
    [Arguments("one two three", 7, "one two|three")]
    [Arguments("abcdefghij", 4, "abcd|efgh|ij")]
    [Arguments("    indented text", 12, "    indented|text")]
    [Arguments("漢字漢字", 4, "漢字|漢字")]
    [Arguments("", 4, "")]
    public void A_line_is_wrapped_by_columns(string line, int columns, string parts) =>
        Columns.Wrap(line, columns).ShouldBe(parts.Split('|'));

    [Test]
    public void The_words_offered_are_the_wire_s()
    {
        Choices.TaskStates.ShouldBe(Enum.GetValues<TaskState>().Select(Words.Of));
        Choices.CostModes.ShouldBe(Enum.GetValues<CostMode>().Select(Words.Of));
        Choices.EntryKinds.ShouldBe(Enum.GetValues<SessionEntryKind>().Except([SessionEntryKind.Compaction, SessionEntryKind.Escalation]).Select(Words.Of), ignoreOrder: true);
    }
}
