using System.Text;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Providers;

namespace Colibri.UnitTests.Runs;

public sealed class LastWordsTests
{
    private const string Key = "sk-ant-0123456789abcdefghij";

    [Test]
    [Arguments("a")]
    [Arguments("é")]
    [Arguments("€")]
    [Arguments("🐦")]
    public void Words_within_the_limit_are_whole_and_longer_ones_are_cut_at_a_characters_border(string character)
    {
        var size = Encoding.UTF8.GetByteCount(character);
        var fits = string.Concat(Enumerable.Repeat(character, LastWords.MaxBytes / size));
        Of(fits).ShouldBe(new TaskResult(fits));
        Of(fits + character).ShouldBe(new TaskResult(fits, true));
        Of(fits + fits + new string('x', 300_000)).ShouldBe(new TaskResult(fits, true));
        Encoding.UTF8.GetByteCount(Of("x" + fits + fits).Text).ShouldBeInRange(LastWords.MaxBytes - 3, LastWords.MaxBytes);
    }

    [Test]
    public void A_key_is_redacted_before_the_words_are_cut()
    {
        for (var before = LastWords.MaxBytes - Key.Length - 2; before <= LastWords.MaxBytes + 2; before++)
            Of(new string('x', before) + " " + Key + new string('y', 100_000), Keys.Of(Key)).Text.ShouldHoldNoPartOf(Key, $"{before} before it");
    }

    [Test]
    public void What_was_longer_before_it_was_redacted_is_told_as_cut() =>
        Of(string.Concat(Enumerable.Repeat(Key + " ", 100_000)), Keys.Of(Key)).Truncated.ShouldBe(true);

    private static TaskResult Of(string words, Secrets? secrets = null) => new LastWords(words).Result(secrets ?? Secrets.None);
}
