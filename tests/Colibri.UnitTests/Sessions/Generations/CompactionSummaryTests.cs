using System.Buffers;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Generations;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Sessions.Generations;

public sealed class CompactionSummaryTests
{
    [Test]
    public void It_says_who_said_what_which_tools_ran_which_files_were_named_and_what_it_used()
    {
        List<LoggedEntry> entries =
        [
            Logged(SessionEntryKind.User, "Mend src/lamp.c\nand see https://example.org/lamp.html"),
            Logged(SessionEntryKind.Assistant, "I look at it."),
            Logged(new SessionEntry { Kind = SessionEntryKind.ToolCall, Tool = "bash", Text = "{\"command\":\"make\"}" }),
            Logged(new SessionEntry { Kind = SessionEntryKind.ToolResult, Tool = "bash", IsError = true, Text = "make: *** lamp.o" }),
            Logged(SessionEntryKind.Question, "Which?\n- red\n- green"),
            Logged(SessionEntryKind.Answer, "red"),
            Logged(new SessionEntry { Kind = SessionEntryKind.Usage, Usage = new Usage { InputTokens = 7, OutputTokens = 3, CostMicrocents = 11 } }),
        ];

        var summary = CompactionSummary.Of(entries, 7, 1, 10_000);

        summary.Kind.ShouldBe(SessionEntryKind.Compaction);
        summary.Text.ShouldBe("""
            Summary of entries 1 to 7; in full in generation 1 and before.
            user: Mend src/lamp.c and see https://example.org/lamp.html
            assistant: I look at it.
            call of bash: {"command":"make"}
            tool bash failed, 16 bytes: make: *** lamp.o
            question: Which? - red - green
            answer: red
            Files named: src/lamp.c lamp.o
            Usage: 7 tokens in, 3 out, 0 read from cache, 0 written to it, 11 micro-cents.
            """.ReplaceLineEndings("\n"));
        summary.Usage.ShouldBe(new Usage { InputTokens = 7, OutputTokens = 3, CostMicrocents = 11 });
    }

    [Test]
    public void A_summary_of_a_summary_goes_on_from_it()
    {
        var first = CompactionSummary.Of([Logged(SessionEntryKind.User, "One, in a/one.txt")], 1, 1, 10_000);

        var second = CompactionSummary.Of([Logged(first), Logged(SessionEntryKind.User, "Two, in a/two.txt and a/one.txt")], 3, 2, 10_000);

        second.Text.ShouldBe("""
            Summary of entries 1 to 3; in full in generation 2 and before.
            user: One, in a/one.txt
            user: Two, in a/two.txt and a/one.txt
            Files named: a/one.txt a/two.txt
            """.ReplaceLineEndings("\n"));
    }

    [Test]
    [Arguments("plain words ")]
    [Arguments("\"quoted\\ ")]
    [Arguments("😀\u0001\u001b ")]
    [Arguments("a/b/file.txt ")]
    public void It_is_never_longer_than_its_bound_and_counts_the_lines_it_leaves_out(string unit)
    {
        var words = string.Concat(Enumerable.Repeat(unit, 200));
        var entries = Enumerable.Range(0, 300).Select(i => Logged(SessionEntryKind.User, $"{i} {words} d{i}/f{i}.c")).ToList();
        foreach (var maxBytes in (long[])[CompactionSummary.MinBytes, 2_000, 31_250, 500_000])
        {
            var summary = CompactionSummary.Of(entries, 300, 1, maxBytes) with
            {
                Seq = long.MaxValue,
                Usage = new Usage { InputTokens = long.MaxValue, OutputTokens = long.MaxValue, CacheReadTokens = long.MaxValue, CacheWriteTokens = long.MaxValue, CostMicrocents = long.MaxValue },
            };

            ((long)SizeOf(summary)).ShouldBeLessThanOrEqualTo(maxBytes);
            var kept = summary.Text!.Split('\n').Count(line => line.StartsWith("user: ", StringComparison.Ordinal));
            if (kept < 300)
                summary.Text.ShouldContain($"Lines left out before this one: {300 - kept}\n");
            // Left out again, the count goes on.
            var again = CompactionSummary.Of([Logged(summary with { Usage = null })], 300, 2, CompactionSummary.MinBytes);
            var keptAgain = again.Text!.Split('\n').Count(line => line.StartsWith("user: ", StringComparison.Ordinal));
            again.Text.ShouldContain($"Lines left out before this one: {300 - keptAgain}");
        }
    }

    private static LoggedEntry Logged(SessionEntryKind kind, string text) => Logged(new SessionEntry { Kind = kind, Text = text });

    private static LoggedEntry Logged(SessionEntry entry) => new(entry, ReadOnlyMemory<byte>.Empty);

    private static int SizeOf(SessionEntry entry)
    {
        var line = new ArrayBufferWriter<byte>();
        SessionFile.WriteLine(line, entry);
        return line.WrittenCount;
    }
}
