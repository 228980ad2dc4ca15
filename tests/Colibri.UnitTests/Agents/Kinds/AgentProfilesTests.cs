using System.Text.RegularExpressions;
using Colibri.Core.Agents.Kinds;
using Colibri.Protocol;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Agents.Kinds;

/// <summary>The kinds of agent against the list of the protocol, and what the pages say of them.</summary>
public sealed partial class AgentProfilesTests
{
    [Test]
    public void Every_runtime_of_the_protocol_has_a_profile_and_no_other_has() => AgentProfiles.Names.ShouldBe(Runtimes.All);

    [Test]
    public void The_protocols_page_says_which_runtimes_take_no_prompts_on_standard_input() =>
        Page("protocol.md").ShouldContain($"where the runtime has no such mode ({string.Join(", ", AgentProfiles.All.Where(profile => profile.RpcArguments is null).Select(profile => $"`{profile.Name}`"))})");

    [Test]
    public void The_manual_page_names_the_kinds_that_have_arguments_of_their_own() =>
        Word().Matches(OwnArguments().Match(Page("man/colibri-daemon.8")).Groups[1].Value).Select(match => match.Value).Except(["and", "Sy"])
            .ShouldBe(AgentProfiles.All.Where(profile => profile.TaskArguments.Count > 0).Select(profile => profile.Name));

    private static string Page(string name) => File.ReadAllText(Path.Combine(SourceTree.Root, "docs", name));

    [GeneratedRegex(@"They replace the defaults of\n([^T]*)\.\n")]
    private static partial Regex OwnArguments();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
