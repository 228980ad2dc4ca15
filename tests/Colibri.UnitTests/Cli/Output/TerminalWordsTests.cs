using Colibri.Cli.Commands;
using Colibri.Cli.Output;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Spelling;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Cli.Output;

public sealed class TerminalWordsTests
{
    [Test]
    [Arguments("plain é 漢 👩‍💻", "plain é 漢 👩‍💻")]
    [Arguments("a\nb\tc\r", "a\\nb\\tc\\r")]
    [Arguments("\e]0;owned\a\0\u007f\u009b", "\\x1b]0;owned\\x07\\x00\\x7f\\x9b")]
    [Arguments("safe\u202Eexe.txt\u2028\u200B\uFEFF", "safe\\u202eexe.txt\\u2028\\u200b\\ufeff")]
    public void Nothing_a_terminal_acts_on_passes(string text, string plain) => Words.Plain(text).ShouldBe(plain);

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
