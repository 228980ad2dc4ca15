using System.Diagnostics;
using System.Text;
using Colibri.Core.Providers;

namespace Colibri.UnitTests.Providers;

/// <summary>Sequences are those of ECMA-48 (fifth edition): 5.3 to 5.6, 8.3.</summary>
public sealed class PlainTextTests
{
    [Test]
    [Arguments("\e[93m\e[1m! \e[0mpermission requested", "! permission requested")]
    [Arguments("\e[38;5;196mred\e[m", "red")]
    [Arguments("\e[?25lhidden\e[2J\e[H", "hidden")]
    [Arguments("\e]0;a title\aafter", "after")]
    [Arguments("\e]8;;http://there/\e\\a link\e]8;;\e\\", "a link")]
    [Arguments("\e]52;c;c2VjcmV0\u009cafter", "after")]
    [Arguments("\ePq#0;2;0;0;0\e\\after", "after")]
    [Arguments("\e_Ga=T;AAAA\e\\\e^private\e\\\eXstart\e\\after", "after")]
    [Arguments("\u009b31mred\u009d0;title\u009cafter", "redafter")]
    [Arguments("\e(Bone\e#8two\e=three\e7four", "onetwothreefour")]
    [Arguments("bell\a back\b nul\0 del\u007f nel\u0085 vt\v ff\f", "bell back nul del nel vt ff")]
    [Arguments("\u202eright\u202c \u2066isolated\u2069 \u202a\u202b\u202d\u2067\u2068", "right isolated ")]
    [Arguments("one\ttab\ntwo", "one\ttab\ntwo")]
    [Arguments("one\r\ntwo\r\r\nthree\rfour\r", "one\ntwo\nthree\nfour\n")]
    // What is broken off goes as far as it can be told, and hides no line.
    [Arguments("a\e", "a")]
    [Arguments("a\e[", "a")]
    [Arguments("a\e[31", "a")]
    [Arguments("a\e[3\nb", "a\nb")]
    [Arguments("a\e]0;title\nb", "a\nb")]
    [Arguments("a\ePpayload\e[31mb", "ab")]
    [Arguments("\e[\e[31mred", "red")]
    [Arguments("\eé", "é")]
    // What only looks so.
    [Arguments("separators \u2028 and \u2029, \u200d joined, \u2030 \u203a \u2065 é \U0001F426", "separators \u2028 and \u2029, \u200d joined, \u2030 \u203a \u2065 é \U0001F426")]
    [Arguments("[31m is no sequence", "[31m is no sequence")]
    [Arguments("", "")]
    public void A_terminal_finds_nothing_to_act_on(string text, string plain)
    {
        PlainText.Of(text).ShouldBe(plain);
        PlainText.Of(plain).ShouldBeSameAs(plain, "what is plain is not copied");
    }

    [Test]
    public void Nothing_that_acts_is_left_of_any_mixture()
    {
        const string Alphabet = "\e\e\e[]P\\;0m1\a\u009b\u009c\u009d\u0090\n\r\t\b\u202e\u2066\u0018ab \u2028";
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var text = new string(random.GetItems<char>(Alphabet, random.Next(1, 24)));
            var plain = PlainText.Of(text, out var cuts);
            plain.Any(c => (char.IsControl(c) && c is not ('\n' or '\t')) || c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069')).ShouldBeFalse($"seed {seed}");
            (cuts ?? []).ShouldBe((cuts ?? []).Order().Distinct());
            plain.Count(c => c == '\n').ShouldBeGreaterThanOrEqualTo(text.Count(c => c == '\n') - text.Count(c => c == '\r'), $"seed {seed}: no line is hidden");
        }
    }

    [Test]
    [Arguments("\e]")]
    [Arguments("\u009d")]
    [Arguments("\e[")]
    [Arguments("\e[1")]
    [Arguments("\e]0;x")]
    [Arguments("\u2030")]
    [Arguments("\r")]
    [Arguments("a\r")]
    public void The_worst_text_of_four_megabytes_takes_no_more_than_going_over_it(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, (4 << 20) / unit.Length));
        var since = Stopwatch.GetTimestamp();
        PlainText.Of(text);
        // Quadratic work would take hours.
        Stopwatch.GetElapsedTime(since).ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Test]
    public void Ordinary_text_is_neither_copied_nor_allocated_for()
    {
        var text = string.Concat(Enumerable.Repeat("fghi, a line - *with* everything+ é\n\t", 20_000));
        PlainText.Of(text).ShouldBeSameAs(text);
        var before = GC.GetAllocatedBytesForCurrentThread();
        PlainText.Of(text);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1_000);
    }
}
