using Colibri.Core.Sessions.Prompts;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Sessions.Prompts;

public sealed class SkillWordsTests
{
    [Test]
    public void Without_skills_a_prompt_stays_as_it_is()
    {
        SkillWords.Of([]).ShouldBe("");
        var prompt = new string('p', 3);
        SkillWords.Before(prompt, []).ShouldBeSameAs(prompt);
    }

    [Test]
    public void Each_skill_is_a_line_with_its_description_and_its_path() =>
        SkillWords.Before("Go", [Of("review", " Reads\r\na diff\0 "), Of("dig", "") with { Path = "/skills/dig" }])
            .ShouldBe("[skills]\nThis task asks for the skills below. Read what a path names before you begin.\n- review: Reads\n  a diff\uFFFD\n- dig (path: /skills/dig)\n\n[task]\nGo");

    [Test]
    public void What_finds_no_room_is_counted()
    {
        var text = SkillWords.Of([.. Enumerable.Range(0, 64).Select(i => Of($"s{i}", new string('d', 2_000)))]);
        text.Length.ShouldBeLessThan(SkillWords.MaxCharacters + 100);
        text.ShouldEndWith("\n- and 52 more, for which there is no room here");
    }

    private static Skill Of(string name, string description) => new(name, description, "", default);
}
