using Colibri.Core.Agents.Launch;
using Colibri.Core.Scheduling;

namespace Colibri.UnitTests.Scheduling;

public sealed class CapabilityMatchTests
{
    [Test]
    [Arguments(0.0, "code,rust", "sql")]
    [Arguments(0.5, "code,rust", "rust")]
    [Arguments(1.0, "code,rust", "rust,code,sql")]
    [Arguments(1.0, "", "sql")]
    [Arguments(1.0, "", "")]
    public void The_score_is_the_share_of_the_requirement_that_is_offered(double score, string required, string offered) =>
        CapabilityMatch.Score(Words(required), Words(offered).Contains).ShouldBe(score);

    [Test]
    public void The_best_score_wins() =>
        Best("code,rust", ("a", "code"), ("b", "rust,code"), ("c", "rust")).ShouldBe("b");

    [Test]
    public void More_than_what_is_required_counts_for_nothing() =>
        Best("code", ("b", "code,rust,sql"), ("a", "code")).ShouldBe("a");

    [Test]
    [Arguments("zot", "pi")]
    [Arguments("pi", "zot")]
    public void A_tie_goes_to_the_first_name_whatever_the_order(string first, string second) =>
        Best("code", (first, "code"), (second, "code")).ShouldBe("pi");

    [Test]
    public void Nothing_required_suits_everybody() => Best("", ("zot", ""), ("pi", "")).ShouldBe("pi");

    [Test]
    public void Nobody_who_offers_none_of_it_is_chosen()
    {
        Best("code,rust", ("a", "sql"), ("b", "")).ShouldBeNull();
        Best("code").ShouldBeNull();
        Best("").ShouldBeNull();
    }

    private static string? Best(string required, params (string Name, string Offers)[] candidates) => CapabilityMatch.Best(
        Words(required),
        candidates.Select(candidate => new AgentCandidate(candidate.Name, Words(candidate.Offers).Contains, new SpawnRequest { Binary = candidate.Name })))?.Name;

    private static string[] Words(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries);
}
