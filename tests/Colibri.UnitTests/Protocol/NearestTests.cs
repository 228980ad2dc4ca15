using Colibri.Protocol;

namespace Colibri.UnitTests.Protocol;

public sealed class NearestTests
{
    private static readonly string[] Words = ["model", "max", "memory", "silence_timeout", "COLIBRI_MAX_AGENTS"];

    [Test]
    [Arguments("model", "model")]
    [Arguments("modle", "model")]
    [Arguments("mdel", "model")]
    [Arguments("modell", "model")]
    [Arguments("mxa", "max")]
    [Arguments("silense_timout", "silence_timeout")]
    [Arguments("COLIBRI_MAX_AGENT", "COLIBRI_MAX_AGENTS")]
    [Arguments("", null)]
    [Arguments("xyz", null)]
    [Arguments("timeout", null)]
    public void The_word_that_was_probably_meant_is_few_edits_away(string word, string? meant) => Nearest.To(word, Words).ShouldBe(meant);

    [Test]
    public void A_word_of_any_length_is_compared_or_left() => Nearest.To(new string('m', 10_000), Words).ShouldBeNull();
}
